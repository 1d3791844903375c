//! The comparison: `compare --quick|--full BIN CORPORA PYTHON [WORD]` prints one table of figures and targets.
//!
//! BIN is the folder of our commands, PYTHON a virtual environment with python-subunit; with a WORD only the
//! lines run that have it in their name. A ratio is that of the CPU time (user and system) of whole
//! processes, less what the same program takes for no input; the programs run in turn, and the median of the
//! rounds counts.

mod jobs;
mod measure;
mod table;

use std::process::ExitCode;

use crate::jobs::Bench;
use crate::measure::Result;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = || -> Result<usize> {
        let [size, bin, corpora, python, word @ ..] = &*arguments else {
            return Err("usage: compare --quick|--full BIN CORPORA PYTHON [WORD]".into());
        };
        let word = word.first().map_or("", String::as_str);
        Bench::new(size == "--full", bin, corpora, python, word)?.run()
    };
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            println!("{missed} missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::from(2)
        }
    }
}
