//! The runs that fail as a whole, and the runs that put them right.

use std::path::Path;

use rusqlite::{Connection, Transaction};
use streamresult::DAMAGE_ID;

use super::fold::Entry;
use super::groups::{Decision, Group, Groups};
use super::schema::{Total, sum};
use super::stand_in::{self, Scope};
use crate::error::{Indexed, Result};
use crate::run_id::RunId;

const TABLE: &str = "failing_run";

/// The runs that fail as a whole.
pub(crate) fn failing_runs(connection: &Connection, path: &Path) -> Result<Vec<RunId>> {
    let ids = read(connection)?;
    let mut total = Total::default();
    ids.iter().for_each(|id| total.add(sum_of(*id)));
    total.check(connection, TABLE, path)?;
    Ok(ids)
}

fn read(connection: &Connection) -> Result<Vec<RunId>> {
    let mut statement = connection.prepare_cached("SELECT run FROM failing_run ORDER BY run").indexed()?;
    let ids = statement.query_map([], |row| row.get(0).map(RunId)).indexed()?;
    ids.collect::<rusqlite::Result<_>>().indexed()
}

fn sum_of(id: RunId) -> i64 {
    sum(&[&id.0.to_le_bytes()])
}

/// Enters a run that fails as a whole.
pub(crate) fn enter(transaction: &Transaction<'_>, id: RunId) -> Result<()> {
    let mut total = Total::read(transaction, TABLE)?;
    total.add(sum_of(id));
    transaction.prepare_cached("INSERT INTO failing_run VALUES (?)").indexed()?.execute([id.0]).indexed()?;
    total.write(transaction, TABLE)
}

/// The runs before this one that fail as a whole.
pub(crate) fn before(transaction: &Transaction<'_>, id: RunId) -> Result<Vec<RunId>> {
    let mut ids = read(transaction)?;
    ids.retain(|other| *other < id);
    Ok(ids)
}

/// A run that failed as a whole was put right.
pub(crate) fn remove(transaction: &Transaction<'_>, id: RunId) -> Result<()> {
    let mut total = Total::read(transaction, TABLE)?;
    total.remove(sum_of(id));
    transaction
        .prepare_cached("DELETE FROM failing_run WHERE run = ?")
        .indexed()?
        .execute([id.0])
        .indexed()?;
    total.write(transaction, TABLE)
}

/// Whether `newer` ran every test of a part that `older` ran, but those that it says are gone and what is no test; and
/// any test of it at all.
pub(crate) fn covers(newer: &Entry<'_>, older: &Entry<'_>, scope: &Scope) -> Result<Covered> {
    let (mut new, mut old) = (Tests::new(newer, scope)?, Tests::new(older, scope)?);
    let mut covered = Covered { is_all: true, has_run: false, has_failed: false };
    let mut there = new.next()?;
    while let Some(was) = old.next()? {
        while let Some(test) = there.as_ref().filter(|test| test.id < was.id) {
            covered.add(test);
            there = new.next()?;
        }
        let has_run = match there.as_ref().filter(|test| test.id == was.id) {
            Some(test) => test.has_run,
            None => newer.names_all,
        };
        covered.is_all &= has_run || !was.has_run || was.is_stand_in || was.id == DAMAGE_ID.as_bytes();
    }
    while let Some(test) = there {
        covered.add(&test);
        there = new.next()?;
    }
    Ok(covered)
}

/// What a run has of the tests of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Covered {
    /// Every test of the other, as far as it still is.
    is_all: bool,
    has_run: bool,
    has_failed: bool,
}

impl Covered {
    fn add(&mut self, test: &Test) {
        self.has_run |= test.has_run;
        self.has_failed |= test.has_failed;
    }

    /// Whether it ran them all, whatever became of them.
    pub(crate) fn is_whole(self) -> bool {
        self.is_all && self.has_run
    }

    /// Whether it ran them all, and none failed.
    pub(crate) fn is_green(self) -> bool {
        self.is_whole() && !self.has_failed
    }
}

/// A test of a run, wherever it ran in it.
#[derive(Clone, Debug)]
struct Test {
    id: Vec<u8>,
    has_run: bool,
    has_failed: bool,
    is_stand_in: bool,
}

impl Test {
    fn of(group: &Group) -> Test {
        let fails = match group.decision {
            Some(Decision::Fails(facts)) => Some(facts.marks),
            _ => None,
        };
        Test {
            id: group.key.id.clone(),
            has_run: group.has_run,
            has_failed: fails.is_some(),
            is_stand_in: fails.is_some_and(|marks| stand_in::is_stand_in(&group.key, marks)),
        }
    }
}

/// The tests of a part of a run, each once.
struct Tests<'a> {
    groups: Groups<'a>,
    scope: &'a Scope,
    next: Option<Test>,
}

impl<'a> Tests<'a> {
    fn new(run: &Entry<'a>, scope: &'a Scope) -> Result<Self> {
        let mut tests = Tests { groups: Groups::new(run.results)?, scope, next: None };
        tests.next()?;
        Ok(tests)
    }

    fn next(&mut self) -> Result<Option<Test>> {
        let mut current = self.next.take();
        while let Some(group) = self.groups.next()? {
            if !self.scope.has(&group.key) {
                continue;
            }
            let test = Test::of(group);
            match &mut current {
                Some(known) if known.id == test.id => {
                    known.has_run |= test.has_run;
                    known.has_failed |= test.has_failed;
                    known.is_stand_in &= test.is_stand_in;
                }
                _ => {
                    self.next = Some(test);
                    break;
                }
            }
        }
        Ok(current)
    }
}
