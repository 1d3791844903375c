//! `subunit`, by this and all other names: see [`toolkit::main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    toolkit::main(&std::env::args_os().collect::<Vec<_>>())
}
