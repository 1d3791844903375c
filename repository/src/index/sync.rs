//! Brings the index up to date with the runs on disk.

use rusqlite::Transaction;

use super::fold::{self, Entry};
use super::stand_in::Scope;
use super::{Index, coverage, gone, schema};
use crate::derive::ResultsDestination;
use crate::disk;
use crate::error::{Error, Indexed, Result};
use crate::examine::{Examined, Trust, examine};
use crate::layout;
use crate::note::Note;
use crate::results::Results;
use crate::run::{RunState, Stored, StoredRun};
use crate::run_id::RunId;

impl Index<'_> {
    /// Enters what is not in the index yet, or has changed.
    pub(super) fn sync(&self, trust: Trust) -> Result<()> {
        let on_disk = layout::run_ids(self.repository.path())?;
        let mut known = self.known()?;
        let destination =
            if self.in_memory { ResultsDestination::TemporaryFile } else { ResultsDestination::RunFolder };
        let transaction = self.connection.unchecked_transaction().indexed()?;
        // A run that was removed by hand takes with it what it decided.
        if known.iter().any(|(id, _)| on_disk.binary_search(id).is_err()) {
            transaction.execute_batch(
                "DELETE FROM run; DELETE FROM failing; DELETE FROM failing_run; UPDATE total SET count = 0, sum = 0;",
            ).indexed()?;
            known.clear();
        }
        for id in on_disk {
            let settled = known.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| known.get(at));
            if settled.is_some_and(|(_, settled)| *settled) {
                continue;
            }
            let Examined { run, results } = examine(id, &self.repository.folder(id), trust, destination)?;
            let Some(results) = results else {
                self.running.borrow_mut().push(run);
                continue;
            };
            self.tell(&run);
            write_run(&transaction, &run, true)?;
            if settled.is_none() {
                self.enter(&transaction, &run, &results)?;
            }
        }
        transaction.commit().indexed()
    }

    /// The runs in the index, each with whether it is settled.
    fn known(&self) -> Result<Vec<(RunId, bool)>> {
        let mut statement =
            self.connection.prepare_cached("SELECT id, settled FROM run ORDER BY id").indexed()?;
        let known = statement.query_map([], |row| Ok((RunId(row.get(0)?), row.get(1)?))).indexed()?;
        known.collect::<rusqlite::Result<_>>().indexed()
    }

    /// Tells what is not as it should be with a run.
    fn tell(&self, run: &StoredRun) {
        match run.state {
            _ if run.lost => self.repository.note(Note::FailuresLost(run.id)),
            RunState::Incomplete if run.end.is_none() => {
                self.repository.note(Note::Recovered { run: run.id, bytes: run.bytes, tail: run.tail });
            }
            RunState::Damaged if run.end.is_none() => self.repository.note(Note::RecordLost(run.id)),
            RunState::Damaged if run.stored != Stored::Pruned => {
                self.repository.note(Note::StreamDamaged(run.id));
            }
            _ => {}
        }
    }

    /// What the files of these runs say is about to change: until they are entered again, their rows are not believed.
    pub(crate) fn unsettle(&self, ids: &[RunId]) -> Result<()> {
        if self.in_memory {
            // What is on disk cannot be written, but perhaps removed.
            let _lock = self.repository.lock();
            return self.repository.remove_index();
        }
        let transaction = self.connection.unchecked_transaction().indexed()?;
        for id in ids {
            if let Some(run) = self.run(*id)? {
                write_run(&transaction, &run, false)?;
            }
        }
        transaction.commit().indexed()
    }

    fn enter(&self, transaction: &Transaction<'_>, run: &StoredRun, results: &Results) -> Result<()> {
        let later = self.later(run.id)?;
        let entry = entry(run, results);
        let later: Vec<_> = later.iter().map(|(run, results)| (run, self::entry(run, results))).collect();
        if run.fails_as_a_whole() {
            let mut put_right = false;
            for (other, later) in &later {
                put_right |= can_put_right(other) && covers(later, run, &entry)?;
            }
            if !put_right {
                coverage::enter(transaction, run.id)?;
            }
        } else if can_put_right(run) {
            for id in coverage::before(transaction, run.id)? {
                let (older, results) = self.open(id)?;
                if covers(&entry, &older, &self::entry(&older, &results))? {
                    coverage::remove(transaction, id)?;
                }
            }
        }
        self.settle(transaction, (run, entry), later)
    }

    /// Enters the tests that fail, and takes out those that are put right without being named.
    fn settle(
        &self,
        transaction: &Transaction<'_>,
        (run, entry): (&StoredRun, Entry<'_>),
        later: Vec<(&StoredRun, Entry<'_>)>,
    ) -> Result<()> {
        let (later_runs, later): (Vec<_>, Vec<_>) = later.into_iter().unzip();
        fold::enter(transaction, &entry, &later)?;
        let open = |id| self.open(id);
        if can_put_right(run) {
            gone::settle(transaction, &entry, |_| true, open)?;
        }
        for (other, later) in later_runs.into_iter().zip(&later) {
            if can_put_right(other) {
                gone::settle(transaction, later, |id| id == run.id, open)?;
            }
        }
        Ok(())
    }

    /// The runs with higher numbers that are in the index.
    fn later(&self, id: RunId) -> Result<Vec<(StoredRun, Results)>> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM run WHERE id > ? ORDER BY id").indexed()?;
        let ids = statement.query_map([id.0], |row| row.get(0).map(RunId)).indexed()?;
        ids.map(|id| self.open(id.indexed()?)).collect()
    }

    fn open(&self, id: RunId) -> Result<(StoredRun, Results)> {
        let run = self.run(id)?.ok_or(Error::NoSuchRun(id))?;
        Ok((run, self.repository.results(id)?))
    }
}

pub(super) fn entry<'a>(run: &'a StoredRun, results: &'a Results) -> Entry<'a> {
    let names_all =
        run.state == RunState::Complete && run.end.as_ref().is_some_and(|end| end.names_all_tests);
    let command = run.info.command.as_deref().filter(|_| !run.info.is_selection);
    let command = command.map(|command| (command, &*run.info.arguments));
    let exit = run.end.as_ref().and_then(|end| end.exit).unwrap_or_default();
    Entry { id: run.id, command, exit, names_all, results }
}

fn can_put_right(run: &StoredRun) -> bool {
    run.state == RunState::Complete && run.counts.run_failures() == 0
}

/// Whether a run covers an older one. Of one of which failures are lost it is not known what there is to cover, but
/// for a run that names all tests.
fn covers(newer: &Entry<'_>, older: &StoredRun, results: &Entry<'_>) -> Result<bool> {
    Ok((newer.names_all || !older.lost) && coverage::covers(newer, results, &Scope::Run)?.is_whole())
}

fn write_run(transaction: &Transaction<'_>, run: &StoredRun, settled: bool) -> Result<()> {
    let summary = serde_json::to_string(&disk::StoredRun::from(run.clone()))
        .map_err(|error| Error::damaged("run".as_ref(), error.to_string()))?;
    let sum = schema::sum_of_run(run.id.0, settled, &summary);
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?)").indexed()?;
    statement.execute((run.id.0, settled, summary, sum)).indexed()?;
    Ok(())
}
