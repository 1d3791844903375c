//! The runs that fail as a whole, and the runs that put them right.

use std::path::Path;

use rusqlite::{Connection, Transaction};
use streamresult::DAMAGE_ID;

use super::fold::Entry;
use super::groups::Groups;
use super::schema::{Total, sum};
use crate::error::Result;
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
    let mut statement = connection.prepare_cached("SELECT run FROM failing_run ORDER BY run")?;
    let ids = statement.query_map([], |row| row.get(0).map(RunId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

fn sum_of(id: RunId) -> i64 {
    sum(&[&id.0.to_le_bytes()])
}

/// Enters a run that fails as a whole.
pub(crate) fn enter(transaction: &Transaction<'_>, id: RunId) -> Result<()> {
    let mut total = Total::read(transaction, TABLE)?;
    total.add(sum_of(id));
    transaction.prepare_cached("INSERT INTO failing_run VALUES (?)")?.execute([id.0])?;
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
    transaction.prepare_cached("DELETE FROM failing_run WHERE run = ?")?.execute([id.0])?;
    total.write(transaction, TABLE)
}

/// Whether `newer` ran every test that `older` ran, but those that it says are gone; and any test at all.
pub(crate) fn covers(newer: &Entry<'_>, older: &Entry<'_>) -> Result<bool> {
    let (mut new, mut old) = (Tests::new(newer)?, Tests::new(older)?);
    let mut has_run = false;
    let mut there = new.next()?;
    while let Some((id, ran)) = old.next()? {
        while let Some((_, ran)) = there.as_ref().filter(|(other, _)| *other < id) {
            has_run |= *ran;
            there = new.next()?;
        }
        let is_covered = match there.as_ref().filter(|(other, _)| *other == id) {
            Some((_, ran)) => *ran,
            None => newer.names_all,
        };
        if ran && !is_covered && id != DAMAGE_ID.as_bytes() {
            return Ok(false);
        }
    }
    while let Some((_, ran)) = there {
        has_run |= ran;
        there = new.next()?;
    }
    Ok(has_run)
}

/// The ids of a run, each with whether it ran anywhere.
struct Tests<'a> {
    groups: Groups<'a>,
    next: Option<(Vec<u8>, bool)>,
}

impl<'a> Tests<'a> {
    fn new(run: &Entry<'a>) -> Result<Self> {
        let mut groups = Groups::new(run.results)?;
        let next = groups.next()?.map(|group| (group.key.id.clone(), group.has_run));
        Ok(Tests { groups, next })
    }

    fn next(&mut self) -> Result<Option<(Vec<u8>, bool)>> {
        let Some((id, mut ran)) = self.next.take() else { return Ok(None) };
        while let Some(group) = self.groups.next()? {
            if group.key.id != id {
                self.next = Some((group.key.id.clone(), group.has_run));
                break;
            }
            ran |= group.has_run;
        }
        Ok(Some((id, ran)))
    }
}
