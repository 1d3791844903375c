//! `subunit2text`: see [`filters::text`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::text::Text>()
}
