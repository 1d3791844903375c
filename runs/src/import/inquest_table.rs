//! The tables of `inq`: what it knows of its runs.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use formats::time::parse_rfc3339;
use repository::{Git, RunInfo};
use rusqlite::Connection;
use rusqlite::types::FromSql;

use super::read_only;
use subunit::Timestamp;

/// The version of the tables that is known.
const SCHEMA: i64 = 1;

/// What is in the tables.
pub(super) struct Table {
    /// In order of their numbers.
    pub(super) runs: Vec<Row>,
    /// The ids of tests that fail.
    pub(super) failing: BTreeSet<String>,
}

/// A run.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) seconds: Option<f64>,
    pub(super) exit: Option<i32>,
    pub(super) command: Option<String>,
    git: Option<Git>,
    workers: Option<u32>,
    arguments: Vec<String>,
}

impl Table {
    pub(super) fn read(path: &Path) -> anyhow::Result<Table> {
        let failed = || format!("cannot read {}", path.display());
        let database = read_only::open(path).with_context(failed)?;
        let schema: i64 = database
            .query_row("SELECT version FROM schema_version", (), |row| row.get(0))
            .with_context(failed)?;
        if schema != SCHEMA {
            bail!("{} has tables of version {schema}, and only {SCHEMA} is known", path.display());
        }
        let runs = runs(&database).with_context(failed)?;
        let failing = failing(&database).with_context(failed)?;
        Ok(Table { runs, failing })
    }
}

fn runs(database: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut query = database.prepare("SELECT * FROM runs ORDER BY id")?;
    query.query_map((), row)?.collect()
}

fn failing(database: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut query = database.prepare("SELECT test_id FROM failing_tests")?;
    query.query_map((), |row| row.get(0))?.collect()
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let commit: Option<String> = optional(row, "git_commit");
    let dirty = optional(row, "git_dirty").unwrap_or(false);
    let timestamp: Option<String> = optional(row, "timestamp");
    let arguments: Option<String> = optional(row, "test_args");
    let profile: Option<String> = optional(row, "profile");
    let arguments = arguments.map(list).unwrap_or_default();
    Ok(Row {
        id: row.get("id")?,
        timestamp: timestamp.as_deref().and_then(parse_rfc3339),
        seconds: optional(row, "duration_secs"),
        exit: optional(row, "exit_code"),
        command: optional(row, "command"),
        git: commit.map(|commit| Git { commit, branch: None, dirty: Some(dirty) }),
        workers: optional(row, "concurrency"),
        arguments: profile.map(|name| format!("--profile={name}")).into_iter().chain(arguments).collect(),
    })
}

/// A column that may be absent: earlier versions of inq did not have all of them.
fn optional<T: FromSql>(row: &rusqlite::Row<'_>, column: &str) -> Option<T> {
    row.get::<_, Option<T>>(column).ok().flatten()
}

/// Arguments are a list in JSON.
fn list(text: String) -> Vec<String> {
    serde_json::from_str(&text).unwrap_or_else(|_| vec![text])
}

impl Row {
    pub(super) fn info(&self, start: Timestamp) -> RunInfo {
        RunInfo {
            command: self.command.clone(),
            arguments: self.arguments.clone(),
            start: Some(start),
            git: self.git.clone(),
            workers: self.workers,
            ..RunInfo::default()
        }
    }
}
