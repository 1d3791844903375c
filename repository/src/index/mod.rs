//! The index: what is known of all runs together. It is derived from the runs, kept in SQLite, and made anew
//! whenever it is missing, damaged or of another version.

mod coverage;
mod fold;
pub(crate) mod groups;
mod schema;
mod sync;

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::path::PathBuf;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::derive::is_unwritable;
use crate::error::{Error, Result, at};
use crate::examine::Trust;
use crate::failing::{Failing, Outstanding};
use crate::layout;
use crate::lock::Locked;
use crate::note::Note;
use crate::repository::Repository;
use crate::run::Run;
use crate::run_id::RunId;
use crate::sweep::sweep;

/// The index, open and up to date. Nobody else has it open at the same time.
pub(crate) struct Index<'a> {
    repository: &'a Repository,
    connection: Connection,
    in_memory: bool,
    /// The runs that are under way: nothing of them is in the database.
    running: RefCell<Vec<Run>>,
}

impl Repository {
    fn index_path(&self) -> PathBuf {
        self.path().join("index.sqlite")
    }

    /// Asks the index. Whatever is wrong with it does not change the answer, only how long it takes.
    pub(crate) fn with_index<T>(&self, ask: impl Fn(&Index<'_>) -> Result<T>) -> Result<T> {
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
        self.ask_on_disk(Trust::StreamAlone, &|_| Ok(()))
    }

    /// Waits until nobody else uses the index. The lock is the kernel's: it cannot be left behind.
    pub(crate) fn lock(&self) -> Result<Locked> {
        let path = self.path().join("lock");
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(at("open", &path))?;
        Locked::new(file).map_err(at("lock", &path))
    }

    fn ask_anew<T>(&self, why: &str, ask: &impl Fn(&Index<'_>) -> Result<T>) -> Result<T> {
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

    fn ask_on_disk<T>(&self, trust: Trust, ask: &impl Fn(&Index<'_>) -> Result<T>) -> Result<T> {
        let connection = schema::open(&self.index_path())?;
        self.ask_up_to_date(connection, false, trust, ask)
    }

    fn ask_in_memory<T>(&self, ask: &impl Fn(&Index<'_>) -> Result<T>) -> Result<T> {
        let connection = Connection::open_in_memory()?;
        schema::make(&connection)?;
        self.ask_up_to_date(connection, true, Trust::Results, ask)
    }

    fn ask_up_to_date<T>(
        &self,
        connection: Connection,
        in_memory: bool,
        trust: Trust,
        ask: &impl Fn(&Index<'_>) -> Result<T>,
    ) -> Result<T> {
        let index = Index { repository: self, connection, in_memory, running: RefCell::default() };
        index.sync(trust)?;
        let answer = ask(&index)?;
        if !in_memory {
            schema::shorten_log(&index.connection, &self.index_path())?;
        }
        Ok(answer)
    }
}

/// Whether the error says that something cannot be written, so that doing without helps.
fn is_about_writing(error: &Error) -> bool {
    match error {
        Error::Io { source, .. } => is_unwritable(source),
        Error::Index(error) => matches!(
            error.sqlite_error_code(),
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
    pub(crate) fn runs(&self) -> Result<Vec<Run>> {
        let mut statement =
            self.connection.prepare("SELECT id, settled, summary, sum FROM run ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut runs = self.running.borrow().clone();
        while let Some(row) = rows.next()? {
            runs.push(self.read_run(row)?);
        }
        runs.sort_by_key(|run| run.id);
        Ok(runs)
    }

    /// The run of this number.
    pub(crate) fn run(&self, id: RunId) -> Result<Option<Run>> {
        if let Some(run) = self.running.borrow().iter().find(|run| run.id == id) {
            return Ok(Some(run.clone()));
        }
        let mut statement =
            self.connection.prepare("SELECT id, settled, summary, sum FROM run WHERE id = ?")?;
        statement.query_row([id.0], |row| Ok(self.read_run(row))).optional()?.transpose()
    }

    /// The latest run that is over and of this kind, after so many others of the kind.
    pub(crate) fn latest(&self, mut before: usize, is_kind: impl Fn(&Run) -> bool) -> Result<Option<Run>> {
        let mut statement =
            self.connection.prepare("SELECT id, settled, summary, sum FROM run ORDER BY id DESC")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
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

    /// How many runs are over.
    pub(crate) fn count(&self) -> Result<usize> {
        let count: u32 = self.connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
        Ok(count as usize)
    }

    fn read_run(&self, row: &rusqlite::Row<'_>) -> Result<Run> {
        let (id, settled, summary): (u32, bool, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let run = if schema::sum_of_run(id, settled, &summary) == row.get::<_, i64>(3)? {
            serde_json::from_str(&summary).ok()
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
    pub(crate) fn failing(&self) -> Result<Failing> {
        let tests = fold::failing_tests(&self.connection, &self.repository.index_path())?;
        Ok(Failing { tests, runs: self.failing_runs()? })
    }

    /// What fails because of other runs.
    pub(crate) fn outstanding(&self, besides: RunId) -> Result<Outstanding> {
        let tests = fold::count_besides(&self.connection, &self.repository.index_path(), besides)?;
        let mut runs = self.failing_runs()?;
        runs.retain(|run| run.id != besides);
        Ok(Outstanding { tests, runs })
    }

    fn failing_runs(&self) -> Result<Vec<Run>> {
        let ids = coverage::failing_runs(&self.connection, &self.repository.index_path())?;
        ids.into_iter().filter_map(|id| self.run(id).transpose()).collect()
    }
}
