//! `subunit-output`: see [`emitters::output`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::output::Output>()
}
