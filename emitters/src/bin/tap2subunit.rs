//! `tap2subunit`: see [`emitters::tap`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::tap::Tap>()
}
