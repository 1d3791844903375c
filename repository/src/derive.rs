//! Results from a stream.

use std::io::{self, Read};

use subunit::part;

use crate::error::{Result, at};
use crate::intake::{Intake, Tail};
use crate::layout::{Replacement, RunFolder};
use crate::results::{self, Results};
use crate::run::Tally;
use crate::sort::Sorted;

/// How much of a stream is read at a time.
pub(crate) const PIECE: usize = 64 * 1024;

/// What a stream comes to.
pub(crate) struct Derived {
    pub(crate) tally: Tally,
    pub(crate) rows: Sorted,
    /// Whether the stream could be read to its end.
    pub(crate) is_whole: bool,
}

/// Derives results from a stream. Where the stream is damaged, they are of what comes before.
pub(crate) fn derive(folder: &RunFolder, mut stream: impl Read, tail: Tail) -> Result<Derived> {
    let raw = folder.raw();
    let mut intake = Intake::new(&std::env::temp_dir());
    let mut piece = vec![0; PIECE];
    let is_whole = loop {
        let count = match stream.read(&mut piece) {
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => continue,
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => break false,
                _ => return Err(at("read", &raw)(error)),
            },
            Ok(0) => break true,
            Ok(count) => count,
        };
        intake.push(part(&piece, ..count)).map_err(at("index", &raw))?;
    };
    let (tally, rows) = intake.finish(tail).map_err(at("index", &raw))?;
    Ok(Derived { tally, rows, is_whole })
}

/// Where derived results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultsDestination {
    /// To the run's folder.
    RunFolder,
    /// To a temporary file, as the repository cannot be written.
    TemporaryFile,
}

/// Writes results.
pub(crate) fn write_results(
    folder: &RunFolder,
    rows: Sorted,
    destination: ResultsDestination,
) -> Result<Results> {
    let path = folder.results();
    let (file, replacement) = match destination {
        ResultsDestination::RunFolder => {
            let replacement = Replacement::new(&path)?;
            (replacement.file.as_file().try_clone(), Some(replacement))
        }
        ResultsDestination::TemporaryFile => (tempfile::tempfile(), None),
    };
    let file = file.map_err(at("write", &path))?;
    results::write(rows, &file).map_err(at("write", &path))?;
    if let Some(replacement) = replacement {
        replacement.put(false)?;
    }
    Results::of(file, &path)
}

/// Whether nothing can be written there at all.
pub(crate) fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
