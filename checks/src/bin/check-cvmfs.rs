//! `check-cvmfs`: see [`checks::cvmfs`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<checks::Run<checks::cvmfs::CheckCvmfs>>()
}
