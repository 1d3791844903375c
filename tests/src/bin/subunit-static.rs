//! The program once more, to be linked statically without touching the one that other tests run.

use std::process::ExitCode;

fn main() -> ExitCode {
    toolkit::main(&std::env::args_os().collect::<Vec<_>>())
}
