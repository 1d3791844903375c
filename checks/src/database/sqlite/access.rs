//! How a file may be opened so that nothing is created beside it, and that what is read is so.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::database::fault::Fault;

/// With these bytes begins every database of SQLite.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The offset in its header that says how it is written and read: 2 with a write-ahead log.
const VERSIONS: std::ops::Range<usize> = 18..20;
const HEADER: usize = 100;
/// What is escaped in the name of a file.
const OTHERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::database) enum Access {
    /// It keeps a rollback journal: who reads creates nothing.
    Journal,
    /// It has a write-ahead log and an index of it, as when others have it open: neither is created or written to.
    Log,
    /// It could have a write-ahead log and has none, so nobody has it open. To open it as others do would create
    /// one; this takes no locks, so that afterwards it must be seen that it still is as it was.
    Still,
}

/// A file, and what is beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::database) struct Found {
    pub(in crate::database) access: Access,
    pub(in crate::database) is_wal: bool,
    /// Bytes of the file.
    pub(in crate::database) len: u64,
    /// Bytes of its write-ahead log.
    pub(in crate::database) wal: Option<u64>,
    changed: Option<SystemTime>,
}

impl Found {
    /// Looks at a file before it is opened: a file that is not of SQLite is not even opened.
    pub(in crate::database) fn look(path: &Path) -> Result<Self, Fault> {
        let metadata = fs::metadata(path).map_err(|error| lost(path, &error))?;
        if !metadata.is_file() {
            return Err(Fault::broken("it is not a file"));
        }
        if metadata.len() == 0 {
            return Err(Fault::broken(
                "it is empty: who opens a path where nothing is, as a hub or a careless check does, leaves such a file",
            ));
        }
        let header = header(path)?;
        if !header.starts_with(MAGIC) {
            return Err(Fault::broken("it is not an SQLite database: it does not begin as one does"));
        }
        let is_wal = header.get(VERSIONS).is_some_and(|versions| versions.contains(&2));
        Found::beside(path, &metadata, is_wal)
    }

    fn beside(path: &Path, metadata: &Metadata, is_wal: bool) -> Result<Self, Fault> {
        let wal = fs::metadata(side(path, "-wal")).ok().map(|found| found.len());
        let has_index = side(path, "-shm").exists();
        let access = match (is_wal, wal) {
            (false, _) => Access::Journal,
            (true, Some(_)) if has_index => Access::Log,
            (true, None | Some(0)) => Access::Still,
            (true, Some(_)) => {
                return Err(Fault::unknown(
                    "it has a -wal and no -shm, as a copy has: it could not be read without creating one",
                ));
            }
        };
        Ok(Found { access, is_wal, len: metadata.len(), wal, changed: metadata.modified().ok() })
    }
}

impl Access {
    /// The name by which SQLite opens a file so.
    pub(super) fn uri(self, path: &Path) -> String {
        let path = percent_encode(path.as_os_str().as_bytes(), OTHERS);
        let how = match self {
            Access::Journal => "mode=ro",
            Access::Log => "mode=ro&readonly_shm=1",
            Access::Still => "mode=ro&immutable=1",
        };
        format!("file:{path}?{how}")
    }
}

/// The file beside a database whose name ends so.
pub(super) fn side(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn header(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut header = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEADER as u64).read_to_end(&mut header));
    read.map(|_| header).map_err(|error| lost(path, &error))
}

fn lost(path: &Path, error: &std::io::Error) -> Fault {
    let finding =
        probe::failure("open", &path.display().to_string(), error.raw_os_error(), &error.to_string());
    let reason = finding.level.reason().unwrap_or_default();
    match finding.level {
        probe::Level::Unknown(_) => Fault::unknown(reason),
        _ => Fault::broken(reason),
    }
}
