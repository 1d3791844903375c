//! `subunit-mux`; see [`filters::mux`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::mux::Mux>()
}
