//! `subunit2tap`: see [`filters::tap`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::tap::Tap>()
}
