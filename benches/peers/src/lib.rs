//! The same jobs done by this project, by the published crate, and by nobody.

pub mod ours;
pub mod plain;
pub mod theirs;

use std::error::Error;
use std::fs::File;
use std::io::{Write, stderr, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;

/// What a job found, for the comparison to check.
#[derive(Debug, Default)]
pub struct StreamCounts {
    pub packets: u64,
    pub corrupt: u64,
    pub text: u64,
}

/// Runs `PROGRAM JOB ARGUMENT` and says on stderr what was found.
pub fn main(run: impl Fn(&str, &str) -> Result<StreamCounts, Box<dyn Error>>) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(job), Some(argument)) = (arguments.next(), arguments.next()) else {
        let _ = writeln!(stderr(), "usage: PROGRAM JOB FILE|COUNT");
        return ExitCode::from(2);
    };
    match run(&job, &argument) {
        Ok(StreamCounts { packets, corrupt, text }) => {
            let _ = writeln!(stderr(), "{packets} {corrupt} {text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(stderr(), "{job} {argument}: {error}");
            ExitCode::from(2)
        }
    }
}

/// Opens a corpus.
pub fn open(path: &str) -> Result<File, Box<dyn Error>> {
    Ok(File::open(path)?)
}

/// Standard output without the line buffer that the library puts before it.
pub fn out() -> Result<File, Box<dyn Error>> {
    Ok(stdout().as_fd().try_clone_to_owned()?.into())
}
