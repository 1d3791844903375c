//! One job, measured as a whole process.

use std::process::ExitCode;

fn main() -> ExitCode {
    peers::main(peers::ours::run)
}
