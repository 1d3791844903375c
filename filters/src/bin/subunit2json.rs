//! `subunit2json`: see [`filters::json`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::json::Json>()
}
