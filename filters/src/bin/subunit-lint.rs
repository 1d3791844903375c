//! `subunit-lint`: see [`filters::lint`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::lint::Lint>()
}
