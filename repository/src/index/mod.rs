//! The index: what is known of all runs together. It is derived from the runs, kept in SQLite, and made anew
//! whenever it is missing, damaged or of another version.

mod coverage;
mod fold;
mod gone;
pub(crate) mod groups;
mod schema;
mod stand_in;
mod sync;

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::path::PathBuf;

use process::Lock;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::derive::is_unwritable;
use crate::disk;
use crate::error::{Error, Indexed, Result, at};
use crate::examine::Trust;
use crate::failing::{FailingSet, Outstanding};
use crate::layout;
use crate::note::Note;
use crate::repository::Repository;
use crate::run::StoredRun;
use crate::run_id::RunId;
use crate::sweep::sweep;

/// The index, open and up to date. Nobody else writes to it at the same time, or it is of one moment.
pub(crate) struct Index<'a> {
    repository: &'a Repository,
    connection: &'a Connection,
    in_memory: bool,
    /// The runs that are under way: nothing of them is in the database.
    running: &'a RefCell<Vec<StoredRun>>,
}

/// The index as it was at one moment: its connection is in a transaction, which sees nothing that is written later.
///
/// The lock is not held, so that a command that waits (usually for a pager) blocks nobody; SQLite keeps what the
/// transaction sees in its log.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: Connection,
    in_memory: bool,
    running: RefCell<Vec<StoredRun>>,
}

impl Snapshot {
    fn index<'a>(&'a self, repository: &'a Repository) -> Index<'a> {
        let Snapshot { connection, in_memory, running } = self;
        Index { repository, connection, in_memory: *in_memory, running }
    }
}

impl Repository {
    fn index_path(&self) -> PathBuf {
        self.path().join("index.sqlite")
    }

    /// Asks the index. Whatever is wrong with it does not change the answer, only how long it takes.
    pub(crate) fn with_index<T>(&self, ask: impl Fn(&Index<'_>) -> Result<T>) -> Result<T> {
        if let Some(moment) = self.moment() {
            return match ask(&moment.index(self)) {
                Err(error) if error.is_damage() => self.live().with_index(ask),
                asked => asked,
            };
        }
        self.with_opened(|moment| ask(&moment.index(self))).map(|(answer, _)| answer)
    }

    /// The index as it is now.
    pub(crate) fn hold_index(&self) -> Result<Snapshot> {
        let (_, moment) = self.with_opened(|moment| {
            moment.connection.execute_batch("BEGIN").indexed()?;
            // The transaction begins with its first look.
            moment.index(self).count()
        })?;
        Ok(moment)
    }

    /// Opens the index, brings it up to date and asks it; what is damaged is made anew, and what cannot be written
    /// is made in memory.
    fn with_opened<T>(&self, ask: impl Fn(&Snapshot) -> Result<T>) -> Result<(T, Snapshot)> {
        let asked = self.lock().and_then(|lock| {
            let asked = match self.ask_on_disk(Trust::Results, &ask) {
                Err(error) if error.is_damage() => self.ask_anew(&error.to_string(), &ask),
                asked => asked,
            };
            drop(lock);
            asked
        });
        match asked {
            Err(error) if is_about_writing(&error) => {
                self.note(Note::IndexNotWritten { why: error.to_string() });
                self.ask_in_memory(&ask)
            }
            asked => asked,
        }
    }

    /// Makes the index anew, from the streams alone, or from what is left of runs whose streams were pruned.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read or written.
    pub fn rebuild(&self) -> Result<()> {
        let _lock = self.lock()?;
        self.remove_index()?;
        sweep(self.path());
        self.ask_on_disk(Trust::StreamAlone, &|_| Ok(())).map(drop)
    }

    /// Waits until nobody else uses the index. The lock is the kernel's: it cannot be left behind.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.path().join("lock");
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(at("open", &path))?;
        Lock::wait_for(file).map_err(at("lock", &path))
    }

    fn ask_anew<T>(&self, why: &str, ask: &impl Fn(&Snapshot) -> Result<T>) -> Result<(T, Snapshot)> {
        self.note(Note::IndexRebuilt { why: why.to_owned() });
        self.remove_index()?;
        self.ask_on_disk(Trust::StreamAlone, ask)
    }

    pub(super) fn remove_index(&self) -> Result<()> {
        let path = self.index_path();
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.clone().into_os_string();
            name.push(end);
            layout::remove(name.as_ref())?;
        }
        Ok(())
    }

    fn ask_on_disk<T>(&self, trust: Trust, ask: &impl Fn(&Snapshot) -> Result<T>) -> Result<(T, Snapshot)> {
        let connection = schema::open(&self.index_path())?;
        self.ask_up_to_date(connection, false, trust, ask)
    }

    fn ask_in_memory<T>(&self, ask: &impl Fn(&Snapshot) -> Result<T>) -> Result<(T, Snapshot)> {
        let connection = Connection::open_in_memory().indexed()?;
        schema::make(&connection)?;
        self.ask_up_to_date(connection, true, Trust::Results, ask)
    }

    fn ask_up_to_date<T>(
        &self,
        connection: Connection,
        in_memory: bool,
        trust: Trust,
        ask: &impl Fn(&Snapshot) -> Result<T>,
    ) -> Result<(T, Snapshot)> {
        let moment = Snapshot { connection, in_memory, running: RefCell::default() };
        moment.index(self).sync(trust)?;
        if !in_memory {
            schema::shorten_log(&moment.connection, &self.index_path())?;
        }
        let answer = ask(&moment)?;
        Ok((answer, moment))
    }
}

/// Whether the error says that something cannot be written, so that doing without helps.
fn is_about_writing(error: &Error) -> bool {
    match error {
        Error::Io { source, .. } => is_unwritable(source),
        Error::Index(error) => matches!(
            error.0.sqlite_error_code(),
            Some(
                ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
            )
        ),
        _ => false,
    }
}

impl Index<'_> {
    /// All runs in order.
    pub(crate) fn runs(&self) -> Result<Vec<StoredRun>> {
        let mut statement =
            self.connection.prepare("SELECT id, settled, summary, sum FROM run ORDER BY id").indexed()?;
        let mut rows = statement.query([]).indexed()?;
        let mut runs = self.running.borrow().clone();
        while let Some(row) = rows.next().indexed()? {
            runs.push(self.read_run(row)?);
        }
        runs.sort_by_key(|run| run.id);
        Ok(runs)
    }

    /// The latest runs below this number, the latest first, at most so many.
    pub(crate) fn latest_runs(&self, before: Option<RunId>, most: usize) -> Result<Vec<StoredRun>> {
        let below = before.map_or(u32::MAX, |id| id.0);
        let mut statement = self
            .connection
            .prepare("SELECT id, settled, summary, sum FROM run WHERE id < ? ORDER BY id DESC LIMIT ?")
            .indexed()?;
        let mut rows = statement.query((below, i64::try_from(most).unwrap_or(i64::MAX))).indexed()?;
        let mut runs = self.running.borrow().clone();
        runs.retain(|run| run.id.0 < below);
        while let Some(row) = rows.next().indexed()? {
            runs.push(self.read_run(row)?);
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        runs.truncate(most);
        Ok(runs)
    }

    /// The run of this number.
    pub(crate) fn run(&self, id: RunId) -> Result<Option<StoredRun>> {
        if let Some(run) = self.running.borrow().iter().find(|run| run.id == id) {
            return Ok(Some(run.clone()));
        }
        let mut statement =
            self.connection.prepare("SELECT id, settled, summary, sum FROM run WHERE id = ?").indexed()?;
        statement.query_row([id.0], |row| Ok(self.read_run(row))).optional().indexed()?.transpose()
    }

    /// The latest run that is over and of this kind, after this many others of the kind.
    pub(crate) fn latest(
        &self,
        mut before: usize,
        is_kind: impl Fn(&StoredRun) -> bool,
    ) -> Result<Option<StoredRun>> {
        let mut statement = self
            .connection
            .prepare("SELECT id, settled, summary, sum FROM run ORDER BY id DESC")
            .indexed()?;
        let mut rows = statement.query([]).indexed()?;
        while let Some(row) = rows.next().indexed()? {
            let run = self.read_run(row)?;
            if is_kind(&run) {
                if before == 0 {
                    return Ok(Some(run));
                }
                before -= 1;
            }
        }
        Ok(None)
    }

    /// The numbers of the runs that are over, in order.
    pub(crate) fn ids_of_ended(&self) -> Result<Vec<RunId>> {
        let mut statement = self.connection.prepare("SELECT id FROM run ORDER BY id").indexed()?;
        let ids = statement.query_map([], |row| row.get(0).map(RunId)).indexed()?;
        ids.collect::<rusqlite::Result<_>>().indexed()
    }

    /// How many runs are over.
    pub(crate) fn count(&self) -> Result<usize> {
        let count: u32 =
            self.connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).indexed()?;
        Ok(count as usize)
    }

    fn read_run(&self, row: &rusqlite::Row<'_>) -> Result<StoredRun> {
        let (id, settled, summary): (u32, bool, String) =
            (row.get(0).indexed()?, row.get(1).indexed()?, row.get(2).indexed()?);
        let run = if schema::sum_of_run(id, settled, &summary) == row.get::<_, i64>(3).indexed()? {
            serde_json::from_str::<disk::StoredRun>(&summary).ok().map(StoredRun::from)
        } else {
            None
        };
        run.ok_or_else(|| {
            Error::damaged(
                &self.repository.index_path(),
                format!("its row of run {id} is not what was written"),
            )
        })
    }

    /// The tests and runs that failed and were not put right since.
    pub(crate) fn failing(&self) -> Result<FailingSet> {
        let tests = fold::failing_tests(self.connection, &self.repository.index_path())?;
        let (runs, lost) = self.failing_runs()?;
        Ok(FailingSet { tests, runs, lost })
    }

    /// What fails because of other runs.
    pub(crate) fn outstanding(&self, besides: RunId) -> Result<Outstanding> {
        let tests = fold::count_besides(self.connection, &self.repository.index_path(), besides)?;
        let (mut runs, mut lost) = self.failing_runs()?;
        [&mut runs, &mut lost].into_iter().for_each(|runs| runs.retain(|run| run.id != besides));
        Ok(Outstanding { tests, runs, lost })
    }

    /// The runs that fail as a whole, and those of which failures are lost.
    fn failing_runs(&self) -> Result<(Vec<StoredRun>, Vec<StoredRun>)> {
        let ids = coverage::failing_runs(self.connection, &self.repository.index_path())?;
        let runs = ids.into_iter().filter_map(|id| self.run(id).transpose());
        let runs: Vec<StoredRun> = runs.collect::<Result<_>>()?;
        let lost = runs.iter().filter(|run| run.lost).cloned().collect();
        Ok((runs.into_iter().filter(|run| run.counts.run_failures() > 0).collect(), lost))
    }
}
