//! Which streams are kept, and which are pruned.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use subunit::Timestamp;

use crate::error::{Error, Result, at};
use crate::layout::{self, RunFolder};
use crate::note::Note;
use crate::repository::Repository;
use crate::run::{RunFile, RunState, Stored, StoredRun, Tally};
use crate::run_id::{RunId, RunRef};
use crate::{disk, run_json, sweep};

/// Which streams are kept: those within all limits that are set, and whatever else is protected. Without a limit
/// all are.
///
/// Pruning removes streams, that is attachments. Counts, timings and the history of each test stay, and so
/// does the failing set. Protected are runs that are pinned or under way, the latest one, and, unless
/// `failing_too` is set, those that a test of the failing set points to: its attachments are what people look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// At most this many runs, the latest ones.
    pub runs: Option<usize>,
    /// Runs that ended at most this long ago.
    pub age: Option<Duration>,
    /// At most this many bytes of streams on disk, those of the latest runs.
    pub size: Option<u64>,
    /// Whether the streams of the failing set can be pruned too.
    pub failing_too: bool,
}

impl Retention {
    /// Whether there is any limit.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.runs.is_some() || self.age.is_some() || self.size.is_some()
    }
}

/// A stream that was pruned, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The run.
    pub run: RunId,
    /// How many bytes its stream takes on disk.
    pub bytes: u64,
}

impl Repository {
    fn retention_path(&self) -> PathBuf {
        self.path().join("retention.json")
    }

    /// The saved limits: whenever a run was stored, the repository is pruned to them. A new repository has none.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn retention(&self) -> Result<Option<Retention>> {
        let path = self.retention_path();
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at("read", &path)(error)),
            Ok(text) => {
                serde_json::from_slice::<disk::Retention>(&text).map(|limits| Some(limits.into())).map_err(
                    |error| Error::damaged(&path, format!("{error}; remove it, or set the limits again")),
                )
            }
        }
    }

    /// Saves limits to prune to whenever a run was stored; none turns that off.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn set_retention(&self, retention: Option<&Retention>) -> Result<()> {
        let path = self.retention_path();
        let Some(retention) = retention else { return layout::remove(&path) };
        let text = serde_json::to_string(&disk::Retention::from(*retention))
            .map_err(|error| at("write", &path)(error.into()))?;
        layout::replace(&path, (text + "\n").as_bytes())
    }

    /// Prunes to the limits that were set. The run that was just stored is stored whatever becomes of this.
    pub(crate) fn prune_by_itself(&self) {
        let pruned = self.retention().and_then(|limits| match limits {
            Some(limits) if !self.prunable(&limits, Timestamp::now())?.is_empty() => {
                self.prune(&limits, Timestamp::now())
            }
            _ => Ok(Vec::new()),
        });
        match pruned {
            Ok(pruned) if pruned.is_empty() => {}
            Ok(pruned) => self.note(Note::Pruned {
                runs: pruned.len(),
                bytes: pruned.iter().map(|pruned| pruned.bytes).sum(),
            }),
            Err(error) => self.note(Note::NotPruned { why: error.to_string() }),
        }
    }

    /// Which streams [`prune`](Repository::prune) would remove at this time.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn prunable(&self, retention: &Retention, now: Timestamp) -> Result<Vec<Pruned>> {
        let (runs, failing) = self.with_index(|index| Ok((index.runs()?, index.failing()?)))?;
        let deciding = failing.tests.iter().map(|test| test.run);
        let deciding: HashSet<RunId> =
            deciding.chain(failing.runs.iter().chain(&failing.lost).map(|run| run.id)).collect();
        let mut there =
            runs.iter().filter(|run| run.state != RunState::Running && run.stored != Stored::Pruned);
        let latest = there.clone().next_back().map(|run| run.id);
        let is_protected = |run: &StoredRun| {
            run.pinned || Some(run.id) == latest || (!retention.failing_too && deciding.contains(&run.id))
        };
        let (mut count, mut size) = (0, 0_u64);
        let mut prunable = Vec::new();
        while let Some(run) = there.next_back() {
            let bytes = stream_size(&self.folder(run.id));
            (count, size) = (count + 1, size.saturating_add(bytes));
            let end = run.end.as_ref().and_then(|end| end.end).or(run.last).or(run.start());
            let age = end.map(|end| now.saturating_since(end));
            let is_beyond = retention.runs.is_some_and(|most| count > most)
                || retention.size.is_some_and(|most| size > most)
                || retention.age.zip(age).is_some_and(|(most, age)| age > most);
            if is_beyond && !is_protected(run) {
                prunable.push(Pruned { run: run.id, bytes });
                (count, size) = (count - 1, size - bytes);
            }
        }
        prunable.reverse();
        Ok(prunable)
    }

    /// Removes the streams of the runs that are beyond the limits at this time.
    ///
    /// # Errors
    ///
    /// When a stream cannot be removed without losing what has to stay. Those before it in the order of the runs
    /// were removed.
    pub fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Vec<Pruned>> {
        let prunable = self.prunable(retention, now)?;
        let ids: HashSet<RunId> = prunable.iter().map(|pruned| pruned.run).collect();
        let runs = self.live().runs()?.into_iter().filter(|run| ids.contains(&run.id));
        self.live().prune_all(runs)?;
        sweep::sweep(self.path());
        Ok(prunable)
    }

    /// Removes the stream of a run, whatever protects it, unless it is under way.
    ///
    /// # Errors
    ///
    /// As [`prune`](Repository::prune).
    pub fn prune_run(&self, name: impl Into<RunRef>) -> Result<()> {
        if self.is_snapshot() {
            return self.live().prune_run(name);
        }
        let run = self.run(name)?;
        self.prune_all([run])
    }

    /// Removes the streams of runs, up to the first of which the stream cannot be removed. The index is asked a few
    /// times for all of them together, since each time it looks at all runs.
    fn prune_all(&self, runs: impl IntoIterator<Item = StoredRun>) -> Result<()> {
        let (mut ready, mut prepared) = (Vec::new(), Ok(()));
        for run in runs {
            prepared = self.prepare_to_prune(&run);
            if prepared.is_err() {
                break;
            }
            ready.push(run.id);
        }
        if !ready.is_empty() {
            self.with_index(|index| {
                index.unsettle(&ready)?;
                ready.iter().map(|id| self.folder(*id)).try_for_each(|folder| {
                    layout::remove(&folder.compressed())?;
                    layout::remove(&folder.raw())
                })
            })?;
            self.with_index(|_| Ok(()))?;
        }
        prepared
    }

    /// What stays has to be whole and on the disk before the rest goes.
    fn prepare_to_prune(&self, run: &StoredRun) -> Result<()> {
        let folder = self.folder(run.id);
        if run.state == RunState::Running {
            return Err(Error::Running(run.id));
        }
        seal(&folder, run)?;
        let results = self.with_results(run.id, |_, results| results.check())?.1;
        drop(results);
        let path = folder.results();
        File::open(&path).and_then(|file| file.sync_all()).map_err(at("write", &path))?;
        layout::sync_folder(&folder.0)
    }

    /// Protects a run from being pruned, or no longer does.
    ///
    /// # Errors
    ///
    /// When there is no such run, or it cannot be written.
    pub fn pin(&self, name: impl Into<RunRef>, pinned: bool) -> Result<()> {
        if self.is_snapshot() {
            return self.live().pin(name, pinned);
        }
        let run = self.run(name)?;
        let path = self.folder(run.id).pin();
        self.with_index(|index| {
            index.unsettle(&[run.id])?;
            if pinned {
                File::create(&path).map(drop).map_err(at("write", &path))
            } else {
                layout::remove(&path)
            }
        })?;
        self.with_index(|_| Ok(()))
    }
}

fn stream_size(folder: &RunFolder) -> u64 {
    let len = |path| fs::metadata(path).map_or(0, |file| file.len());
    len(folder.compressed()) + len(folder.raw())
}

/// Writes the counts of a run whose writer was killed, so that only the stream has them.
fn seal(folder: &RunFolder, run: &StoredRun) -> Result<()> {
    if run_json::read(folder)?.is_some_and(|file| file.tally.is_some()) {
        return Ok(());
    }
    let StoredRun { counts, first, last, bytes, tail, .. } = *run;
    let tally = Some(Tally { counts, first, last, bytes, tail });
    let info = run.info.clone();
    let file = RunFile::begun(RunState::Incomplete, info);
    let (damaged, lost) = (run.state == RunState::Damaged, run.lost);
    run_json::write(folder, &RunFile { tally, damaged, lost, ..file })
}
