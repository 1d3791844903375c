//! What the files of a run say: its state, and results where they have to be derived first.

use std::fs::{self, File, TryLockError};
use std::io;

use crate::derive::{Derived, ResultsDestination, derive, write_results};
use crate::error::{Error, Result, at};
use crate::index::groups::Groups;
use crate::intake::Tail;
use crate::layout::RunFolder;
use crate::results::Results;
use crate::run::{Counts, RunFile, RunState, Stored, StoredRun, Tally};
use crate::run_id::RunId;
use crate::run_json;
use crate::stream::StreamReader;

/// A run as its files have it. There are results unless it is under way.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) run: StoredRun,
    pub(crate) results: Option<Results>,
}

/// Whether results that are there are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Yes, as far as they are whole.
    Results,
    /// No: what can be derived from the stream is.
    StreamAlone,
}

/// Looks at a run.
pub(crate) fn examine(
    id: RunId,
    folder: &RunFolder,
    trust: Trust,
    destination: ResultsDestination,
) -> Result<Examined> {
    // A writer may finish between two looks, but no run is begun again.
    for _ in 0..2 {
        let file = run_json::read(folder)?;
        let Some(file) = file.filter(|file| file.tally.is_some()) else {
            match lock_of_dead(folder)? {
                Lock::Held => return running(id, folder),
                Lock::Free if !is_finished(folder)? => return recover(id, folder, destination),
                Lock::Free | Lock::NoStream => continue,
            }
        };
        return finished(id, folder, file, trust, destination);
    }
    // No stream and nothing said of it: a folder of which files were removed by hand.
    recover(id, folder, destination)
}

fn is_finished(folder: &RunFolder) -> Result<bool> {
    Ok(run_json::read(folder)?.is_some_and(|file| file.tally.is_some()))
}

enum Lock {
    /// The writer lives.
    Held,
    /// It does not.
    Free,
    NoStream,
}

fn lock_of_dead(folder: &RunFolder) -> Result<Lock> {
    let path = folder.raw();
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::NoStream),
        file => file.map_err(at("read", &path))?,
    };
    match file.try_lock_shared() {
        Ok(()) => {
            file.unlock().map_err(at("unlock", &path))?;
            Ok(Lock::Free)
        }
        Err(TryLockError::WouldBlock) => Ok(Lock::Held),
        Err(TryLockError::Error(error)) => Err(at("lock", &path)(error)),
    }
}

fn running(id: RunId, folder: &RunFolder) -> Result<Examined> {
    let info = run_json::read(folder)?.map(|file| file.info).unwrap_or_default();
    let file = RunFile::begun(RunState::Running, info);
    let bytes = fs::metadata(folder.raw()).map_or(0, |file| file.len());
    Ok(Examined { run: run(id, folder, file, Tally { bytes, ..Tally::default() }), results: None })
}

/// Recovers a run without counts: its writer is gone and did not finish, or what it wrote is lost.
fn recover(id: RunId, folder: &RunFolder, destination: ResultsDestination) -> Result<Examined> {
    let info = run_json::read(folder)?.map(|file| file.info).unwrap_or_default();
    // The stream is as it came until all is written.
    let is_raw = folder.raw().exists();
    let Recovered { tally, results, is_whole } = match StreamReader::open(id, folder, None) {
        Err(Error::Pruned(_)) => of_results(folder, destination)?,
        stream => of_stream(folder, derive(folder, stream?, Tail::LeftOut)?, destination)?,
    };
    let file = RunFile {
        damaged: !is_raw || !is_whole,
        lost: !is_whole,
        tally: Some(tally),
        ..RunFile::begun(RunState::Incomplete, info)
    };
    // From now on it is known how much there was, or that something is lost: what is derived of the rest looks whole.
    if destination == ResultsDestination::RunFolder && (is_raw || file.lost) {
        run_json::write(folder, &file)?;
    }
    Ok(Examined { run: run(id, folder, file, tally), results: Some(results) })
}

/// What is left of a run of which there are no counts.
struct Recovered {
    tally: Tally,
    results: Results,
    /// Whether it is known to be all.
    is_whole: bool,
}

/// What is left of a run without a stream. That its tests are there does not tell whether the run as a whole failed.
fn of_results(folder: &RunFolder, destination: ResultsDestination) -> Result<Recovered> {
    if let Some(results) = kept_results(folder, Trust::StreamAlone)? {
        return Ok(Recovered { tally: tally(&results)?, results, is_whole: false });
    }
    let derived = derive(folder, io::empty(), Tail::LeftOut)?;
    let results = write_results(folder, derived.rows, destination)?;
    Ok(Recovered { tally: derived.tally, results, is_whole: false })
}

/// What its stream says, unless there are results of a time when it said more.
fn of_stream(folder: &RunFolder, derived: Derived, destination: ResultsDestination) -> Result<Recovered> {
    let Derived { tally: told, rows, is_whole } = derived;
    if let Some(results) = kept_results(folder, Trust::StreamAlone)? {
        let counts = tally(&results)?.counts;
        if counts.total() > told.counts.total() {
            let global_failures = told.counts.global_failures;
            let counts = Counts { global_failures, ..counts };
            return Ok(Recovered { tally: Tally { counts, ..told }, results, is_whole: false });
        }
    }
    Ok(Recovered { tally: told, results: write_results(folder, rows, destination)?, is_whole })
}

/// The counts that results give: without failures that belong to no test, and without the length of the stream.
fn tally(results: &Results) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut groups = Groups::new(results)?;
    while let Some(group) = groups.next()? {
        tally.counts.announced += u64::from(!group.has_run);
    }
    let mut rows = results.iter();
    while let Some(row) = rows.next()? {
        tally.add(&row);
    }
    Ok(tally)
}

/// A run whose writer finished, or whose results outlived its stream.
fn finished(
    id: RunId,
    folder: &RunFolder,
    mut file: RunFile,
    trust: Trust,
    destination: ResultsDestination,
) -> Result<Examined> {
    let told = file.tally.unwrap_or_default();
    let kept = kept_results(folder, trust)?;
    if trust == Trust::Results && kept.is_some() {
        return Ok(Examined { run: run(id, folder, file, told), results: kept });
    }
    let tail = if file.end.is_none() { Tail::LeftOut } else { Tail::Damage };
    let derived = match StreamReader::open(id, folder, Some(told.bytes)) {
        Err(Error::Pruned(_)) => None,
        stream => Some(derive(folder, stream?, tail)?),
    };
    let before = file.clone();
    let (results, rows) = match (derived, kept) {
        (Some(Derived { tally, rows, is_whole: true }), _) if is_all(&tally, &told, file.lost) => {
            (file.tally, file.damaged, file.lost) = (Some(tally), false, false);
            (None, rows)
        }
        (None, Some(results)) => {
            return Ok(Examined { run: run(id, folder, file, told), results: Some(results) });
        }
        // What cannot be read any more was counted and written down when it could.
        (Some(derived), Some(results)) => {
            file.damaged = true;
            (Some(results), derived.rows)
        }
        (derived, None) => {
            let derived = derived.map_or_else(|| derive(folder, io::empty(), tail), Ok)?;
            file.damaged = true;
            let is_less = derived.tally.counts.total() < told.counts.total();
            file.lost |= is_less && !told.counts.is_success();
            (None, derived.rows)
        }
    };
    // That something is lost is written first: what is derived of the rest looks whole.
    if file != before && destination == ResultsDestination::RunFolder {
        run_json::write(folder, &file)?;
    }
    let results = results.map_or_else(|| write_results(folder, rows, destination), Ok)?;
    let tally = file.tally.unwrap_or_default();
    Ok(Examined { run: run(id, folder, file, tally), results: Some(results) })
}

/// Whether a stream is all that was told of it; where it was told after a part was lost, it may be more.
fn is_all(tally: &Tally, told: &Tally, lost: bool) -> bool {
    if lost { tally.counts.total() >= told.counts.total() } else { tally.bytes == told.bytes }
}

/// The results that are there and not damaged; those that are not believed are read to the end to tell.
fn kept_results(folder: &RunFolder, trust: Trust) -> Result<Option<Results>> {
    let opened = Results::open(&folder.results()).and_then(|results| {
        if let (Some(results), Trust::StreamAlone) = (&results, trust) {
            results.check()?;
        }
        Ok(results)
    });
    match opened {
        Err(Error::Damaged { .. }) => Ok(None),
        results => results,
    }
}

fn run(id: RunId, folder: &RunFolder, file: RunFile, tally: Tally) -> StoredRun {
    let stored = if file.state != RunState::Running && folder.compressed().exists() {
        Stored::Compressed
    } else if folder.raw().exists() {
        Stored::Raw
    } else {
        Stored::Pruned
    };
    StoredRun {
        id,
        state: if file.damaged { RunState::Damaged } else { file.state },
        stored,
        pinned: folder.pin().exists(),
        info: file.info,
        end: file.end,
        counts: tally.counts,
        first: tally.first,
        last: tally.last,
        bytes: tally.bytes,
        tail: tally.tail,
        disk: folder.size(),
        lost: file.lost,
    }
}
