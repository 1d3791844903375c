//! What is known about a run besides its tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use streamresult::{Outcome, Summary, is_damage};
use subunit::{Status, Timestamp};

use crate::disk;
use crate::row::{Facts, Kind, Row};
use crate::run_id::RunId;

/// How a run came about: what its writer says when it begins. All of it is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// The command that made the stream.
    pub command: Option<String>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whether it was to run only some of its tests: which ones, the command does not say.
    pub is_selection: bool,
    /// When the run began; the time at which its writer was made, unless it is given.
    pub start: Option<Timestamp>,
    /// What was tested.
    pub git: Option<Git>,
    /// How many workers ran tests.
    pub workers: Option<u32>,
}

/// A commit, and whether the work tree differed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// The hash of the commit.
    pub commit: String,
    /// The branch that was checked out.
    pub branch: Option<String>,
    /// Whether there were changes that were not committed, where that is known.
    pub dirty: Option<bool>,
}

/// How a run ended: all that its writer says then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// When; the time at which its writer finished, unless it is given.
    pub end: Option<Timestamp>,
    /// The exit status of the command; 0 is success.
    pub exit: Option<i32>,
    /// Whether it was stopped before it was done, usually by Ctrl-C.
    pub interrupted: bool,
    /// Whether part of the run is not there, as its writer knows: a source that did not come.
    pub incomplete: bool,
    /// Whether the stream names every test that there is, if only as `exists`. Then a test that it does not name
    /// is gone, and leaves the failing set.
    pub names_all_tests: bool,
}

/// How far a run got. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It is under way: its writer lives.
    Running,
    /// Its writer finished it.
    Complete,
    /// Its writer finished it, and said that it was stopped before it was done.
    Interrupted,
    /// Its writer was killed or failed, and what came before is there; or it finished it, and said that part of it is
    /// missing.
    Incomplete,
    /// Part of what was stored is lost: of its stream, or of what was recorded about it.
    Damaged,
}

/// How the stream of a run is stored. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As it came.
    Raw,
    /// In frames of zstd.
    Compressed,
    /// It was pruned.
    Pruned,
}

/// A run, without its tests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRun {
    /// Its number.
    pub id: RunId,
    /// How far it got.
    pub state: RunState,
    /// How its stream is stored.
    pub stored: Stored,
    /// Whether it is kept from being pruned.
    pub pinned: bool,
    /// How it came about.
    pub info: RunInfo,
    /// How it ended, where its writer said so.
    pub end: Option<RunEnd>,
    /// What became of its tests. All zero while it is under way.
    pub counts: Counts,
    /// The earliest time in its stream.
    pub first: Option<Timestamp>,
    /// The latest time in its stream.
    pub last: Option<Timestamp>,
    /// How many bytes came in.
    pub bytes: u64,
    /// How many of them, at the end, are not a whole packet, because the writer was killed.
    pub tail: u64,
    /// How many bytes it takes on disk.
    pub disk: u64,
    /// Whether something failed in it, or may have, of which nothing is left that says what: its files are damaged.
    pub lost: bool,
}

/// The verdict on a run. Closed: these are all the cases; the earlier one holds when several do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Something failed, or the command exited with a status other than 0.
    Failed,
    /// Nothing failed, but not all is there: the run is under way, was interrupted, killed or damaged.
    Incomplete,
    /// No test ran.
    Empty,
    /// All that ran passed.
    Passed,
}

impl StoredRun {
    /// The verdict on the run. It is [`Passed`](Standing::Passed) only when nothing speaks against it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let exit = self.end.as_ref().and_then(|end| end.exit).unwrap_or_default();
        if !self.counts.is_success() || exit != 0 {
            Standing::Failed
        } else if self.state != RunState::Complete {
            Standing::Incomplete
        } else if self.counts.total() == 0 {
            Standing::Empty
        } else {
            Standing::Passed
        }
    }

    /// Whether it fails besides what its tests do, as far as is known: see [`FailingSet`](crate::FailingSet).
    pub(crate) fn fails_as_a_whole(&self) -> bool {
        self.lost || self.counts.run_failures() > 0
    }

    /// When it began, as its writer says, or else its stream.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.info.start.or(self.first)
    }

    /// The time between the earliest and the latest time in its stream.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(self.last?.saturating_since(self.first?))
    }
}

/// How many tests ended in which way: what [`Summary`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Passed.
    pub success: u64,
    /// Of these, how many only when they were tried again.
    pub flaky: u64,
    /// Failed.
    pub fail: u64,
    /// Passed though they were expected to fail.
    pub uxsuccess: u64,
    /// Failed as expected.
    pub xfail: u64,
    /// Were skipped.
    pub skip: u64,
    /// Began and did not end.
    pub unfinished: u64,
    /// Were announced and did not run.
    pub announced: u64,
    /// Stretches of bytes that could not be read.
    pub damaged: u64,
    /// Failures and unexpected successes without a test id: of the run as a whole.
    pub global_failures: u64,
    /// Events that came for tests after they had finished.
    pub late: u64,
}

impl Counts {
    /// How many tests ran.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.success + self.fail + self.uxsuccess + self.xfail + self.skip + self.unfinished
    }

    /// How much counts against the run, as [`Summary::failures`] does.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed_tests() + self.run_failures()
    }

    /// How many of its tests failed.
    #[must_use]
    pub fn failed_tests(&self) -> u64 {
        self.fail + self.uxsuccess + self.unfinished
    }

    /// How much counts against the run as a whole: damage, and failures without a test id.
    #[must_use]
    pub fn run_failures(&self) -> u64 {
        self.damaged + self.global_failures
    }

    /// Whether nothing counts against the run.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures() == 0
    }
}

impl From<&Summary> for Counts {
    fn from(summary: &Summary) -> Self {
        Counts {
            success: summary.count(Outcome::Success),
            flaky: summary.flaky(),
            fail: summary.count(Outcome::Fail),
            uxsuccess: summary.count(Outcome::UxSuccess),
            xfail: summary.count(Outcome::XFail),
            skip: summary.count(Outcome::Skip),
            unfinished: summary.unfinished(),
            announced: summary.announced(),
            damaged: summary.damaged(),
            global_failures: summary.global(Status::Fail) + summary.global(Status::UxSuccess),
            late: summary.late(),
        }
    }
}

/// What the file `run.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "disk::RunFile", into = "disk::RunFile")]
pub(crate) struct RunFile {
    pub(crate) state: RunState,
    pub(crate) info: RunInfo,
    pub(crate) end: Option<RunEnd>,
    pub(crate) tally: Option<Tally>,
    /// Whether its stream was found damaged since.
    pub(crate) damaged: bool,
    /// Whether failures of it were lost since.
    pub(crate) lost: bool,
}

impl RunFile {
    /// Of a run that is in this state, and of which nothing more is known.
    pub(crate) fn begun(state: RunState, info: RunInfo) -> Self {
        RunFile { state, info, end: None, tally: None, damaged: false, lost: false }
    }
}

/// What the bytes of a stream add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    pub(crate) bytes: u64,
    pub(crate) tail: u64,
}

impl Tally {
    /// Counts a row.
    pub(crate) fn add(&mut self, row: &Row<'_>) {
        let Facts { kind, start, duration, marks, .. } = row.facts;
        let count = match kind {
            Kind::Outcome(outcome) if is_damage(row.id, outcome) => &mut self.counts.damaged,
            Kind::Late => &mut self.counts.late,
            Kind::Outcome(Outcome::Success) => &mut self.counts.success,
            Kind::Outcome(Outcome::Fail) => &mut self.counts.fail,
            Kind::Outcome(Outcome::UxSuccess) => &mut self.counts.uxsuccess,
            Kind::Outcome(Outcome::XFail) => &mut self.counts.xfail,
            Kind::Outcome(Outcome::Skip) => &mut self.counts.skip,
            Kind::Outcome(Outcome::Unfinished) => &mut self.counts.unfinished,
            Kind::Outcome(Outcome::Exists) => return,
        };
        *count += 1;
        self.counts.flaky += u64::from(marks.flaky);
        let Some(start) = start else { return };
        let took = Duration::from_nanos(duration.unwrap_or_default());
        self.first = Some(self.first.map_or(start, |first| first.min(start)));
        self.last = self.last.max(Timestamp::from_epoch(start.since_epoch().saturating_add(took)));
    }
}
