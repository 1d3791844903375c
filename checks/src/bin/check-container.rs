//! `check-container`: see [`checks::container`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<checks::probe::Run<checks::container::CheckContainer>>()
}
