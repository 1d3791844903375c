//! `check-container`: see [`checks::container`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<checks::Run<checks::container::CheckContainer>>()
}
