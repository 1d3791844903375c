//! `subunit2junitxml`: see [`filters::junitxml`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::junitxml::JunitXml>()
}
