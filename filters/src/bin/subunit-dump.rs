//! `subunit-dump`: see [`filters::dump`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::dump::Dump>()
}
