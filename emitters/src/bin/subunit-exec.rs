//! `subunit-exec`: see [`emitters::exec`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::exec::Exec>()
}
