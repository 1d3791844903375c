//! The repository itself: how it is found, made and opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result, at};
use crate::foreign::Foreign;
use crate::index::Snapshot;
use crate::layout::{self, FOLDER, RUNS, RunFolder};
use crate::note::Note;
use crate::run::{RunEnd, RunInfo, RunState, Standing, StoredRun};
use crate::run_id::{RunId, RunRef};
use crate::stream::StreamReader;
use crate::writer::RunWriter;

/// Runs of tests, on disk. Cheap to clone; any number of processes and threads may use it at the same time.
///
/// ```
/// use repository::{Repository, RunEnd, RunInfo, RunRef, Standing};
///
/// # let folder = tempfile::tempdir()?;
/// let repository = Repository::init(&folder)?;
/// let stream: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let run = repository.load(stream, RunInfo::default(), RunEnd::default())?;
/// // The test was only announced.
/// assert_eq!(run.standing(), Standing::Empty);
/// assert_eq!(repository.run(RunRef::LATEST)?, run);
/// assert!(repository.failing()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Repository {
    path: PathBuf,
    notes: Arc<Mutex<Vec<Note>>>,
    /// The snapshot that all answers come from, if this is one.
    moment: Option<Arc<Mutex<Snapshot>>>,
}

impl Repository {
    /// Makes a repository in `folder`: the folder `.subunit` in it.
    ///
    /// # Errors
    ///
    /// When there is one already ([`Error::Exists`]), or it cannot be written.
    pub fn init(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(FOLDER);
        if path.exists() {
            return Err(Error::Exists(path));
        }
        // It appears whole, or not at all.
        let new = layout::new_folder(folder, ".subunit-new-")?;
        layout::write_format(new.path())?;
        // Runs belong to the machine that they ran on, and not into a project's history.
        layout::replace(&new.path().join(".gitignore"), b"*\n")?;
        let runs = new.path().join(RUNS);
        fs::create_dir(&runs).map_err(at("make", &runs))?;
        match fs::rename(new.path(), &path) {
            Err(error) if layout::is_taken(&error) => return Err(Error::Exists(path)),
            renamed => renamed.map_err(at("make", &path))?,
        }
        let _ = new.keep();
        layout::sync_folder(folder)?;
        Repository::open(folder)
    }

    /// Opens the repository in `folder`, or the one that `folder` is.
    ///
    /// # Errors
    ///
    /// When there is none ([`Error::NoRepository`]; it names those of other tools), or it is not one of ours
    /// ([`Error::NotARepository`]), or one of a newer version ([`Error::Newer`]).
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let inside = folder.join(FOLDER);
        let path = if inside.is_dir() {
            inside
        } else if folder.file_name() == Some(FOLDER.as_ref()) && folder.is_dir() {
            folder.to_owned()
        } else {
            return Err(Error::NoRepository {
                start: folder.to_owned(),
                foreign: Foreign::in_folder(folder),
            });
        };
        layout::check_format(&path)?;
        Ok(Repository { path, notes: Arc::default(), moment: None })
    }

    /// Opens the repository in `start` or the nearest folder above that has one.
    ///
    /// # Errors
    ///
    /// As [`open`](Repository::open); repositories of other tools on the way up are named.
    pub fn find(start: impl AsRef<Path>) -> Result<Self> {
        let start = start.as_ref();
        let absolute = std::path::absolute(start).map_err(at("find", start))?;
        let mut foreign = Vec::new();
        for folder in absolute.ancestors() {
            if folder.join(FOLDER).is_dir() {
                return Repository::open(folder);
            }
            foreign.extend(Foreign::in_folder(folder));
        }
        Err(Error::NoRepository { start: start.to_owned(), foreign })
    }

    /// The folder `.subunit`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the repository is in.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Repositories of other tools next to this one.
    #[must_use]
    pub fn foreign(&self) -> Vec<Foreign> {
        Foreign::in_folder(self.root())
    }

    /// What happened besides since the last call, and should be reported: an index that was made anew, a run that
    /// was recovered.
    #[must_use]
    pub fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self, note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// The repository as it is now: whatever is asked of the snapshot, all answers are of this moment, while others
    /// load runs and prune them. It blocks nobody. What is written through it goes to the repository, and does
    /// not show in the snapshot.
    ///
    /// Streams and results are read when they are asked for: the stream of a run that was pruned since is
    /// [`Error::Pruned`], one that is under way has what came since.
    ///
    /// ```
    /// use repository::{Repository, RunEnd, RunInfo, RunRef};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let repository = Repository::init(&folder)?;
    /// let before = repository.snapshot()?;
    /// repository.load(&b""[..], RunInfo::default(), RunEnd::default())?;
    /// assert_eq!((before.runs()?.len(), repository.runs()?.len()), (0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn snapshot(&self) -> Result<Repository> {
        let moment = self.live().hold_index()?;
        Ok(Repository { moment: Some(Arc::new(Mutex::new(moment))), ..self.live() })
    }

    /// The repository as it is whenever it is asked.
    pub(crate) fn live(&self) -> Repository {
        Repository { path: self.path.clone(), notes: Arc::clone(&self.notes), moment: None }
    }

    /// Whether all answers are of one moment.
    pub(crate) fn is_snapshot(&self) -> bool {
        self.moment.is_some()
    }

    /// The snapshot that answers come from, if this is one.
    pub(crate) fn moment(&self) -> Option<MutexGuard<'_, Snapshot>> {
        Some(self.moment.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn folder(&self, id: RunId) -> RunFolder {
        RunFolder::new(&self.path, id)
    }

    /// Begins a run. From now on it has a number, and others see it as running.
    ///
    /// # Errors
    ///
    /// When the repository cannot be written.
    pub fn begin(&self, info: RunInfo) -> Result<RunWriter> {
        RunWriter::new(self.live(), info)
    }

    /// Begins a run that has no number, and that nobody sees, until it is finished. Of a writer that is killed, or
    /// dropped, nothing is left: for runs that come from elsewhere, and can come again.
    ///
    /// # Errors
    ///
    /// When the repository cannot be written.
    pub fn begin_apart(&self, info: RunInfo) -> Result<RunWriter> {
        RunWriter::apart(self.live(), info)
    }

    /// Stores a stream as a run, read to its end. Whenever reading may block, what came before is on disk.
    ///
    /// # Errors
    ///
    /// When reading or writing fails. What came is kept, as an incomplete run.
    pub fn load(&self, stream: impl io::Read, info: RunInfo, end: RunEnd) -> Result<StoredRun> {
        let mut writer = self.begin(info)?;
        writer.load(stream)?;
        writer.finish(end)
    }

    /// All runs in order of their numbers, those under way included.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn runs(&self) -> Result<Vec<StoredRun>> {
        self.with_index(|index| index.runs())
    }

    /// The latest runs whose numbers are lower than this one, where one is given: at most so many, the latest first,
    /// those under way included.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn latest_runs(&self, before: Option<RunId>, most: usize) -> Result<Vec<StoredRun>> {
        self.with_index(|index| index.latest_runs(before, most))
    }

    /// The run of this name.
    ///
    /// # Errors
    ///
    /// When there is none ([`Error::Running`] when the latest is asked for, and none is over yet), or the repository
    /// cannot be read.
    pub fn run(&self, name: impl Into<RunRef>) -> Result<StoredRun> {
        match name.into() {
            RunRef::Id(id) => match self.with_index(|index| index.run(id))? {
                Some(run) => Ok(run),
                None => Err(self.no_such_run(id)),
            },
            RunRef::Back(back) => {
                let before = (back as usize).saturating_sub(1);
                let (run, runs) =
                    self.with_index(|index| Ok((index.latest(before, |_| true)?, index.count()?)))?;
                run.ok_or_else(
                    || if runs == 0 { self.none_over() } else { Error::NotSoManyRuns { back, runs } },
                )
            }
            RunRef::LatestFailing => {
                let failed = |run: &StoredRun| run.standing() == Standing::Failed;
                let (run, runs) = self.with_index(|index| Ok((index.latest(0, failed)?, index.count()?)))?;
                run.ok_or_else(|| if runs == 0 { self.none_over() } else { Error::NoFailingRun })
            }
        }
    }

    /// No run has this number: there are others, or none at all.
    fn no_such_run(&self, id: RunId) -> Error {
        match self.none_over() {
            Error::Running(_) => Error::NoSuchRun(id),
            Error::NoRuns { path, foreign } => Error::NoRuns { path, foreign },
            error => error,
        }
    }

    /// No run is over: the latest is under way, or there is none at all.
    fn none_over(&self) -> Error {
        match self.runs().map(|mut runs| runs.pop()) {
            Err(error) => error,
            Ok(Some(run)) => Error::Running(run.id),
            Ok(None) => Error::NoRuns { path: self.path.clone(), foreign: self.foreign() },
        }
    }

    /// The stream of a run, from its first byte on. Of a run that is under way it is what has come.
    ///
    /// # Errors
    ///
    /// When there is no such run, its stream was pruned, or it cannot be read.
    pub fn stream(&self, name: impl Into<RunRef>) -> Result<StreamReader> {
        let run = self.run(name)?;
        self.stream_of(&run)
    }

    pub(crate) fn stream_of(&self, run: &StoredRun) -> Result<StreamReader> {
        let is_whole = run.end.is_some() && run.state != RunState::Running;
        StreamReader::open(run.id, &self.folder(run.id), is_whole.then_some(run.bytes))
    }
}
