//! `gojson2subunit`: see [`emitters::gojson`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::gojson::GoJson>()
}
