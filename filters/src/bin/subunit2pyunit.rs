//! `subunit2pyunit`: see [`filters::pyunit`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::pyunit::Pyunit>()
}
