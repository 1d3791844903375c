//! SQLite: a file that others write to while it is looked at.

mod access;
pub(super) mod locks;
mod look;
#[cfg(test)]
pub(super) mod testing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use super::fault::{Fault, Kind};
use super::store::{Row, Store};
pub(super) use access::{Access, Found};
pub(super) use look::{Budget, foreign_keys, integrity, size};

/// The result codes that say more than the basic ones.
const READONLY_RECOVERY: i32 = 8 | (1 << 8);
const READONLY_ROLLBACK: i32 = 8 | (3 << 8);
const READONLY_CANTINIT: i32 = 8 | (5 << 8);

/// A file that is open to be read.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    found: Found,
}

impl Sqlite {
    /// Opens a file as it was found. Creates nothing; nothing is read yet.
    pub(super) fn open(path: &Path, found: &Found, patience: Duration) -> Result<Self, Fault> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let uri = found.access.uri(path);
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| fault(&error, path))?;
        let prepare = || {
            connection.busy_timeout(patience)?;
            connection.pragma_update(None, "query_only", true)
        };
        prepare().map_err(|error| fault(&error, path))?;
        Ok(Sqlite { connection, path: path.to_owned(), found: found.clone() })
    }

    /// How many tables and indexes there are: the first thing that is really read.
    pub(super) fn tables(&mut self) -> Result<u32, Fault> {
        let rows = self.rows("SELECT count(*) FROM sqlite_master")?;
        Ok(rows.first().and_then(|row| super::store::number(row, 0)).unwrap_or_default())
    }

    /// Whether all that was read is of the file as it was found.
    pub(super) fn verify(&self) -> Result<(), Fault> {
        if self.found.access != Access::Still || Found::look(&self.path).is_ok_and(|now| now == self.found) {
            return Ok(());
        }
        Err(Fault::unknown("somebody opened it while it was looked at; look again"))
    }

    fn fault(&self, error: &Error) -> Fault {
        fault(error, &self.path)
    }
}

impl Store for Sqlite {
    fn rows(&mut self, sql: &str) -> Result<Vec<Row>, Fault> {
        query(&self.connection, sql).map_err(|error| self.fault(&error))
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>, Fault> {
        let rows = self.rows(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("BEGIN").map_err(|error| self.fault(&error))
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("ROLLBACK").map_err(|error| self.fault(&error))?;
        self.verify()
    }

    fn hint(&self) -> &'static str {
        match self.found {
            Found { access: Access::Still, is_wal: true, .. } => {
                "; it is in WAL mode and has no -wal: is it a copy of the main file alone?"
            }
            _ => "",
        }
    }
}

fn query(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Row>> {
    let mut all = Vec::new();
    each_row(connection, sql, |row| all.push(row))?;
    Ok(all)
}

/// Does something with each row that a query gives before it ends, or fails.
fn each_row(connection: &Connection, sql: &str, mut action: impl FnMut(Row)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let count = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        action((0..count).map(|index| row.get_ref(index).map(shown)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(())
}

fn shown(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// What an error says of the database.
fn fault(error: &Error, path: &Path) -> Fault {
    let Error::SqliteFailure(code, message) = error else { return Fault::broken(error.to_string()) };
    let text = message.clone().unwrap_or_else(|| code.to_string());
    match (code.code, code.extended_code) {
        (_, READONLY_ROLLBACK) => Fault::broken(
            "it needs recovery: somebody who wrote to it died on the way and left a hot journal, which the next one \
             who opens it to write will roll back (SQLITE_READONLY_ROLLBACK)",
        ),
        (_, READONLY_RECOVERY | READONLY_CANTINIT) => {
            Fault::unknown(format!("its -wal cannot be read: {text}"))
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
            Fault::new(Kind::Locked, format!("it is locked{}: {text}", locks::holders(path)))
        }
        (ErrorCode::OperationInterrupted, _) => Fault::new(Kind::Late, text),
        (ErrorCode::NotADatabase, _) => Fault::broken(format!("it is not an SQLite database: {text}")),
        (ErrorCode::DatabaseCorrupt, _) => Fault::broken(format!("it is damaged: {text} (SQLITE_CORRUPT)")),
        (ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied, _) => Fault::unknown(text),
        _ => Fault::broken(format!("{text} (SQLite's error {})", code.extended_code)),
    }
}

#[cfg(test)]
mod tests;
