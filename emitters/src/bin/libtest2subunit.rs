//! `libtest2subunit`: see [`emitters::libtest`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<emitters::libtest::Libtest>()
}
