//! The failing tests: what the runs say, one after the other, in order of their numbers.
//!
//! Runs are not always entered in that order, since one that began earlier may end later. The outcome is the
//! same: for each test, the run with the highest number that decides anything about it.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::gone::Candidate;
use super::groups::{Decision, Groups, TestKey};
use super::schema::{Total, sum};
use crate::error::{Error, Indexed, Result};
use crate::failing::Failure;
use crate::results::Results;
use crate::row::{self, Facts, Kind, Row};
use crate::run_id::RunId;

/// How many rows are looked at together.
const PAGE: usize = 1024;

/// A run that is entered.
pub(crate) struct Entry<'a> {
    pub(crate) id: RunId,
    /// The command that made it, with its arguments, where that tells which tests it ran.
    pub(crate) command: Option<(&'a str, &'a [String])>,
    /// Its exit status; 0 also where it is not known.
    pub(crate) exit: i32,
    /// Whether a test that it does not name is gone.
    pub(crate) names_all: bool,
    pub(crate) results: &'a Results,
}

/// A row of the table.
#[derive(Clone, Debug)]
struct Failed {
    key: TestKey,
    run: RunId,
    facts: Vec<u8>,
}

impl Failed {
    fn new(key: &TestKey, run: RunId, facts: &Facts) -> Self {
        let mut encoded = Vec::new();
        row::encode(&Row { id: b"", route: None, facts: *facts }, b"", &Facts::ZERO, &mut encoded);
        Failed { key: key.clone(), run, facts: encoded }
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let route: Vec<u8> = row.get(1)?;
        let key = TestKey { id: row.get(0)?, route: route.split_first().map(|(_, route)| route.to_vec()) };
        Ok(Failed { key, run: RunId(row.get(2)?), facts: row.get(3)? })
    }

    /// The route code as it is in the table: none is before any.
    fn route(&self) -> Vec<u8> {
        self.key.route.as_ref().map_or_else(Vec::new, |route| [b"/", &route[..]].concat())
    }

    fn sum(&self) -> i64 {
        sum(&[&self.key.id, &self.route(), &self.run.0.to_le_bytes(), &self.facts])
    }

    fn facts(&self) -> Option<Facts> {
        Some(row::decode(&mut &*self.facts, &mut Vec::new(), &Facts::ZERO)?.1)
    }

    fn failure(self) -> Option<Failure> {
        let facts = self.facts()?;
        let Kind::Outcome(outcome) = facts.kind else { return None };
        Some(Failure {
            test_id: String::from_utf8(self.key.id).ok()?,
            route_code: self.key.route.map(String::from_utf8).transpose().ok()?,
            run: self.run,
            outcome,
            start: facts.start,
            duration: facts.duration.map(Duration::from_nanos),
        })
    }
}

/// The tests that fail.
pub(crate) fn failing_tests(connection: &Connection, path: &Path) -> Result<Vec<Failure>> {
    let mut tests = Vec::new();
    each_failed(connection, path, |failed| {
        tests.push(failed.failure().ok_or_else(|| Error::damaged(path, "a failing test makes no sense"))?);
        Ok(())
    })?;
    Ok(tests)
}

/// How many tests fail that another run than this one decided.
pub(crate) fn count_besides(connection: &Connection, path: &Path, run: RunId) -> Result<u64> {
    let mut count = 0;
    each_failed(connection, path, |failed| {
        count += u64::from(failed.run != run);
        Ok(())
    })?;
    Ok(count)
}

/// Calls a function with each row of the table, and checks them all.
fn each_failed(
    connection: &Connection,
    path: &Path,
    mut function: impl FnMut(Failed) -> Result<()>,
) -> Result<()> {
    let mut statement =
        connection.prepare("SELECT test, route, run, facts FROM failing ORDER BY test, route").indexed()?;
    let mut rows = statement.query([]).indexed()?;
    let mut total = Total::default();
    while let Some(row) = rows.next().indexed()? {
        let failed = Failed::read(row).indexed()?;
        total.add(failed.sum());
        function(failed)?;
    }
    total.check(connection, "failing", path)
}

/// Calls a function with each test that fails.
pub(crate) fn each_candidate(
    transaction: &Transaction<'_>,
    mut function: impl FnMut(Candidate) -> Result<()>,
) -> Result<()> {
    let mut failing = Fold::new(transaction, Table::Failing)?;
    while let Some(failed) = failing.next_before_end()? {
        let marks = failed.facts().map(|facts| facts.marks).unwrap_or_default();
        function(Candidate { key: failed.key, run: failed.run, marks })?;
    }
    Ok(())
}

/// Removes tests, which are in order.
pub(crate) fn remove(transaction: &Transaction<'_>, keys: &[TestKey]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut fold = Fold::new(transaction, Table::Failing)?;
    for key in keys {
        while fold.next_before(key)?.is_some() {}
        if let Some(failed) = fold.next_if(key)? {
            let run = failed.run;
            fold.remove(&failed, run, Fails::Leave)?;
        }
    }
    fold.end()
}

/// Enters a run; `later` are the runs with higher numbers that were entered before.
pub(crate) fn enter(transaction: &Transaction<'_>, run: &Entry<'_>, later: &[Entry<'_>]) -> Result<()> {
    if later.is_empty() {
        return Fold::new(transaction, Table::Failing)?.apply(run, Fails::Enter);
    }
    // What later runs decided stays. Of the rest, what this run says holds.
    transaction
        .execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS candidate (
            test BLOB NOT NULL, route BLOB NOT NULL, run INTEGER NOT NULL, facts BLOB NOT NULL,
            PRIMARY KEY (test, route)
        ) WITHOUT ROWID;
        DELETE FROM candidate;",
        )
        .indexed()?;
    Fold::new(transaction, Table::Candidate)?.apply(run, Fails::Enter)?;
    for other in later {
        Fold::new(transaction, Table::Candidate)?.apply(other, Fails::Remove)?;
    }
    Fold::new(transaction, Table::Failing)?.apply(run, Fails::Leave)?;
    Fold::new(transaction, Table::Failing)?.take_candidates()
}

/// What becomes of a test that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    Enter,
    Remove,
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Failing,
    Candidate,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Table::Failing => "failing",
            Table::Candidate => "candidate",
        }
    }
}

/// Goes through a table of failing tests and the tests of a run side by side.
struct Fold<'a> {
    transaction: &'a Transaction<'a>,
    table: Table,
    total: Total,
    page: VecDeque<Failed>,
    /// The last row that was read; `None` at the start.
    last: Option<Failed>,
    at_end: bool,
}

impl<'a> Fold<'a> {
    fn new(transaction: &'a Transaction<'a>, table: Table) -> Result<Self> {
        let total = match table {
            Table::Failing => Total::read(transaction, table.name())?,
            Table::Candidate => Total::default(),
        };
        Ok(Fold { transaction, table, total, page: VecDeque::new(), last: None, at_end: false })
    }

    fn apply(mut self, run: &Entry<'_>, fails: Fails) -> Result<()> {
        let mut groups = Groups::new(run.results)?;
        let mut before: Vec<u8> = Vec::new();
        let mut is_first = true;
        while let Some(group) = groups.next()? {
            while let Some(failed) = self.next_before(&group.key)? {
                let is_named = failed.key.id == group.key.id || (!is_first && failed.key.id == before);
                if run.names_all && !is_named {
                    self.remove(&failed, run.id, fails)?;
                }
            }
            let known = self.next_if(&group.key)?;
            match (group.decision, known, fails) {
                (Some(Decision::Fails(facts)), known, Fails::Enter) => {
                    self.enter(Failed::new(&group.key, run.id, &facts), known)?;
                }
                (Some(Decision::Passes), Some(known), _) => self.remove(&known, run.id, fails)?,
                (Some(Decision::Fails(_)), Some(known), Fails::Remove) => {
                    self.remove(&known, run.id, fails)?
                }
                _ => {}
            }
            before.clone_from(&group.key.id);
            is_first = false;
        }
        while let Some(failed) = self.next_before_end()? {
            if run.names_all && (is_first || failed.key.id != before) {
                self.remove(&failed, run.id, fails)?;
            }
        }
        self.end()
    }

    /// Enters what is left of the candidates, all of which are newer than what the table has of them.
    fn take_candidates(mut self) -> Result<()> {
        let mut candidates = Fold::new(self.transaction, Table::Candidate)?;
        while let Some(candidate) = candidates.next_before_end()? {
            while self.next_before(&candidate.key)?.is_some() {}
            let known = self.next_if(&candidate.key)?;
            self.enter(candidate, known)?;
        }
        self.end()
    }

    fn end(self) -> Result<()> {
        match self.table {
            Table::Failing => self.total.write(self.transaction, self.table.name()),
            Table::Candidate => Ok(()),
        }
    }

    fn enter(&mut self, failed: Failed, known: Option<Failed>) -> Result<()> {
        if let Some(known) = known {
            self.total.remove(known.sum());
        }
        self.total.add(failed.sum());
        let sql = format!("INSERT OR REPLACE INTO {} VALUES (?, ?, ?, ?)", self.table.name());
        let values = (&failed.key.id, failed.route(), failed.run.0, &failed.facts);
        self.transaction.prepare_cached(&sql).indexed()?.execute(values).indexed()?;
        Ok(())
    }

    /// Removes a row, unless a later run decided it.
    fn remove(&mut self, failed: &Failed, run: RunId, fails: Fails) -> Result<()> {
        if failed.run > run && fails != Fails::Remove {
            return Ok(());
        }
        self.total.remove(failed.sum());
        let sql = format!("DELETE FROM {} WHERE test = ? AND route = ?", self.table.name());
        self.transaction
            .prepare_cached(&sql)
            .indexed()?
            .execute((&failed.key.id, failed.route()))
            .indexed()?;
        Ok(())
    }

    /// Takes the next row, if it is before this test.
    fn next_before(&mut self, key: &TestKey) -> Result<Option<Failed>> {
        let is_before = self.peek()?.is_some_and(|failed| failed.key < *key);
        Ok(if is_before { self.page.pop_front() } else { None })
    }

    /// Takes the next row, if it is about this test.
    fn next_if(&mut self, key: &TestKey) -> Result<Option<Failed>> {
        let is_it = self.peek()?.is_some_and(|failed| failed.key == *key);
        Ok(if is_it { self.page.pop_front() } else { None })
    }

    fn next_before_end(&mut self) -> Result<Option<Failed>> {
        self.peek()?;
        Ok(self.page.pop_front())
    }

    fn peek(&mut self) -> Result<Option<&Failed>> {
        if self.page.is_empty() && !self.at_end {
            self.read_page()?;
        }
        Ok(self.page.front())
    }

    fn read_page(&mut self) -> Result<()> {
        let after = if self.last.is_some() { "WHERE (test, route) > (?, ?)" } else { "WHERE ? = ?" };
        let sql = format!(
            "SELECT test, route, run, facts FROM {} {after} ORDER BY test, route LIMIT {PAGE}",
            self.table.name()
        );
        let mut statement = self.transaction.prepare_cached(&sql).indexed()?;
        let (id, route) =
            self.last.as_ref().map_or_else(Default::default, |last| (last.key.id.clone(), last.route()));
        let mut rows = statement.query((id, route)).indexed()?;
        while let Some(row) = rows.next().indexed()? {
            self.page.push_back(Failed::read(row).indexed()?);
        }
        self.at_end = self.page.len() < PAGE;
        self.last = self.page.back().cloned();
        Ok(())
    }
}
