//! `subunit`: see [`toolkit::Subunit`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<toolkit::Subunit>()
}
