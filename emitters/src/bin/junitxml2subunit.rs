//! Turns JUnit XML into a stream.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::junitxml::JunitXml>()
}
