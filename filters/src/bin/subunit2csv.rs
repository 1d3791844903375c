//! `subunit2csv`: see [`filters::csv`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<filters::csv::Csv>()
}
