//! `subunit-1to2`; see [`filters::from_v1`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::from_v1::FromV1>()
}
