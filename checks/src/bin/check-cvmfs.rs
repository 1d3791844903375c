//! `check-cvmfs`: see [`checks::cvmfs`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<checks::probe::Run<checks::cvmfs::CheckCvmfs>>()
}
