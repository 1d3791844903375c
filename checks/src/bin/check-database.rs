//! `check-database`: see [`checks::database`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<checks::Run<checks::database::CheckDatabase>>()
}
