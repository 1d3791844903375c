//! `subunit-timestamp`: see [`filters::timestamp`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::timestamp::TimestampStream>()
}
