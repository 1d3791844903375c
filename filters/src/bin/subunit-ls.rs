//! `subunit-ls`: see [`filters::ls`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::ls::Ls>()
}
