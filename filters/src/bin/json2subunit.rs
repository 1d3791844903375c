//! `json2subunit`: see [`filters::from_json`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::from_json::FromJson>()
}
