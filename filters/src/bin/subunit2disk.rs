//! `subunit2disk`: see [`filters::disk`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::disk::Disk>()
}
