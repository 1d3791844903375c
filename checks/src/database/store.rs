//! What is asked of a database, whatever it is.

use super::fault::Fault;

/// A row: each value as a text, or none.
pub(super) type Row = Vec<Option<String>>;

/// A database that is open.
pub(super) trait Store {
    /// All rows that a query gives.
    fn rows(&mut self, sql: &str) -> Result<Vec<Row>, Fault>;

    /// The columns of a table, none when there is no such table.
    fn columns(&mut self, table: &str) -> Result<Vec<String>, Fault>;

    /// Begins to read: all that is read from now on is of one moment.
    fn begin(&mut self) -> Result<(), Fault>;

    /// Has read.
    fn end(&mut self) -> Result<(), Fault>;

    /// Where a table may be that is not found: what there is to say about it.
    fn hint(&self) -> &'static str {
        ""
    }

    /// These columns of a table. The schema changes from release to release: a column that the table does not have
    /// gives no values.
    fn select(&mut self, table: &str, columns: &[&str]) -> Result<Vec<Row>, Fault> {
        let found = self.columns(table)?;
        if found.is_empty() {
            return Err(Fault::broken(format!("it has no table {table}{}", self.hint())));
        }
        let column = |name: &&str| match found.iter().any(|other| other == name) {
            true => format!("CAST(\"{name}\" AS TEXT)"),
            false => "NULL".to_owned(),
        };
        let columns: Vec<_> = columns.iter().map(column).collect();
        self.rows(&format!("SELECT {} FROM \"{table}\"", columns.join(", ")))
    }
}

/// A field of a row.
pub(super) fn text(row: &Row, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}

/// A field of a row that is a number.
pub(super) fn number<T: std::str::FromStr>(row: &Row, index: usize) -> Option<T> {
    text(row, index).parse().ok()
}
