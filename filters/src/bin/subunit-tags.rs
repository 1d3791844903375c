//! `subunit-tags`: see [`filters::tags`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::tags::TagStream>()
}
