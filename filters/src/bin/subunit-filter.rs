//! `subunit-filter`: see [`filters::filter`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::filter::Filter>()
}
