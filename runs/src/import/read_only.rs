//! Databases of others, opened so that nothing is written beside them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// Opens a SQLite database for reading.
///
/// To read one that keeps a log, SQLite makes files beside it. Where the log is empty or not there, all is in the
/// database itself, and it may be read as what nobody changes.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let Some(text) = path.to_str().filter(|_| !has_log(path)) else {
        return Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    };
    let text = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Connection::open_with_flags(format!("file:{text}?immutable=1"), flags)
}

fn has_log(path: &Path) -> bool {
    let mut log = OsString::from(path);
    log.push("-wal");
    fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_beside_a_database_that_keeps_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b%?#.sqlite");
        let made = Connection::open(&path).unwrap();
        made.pragma_update(None, "journal_mode", "wal").unwrap();
        made.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (7)").unwrap();
        drop(made);
        let database = open(&path).unwrap();
        let found: i64 = database.query_row("SELECT n FROM t", (), |row| row.get(0)).unwrap();
        assert_eq!((found, fs::read_dir(folder.path()).unwrap().count()), (7, 1));
    }
}
