//! Databases for tests.

use rusqlite::Connection;

use super::query;
use crate::database::fault::Fault;
use crate::database::state::Hub;
use crate::database::store::{Row, Store};

/// The tables and rows of a hub.
pub(crate) const HUB: &str = include_str!("../fixtures/jupyterhub-6.1.sql");

/// A hub's database, changed so.
pub(crate) fn store_with(changes: &str) -> Memory {
    let connection = Connection::open_in_memory().unwrap();
    // The fixture is changed in ways that a hub would not.
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(HUB).unwrap();
    connection.execute_batch(changes).unwrap();
    Memory(connection)
}

/// What a hub's database says, changed so.
pub(crate) fn hub_with(changes: &str) -> Hub {
    Hub::read(&mut store_with(changes)).unwrap()
}

/// A database in memory.
pub(crate) struct Memory(Connection);

impl Store for Memory {
    fn rows(&mut self, sql: &str) -> Result<Vec<Row>, Fault> {
        query(&self.0, sql).map_err(|error| Fault::broken(error.to_string()))
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>, Fault> {
        let rows = self.rows(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
