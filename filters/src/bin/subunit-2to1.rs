//! `subunit-2to1`; see [`filters::to_v1`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::to_v1::ToV1>()
}
