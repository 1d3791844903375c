//! `dbm.sqlite3`, which Python has since 3.13, and inquest's timings in a repository of `testr`.

use std::path::Path;

use super::super::read_only;
use super::Pairs;
use anyhow::Context as _;

/// Reads the pairs.
pub(super) fn read(path: &Path) -> anyhow::Result<Pairs> {
    pairs(path).with_context(|| format!("cannot read {}", path.display()))
}

fn pairs(path: &Path) -> rusqlite::Result<Pairs> {
    let database = read_only::open(path)?;
    let mut query = database.prepare("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM Dict")?;
    let pairs = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    pairs.collect()
}
