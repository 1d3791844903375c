//! The durations that `testr` and `stestr` keep beside their runs, in whatever database Python had.

mod dumb;
mod gdbm;
mod sqlite;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Test ids, as the database has them, and how long the tests took.
pub(super) type Timings = HashMap<String, Duration>;

/// Reads the database of this name in a folder: `times.dbm`, in one file or in several. There may be none.
pub(super) fn read(folder: &Path) -> anyhow::Result<Timings> {
    let pairs = pairs(folder, "times.dbm")?;
    pairs.into_iter().map(|(key, value)| Ok((text(key)?, duration(&text(value)?)?))).collect()
}

/// Reads a database of strings, such as `meta.dbm`. There may be none.
pub(super) fn strings(folder: &Path, name: &str) -> anyhow::Result<HashMap<String, String>> {
    pairs(folder, name)?.into_iter().map(|(key, value)| Ok((text(key)?, text(value)?))).collect()
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// All pairs of a database. Python looks for one of the kind `dumb` first, whatever else there is.
fn pairs(folder: &Path, name: &str) -> anyhow::Result<Pairs> {
    let [dat, dir, plain] = [".dat", ".dir", ""].map(|end| folder.join(format!("{name}{end}")));
    if dat.is_file() && dir.is_file() {
        return dumb::read(&dir, &dat);
    }
    let bytes = match fs::read(&plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return none(folder, name),
        bytes => bytes.with_context(|| format!("cannot read {}", plain.display()))?,
    };
    if bytes.is_empty() {
        return Ok(Pairs::new());
    }
    if bytes.starts_with(b"SQLite format 3\0") {
        return sqlite::read(&plain);
    }
    match gdbm::read(&bytes) {
        Some(pairs) => pairs.with_context(|| format!("{} is damaged", plain.display())),
        None => bail!("{} is neither GNU dbm (of 64 bits, little-endian) nor SQLite", plain.display()),
    }
}

/// There is no database, or one of a kind that nobody reads without its C library.
fn none(folder: &Path, name: &str) -> anyhow::Result<Pairs> {
    for end in [".db", ".pag"] {
        let other = folder.join(format!("{name}{end}"));
        if other.is_file() {
            bail!("{} is a database of ndbm, which is not read here", other.display());
        }
    }
    Ok(Pairs::new())
}

fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    String::from_utf8(bytes).context("a string in it is not UTF-8")
}

/// A number of seconds, as Python writes it.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let seconds: f64 = text.trim().parse().with_context(|| format!("{text:?} is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{text:?} is not a duration"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::testing::corpus;

    fn check(repository: &str, id: &str, nanoseconds: u64) {
        let timings = read(&corpus(repository)).unwrap();
        assert_eq!(timings.len(), 6, "{timings:?}");
        assert_eq!(timings.get(id), Some(&Duration::from_nanos(nanoseconds)));
    }

    #[test]
    fn databases_of_all_kinds_are_read() {
        for repository in
            ["testr/.testrepository", "testr-gdbm/.testrepository", "testr-sqlite/.testrepository"]
        {
            check(repository, "net.tést[café]", 1_000_001_000);
            check(repository, "it's \"quoted\" \\ x", 62_500_000);
            check(repository, "db.skip", 0);
        }
        check("stestr/.stestr", "net.tést", 1_000_001_000);
    }

    #[test]
    fn no_database_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, bytes: &[u8], expected: &str| {
            fs::write(folder.path().join(name), bytes).unwrap();
            let error = format!("{:#}", read(folder.path()).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check("times.dbm.db", b"x", "ndbm");
        check("times.dbm", b"\xcf\x9a\x57\x13", "damaged: it ends too early");
        check("times.dbm", b"something else", "neither GNU dbm");
        check("times.dbm", b"SQLite format 3\0 and no more", "times.dbm");
        fs::write(folder.path().join("times.dbm.dat"), b"soon").unwrap();
        check("times.dbm.dir", b"'a', (0, 4)\n", "\"soon\" is not a number of seconds");
        check("times.dbm.dir", b"'a', (0, 9)\n", "outside");
    }
}
