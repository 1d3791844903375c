//! `subunit-diff`: see [`filters::diff`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::diff::Diff>()
}
