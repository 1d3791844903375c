//! `subunit-stats`: see [`filters::stats`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::stats::Stats>()
}
