//! What can go wrong, in words that say what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::foreign::Foreign;
use crate::layout::FORMAT;
use crate::run_id::RunId;

/// The result of everything that touches a repository.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done. Open: there may be more reasons.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no repository here or in a folder above.
    NoRepository {
        /// Where the search began.
        start: PathBuf,
        /// Repositories of other tools on the way up.
        foreign: Vec<Foreign>,
    },
    /// The folder is there and is not a repository: its `format` file is missing or says something else.
    NotARepository(PathBuf),
    /// A newer version made the repository.
    Newer {
        /// The repository.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// There is a repository already.
    Exists(PathBuf),
    /// The repository has no runs yet.
    NoRuns {
        /// The repository.
        path: PathBuf,
        /// Repositories of other tools next to it.
        foreign: Vec<Foreign>,
    },
    /// No run has this number.
    NoSuchRun(RunId),
    /// There are fewer runs than were counted back.
    NotSoManyRuns {
        /// How far back: 1 is the latest.
        back: u32,
        /// How many there are.
        runs: usize,
    },
    /// No run failed.
    NoFailingRun,
    /// The stream of this run was pruned; its results are there.
    Pruned(RunId),
    /// The run is under way, so that what was asked of it is not known yet.
    Running(RunId),
    /// A file of the repository is damaged.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The index could not be read or written. What it holds is derived: nothing is lost.
    Index(IndexError),
    /// A file could not be read or written.
    Io {
        /// What was tried, such as "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Why the index could not be used, in the words of its database. Which database that is, is not said: it may change.
#[derive(Debug)]
pub struct IndexError(pub(crate) rusqlite::Error);

impl fmt::Display for IndexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for IndexError {}

impl Error {
    /// Whether no space was left on the device.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Error::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Error::Index(IndexError(error)) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            _ => false,
        }
    }

    /// Whether what is wrong is data that can be derived again from the streams.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Error::Damaged { .. } => true,
            Error::Index(IndexError(rusqlite::Error::SqliteFailure(error, _))) => {
                use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, TypeMismatch, Unknown};
                matches!(error.code, DatabaseCorrupt | NotADatabase | TypeMismatch | Unknown)
            }
            Error::Index(_) => true,
            _ => false,
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Error {
        Error::Damaged { path: path.to_owned(), what: what.into() }
    }
}

/// Makes the error of an action on a file.
pub(crate) fn at<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoRepository { start, foreign } => {
                write!(formatter, "no repository in {} or above: `subunit init` makes one", start.display())?;
                suggest_import(formatter, foreign)
            }
            Error::NotARepository(path) => {
                let path = path.display();
                write!(formatter, "{path} is not a repository: its file `format` is missing or not ours")?;
                write!(
                    formatter,
                    "; if it is one that was damaged, write `subunit-repository {FORMAT}` to that file"
                )
            }
            Error::Newer { path, format } => write!(
                formatter,
                "{} was made by a newer version (format {format}; this one knows {}): \
                 use that version, or name another repository",
                path.display(),
                FORMAT
            ),
            Error::Exists(path) => write!(formatter, "there is a repository already: {}", path.display()),
            Error::NoRuns { path, foreign } => {
                write!(formatter, "no runs yet in {}", path.display())?;
                suggest_import(formatter, foreign)
            }
            Error::NoSuchRun(run) => write!(formatter, "there is no run {run}"),
            Error::NotSoManyRuns { back, runs } => {
                write!(formatter, "there is no run -{back}: the repository has {runs}")
            }
            Error::NoFailingRun => formatter.write_str("no run failed"),
            Error::Pruned(run) => {
                write!(formatter, "the stream of run {run} was pruned; only its results are left")
            }
            Error::Running(run) => write!(formatter, "run {run} is under way"),
            Error::Damaged { path, what } => write!(formatter, "{} is damaged: {what}", path.display()),
            Error::Index(error) => write!(formatter, "the index failed: {error}"),
            Error::Io { action, path, source } => {
                write!(formatter, "cannot {action} {}: {source}", path.display())
            }
        }
    }
}

fn suggest_import(formatter: &mut fmt::Formatter<'_>, foreign: &[Foreign]) -> fmt::Result {
    for other in foreign {
        write!(
            formatter,
            "; {} is a repository of {}, whose runs `subunit import` takes over",
            other.path.display(),
            other.tool
        )?;
    }
    Ok(())
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Index(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    /// Keeps the kind of a failed read or write, and the message.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Io { source, .. } => source.kind(),
            Error::Damaged { .. } => io::ErrorKind::InvalidData,
            error if error.is_disk_full() => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// What the database says, as an error of the index. Not a conversion: which database that is, nobody is to rely on.
pub(crate) trait Indexed<T> {
    fn indexed(self) -> Result<T>;
}

impl<T> Indexed<T> for rusqlite::Result<T> {
    fn indexed(self) -> Result<T> {
        self.map_err(|error| Error::Index(IndexError(error)))
    }
}
