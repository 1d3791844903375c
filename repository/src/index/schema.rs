//! The tables, and the checksums by which a changed row is noticed.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Indexed, Result};

/// Another version of the tables has another number; then the index is made anew.
const VERSION: i64 = 2;
/// How long the log gets before it is moved to the database: it is read whenever the database is opened.
const LOG: u64 = 256 * 1024;
/// How long a lock of SQLite's is waited for. Who writes holds the repository's lock, so that there is none.
const PATIENCE: Duration = Duration::from_secs(60);
const TABLES: &str = "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        -- 0: its files may say something else than this row.
        settled INTEGER NOT NULL,
        summary TEXT NOT NULL,
        sum INTEGER NOT NULL
    );
    -- The tests that fail, with the run that decided it and the facts of its row.
    CREATE TABLE failing (
        test BLOB NOT NULL, route BLOB NOT NULL, run INTEGER NOT NULL, facts BLOB NOT NULL,
        PRIMARY KEY (test, route)
    ) WITHOUT ROWID;
    -- The runs that fail as a whole.
    CREATE TABLE failing_run (run INTEGER PRIMARY KEY);
    -- The number and the sum of the rows of a table: a missing row would be a failure unseen.
    CREATE TABLE total (name TEXT PRIMARY KEY, count INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO total VALUES ('failing', 0, 0), ('failing_run', 0, 0);
    PRAGMA user_version = 2;
";

/// Opens the database, which is made if it is not there.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).indexed()?;
    connection.busy_timeout(PATIENCE).indexed()?;
    connection.pragma_update(None, "journal_mode", "wal").indexed()?;
    connection.pragma_update(None, "synchronous", "normal").indexed()?;
    // Closing does not wait for the disk. What a power failure takes from the log is derived again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).indexed()?;
    connection.pragma_update(None, "wal_autocheckpoint", 0).indexed()?;
    match connection.pragma_query_value(None, "user_version", |row| row.get(0)).indexed()? {
        VERSION => {}
        0 => make(&connection)?,
        other => return Err(Error::damaged(path, format!("it has version {other}, and this is {VERSION}"))),
    }
    Ok(connection)
}

/// Moves the log to the database, if it is long. Where somebody looks at what was there before, it waits for a later
/// time, and nobody waits for it.
pub(crate) fn shorten_log(connection: &Connection, path: &Path) -> Result<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() > LOG) {
        connection.busy_timeout(Duration::ZERO).indexed()?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).indexed()?;
        connection.busy_timeout(PATIENCE).indexed()?;
    }
    Ok(())
}

/// Makes the tables.
pub(crate) fn make(connection: &Connection) -> Result<()> {
    connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;")).indexed()
}

/// The checksum of a row of the table `run`.
pub(crate) fn sum_of_run(id: u32, settled: bool, summary: &str) -> i64 {
    sum(&[&id.to_le_bytes(), &[u8::from(settled)], summary.as_bytes()])
}

/// The checksum of the fields of a row.
pub(crate) fn sum(fields: &[&[u8]]) -> i64 {
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend((field.len() as u64).to_le_bytes());
        bytes.extend_from_slice(field);
    }
    xxh3_64(&bytes) as i64
}

/// The number and the sum of a table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    count: i64,
    sum: i64,
}

impl Total {
    pub(crate) fn add(&mut self, sum: i64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(sum);
    }

    pub(crate) fn remove(&mut self, sum: i64) {
        self.count -= 1;
        self.sum = self.sum.wrapping_sub(sum);
    }

    /// What is written of a table.
    pub(crate) fn read(connection: &Connection, table: &str) -> Result<Total> {
        let mut statement =
            connection.prepare_cached("SELECT count, sum FROM total WHERE name = ?").indexed()?;
        statement.query_row([table], |row| Ok(Total { count: row.get(0)?, sum: row.get(1)? })).indexed()
    }

    pub(crate) fn write(self, transaction: &Transaction<'_>, table: &str) -> Result<()> {
        let mut statement =
            transaction.prepare_cached("UPDATE total SET count = ?, sum = ? WHERE name = ?").indexed()?;
        statement.execute((self.count, self.sum, table)).indexed()?;
        Ok(())
    }

    /// Checks what was found against what is written.
    pub(crate) fn check(self, connection: &Connection, table: &str, path: &Path) -> Result<()> {
        if self == Total::read(connection, table)? {
            return Ok(());
        }
        Err(Error::damaged(path, format!("its table `{table}` is not what was written")))
    }
}
