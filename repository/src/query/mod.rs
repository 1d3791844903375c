//! Questions about the tests of runs. They are answered from the runs' results.

mod diff;
mod flaky;
mod history;
mod log;
mod past;
mod slowest;
mod stats;
mod timings;

use std::ops::ControlFlow;
use std::time::Duration;

use streamresult::{Extent, Outcome};
use subunit::Timestamp;

use crate::derive::{ResultsDestination, derive, is_unwritable, write_results};
use crate::error::{Error, Result};
use crate::examine::{Trust, examine};
use crate::intake::Tail;
use crate::layout;
use crate::repository::Repository;
use crate::results::Results;
use crate::row::{Kind, Row};
use crate::run_id::{RunId, RunRef};
use crate::stream::StreamReader;

pub use diff::{Change, ComparedTest, Side};
pub use flaky::{Flakiness, FlakyTest};
pub use history::HistoryEntry;
pub use past::{Past, PastOutcome};
pub use slowest::TestTime;
pub use stats::RepositoryStats;
pub use timings::Timings;

/// One outcome of a test in a run. A test that was tried again in the same run has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult<'a> {
    /// The test's id.
    pub test_id: &'a str,
    /// Where it ran.
    pub route_code: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    pub flaky: bool,
    /// The time of its first event that has one.
    pub start: Option<Timestamp>,
    /// The time from that to its last event, as exact as it came.
    pub duration: Option<Duration>,
    /// Where in the stream it is, from the beginning of its first packet to the end of its last; packets of other
    /// tests may be between.
    pub extent: Extent,
}

impl<'a> TestResult<'a> {
    /// What a row says, unless it is of late events.
    fn of(row: &Row<'a>) -> Option<Self> {
        let Kind::Outcome(outcome) = row.facts.kind else { return None };
        Some(TestResult {
            test_id: std::str::from_utf8(row.id).ok()?,
            route_code: row.route.map(std::str::from_utf8).transpose().ok()?,
            outcome,
            flaky: row.facts.marks.flaky,
            start: row.facts.start,
            duration: row.facts.duration.map(Duration::from_nanos),
            extent: row.facts.extent,
        })
    }
}

impl Repository {
    /// Calls a function with each result of a run, in order of the tests' ids. Of a run that is under way it is what
    /// came of it so far, and tests that have not ended yet are unfinished.
    ///
    /// # Errors
    ///
    /// When there is no such run, or it cannot be read.
    pub fn for_each_result(
        &self,
        name: impl Into<RunRef>,
        mut function: impl FnMut(&TestResult<'_>),
    ) -> Result<()> {
        let all = self.try_for_each_result(name, |result| {
            function(result);
            ControlFlow::<()>::Continue(())
        })?;
        debug_assert!(all.is_continue());
        Ok(())
    }

    /// Calls a function with each result of a run as [`for_each_result`](Repository::for_each_result) does, until it
    /// breaks off; the answer is what it broke off with. The rest is not read then.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// # use repository::{Repository, RunEnd, RunInfo, RunRef};
    /// # use streamresult::StreamResult;
    /// # use subunit::{Event, Status};
    /// # let folder = tempfile::tempdir()?;
    /// # let repository = Repository::init(&folder)?;
    /// # let mut run = repository.begin(RunInfo::default())?;
    /// # run.status(&Event::status("net.boot", Status::Fail))?;
    /// # run.finish(RunEnd::default())?;
    /// let first_failure = repository.try_for_each_result(RunRef::LATEST, |result| {
    ///     if result.outcome.is_failure() {
    ///         ControlFlow::Break(result.test_id.to_owned())
    ///     } else {
    ///         ControlFlow::Continue(())
    ///     }
    /// })?;
    /// assert_eq!(first_failure, ControlFlow::Break("net.boot".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`for_each_result`](Repository::for_each_result).
    pub fn try_for_each_result<B>(
        &self,
        name: impl Into<RunRef>,
        mut function: impl FnMut(&TestResult<'_>) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        let run = self.run(name)?;
        // Nothing is reported twice, even when results have to be made anew.
        let results = self.with_results_so_far(run.id, |_, results| results.check())?.1;
        let mut rows = results.iter();
        while let Some(row) = rows.next()? {
            let told = TestResult::of(&row).map(|result| function(&result));
            if let Some(ControlFlow::Break(found)) = told {
                return Ok(ControlFlow::Break(found));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The numbers of all runs: those of the moment, or those that are on disk.
    pub(crate) fn run_ids(&self) -> Result<Vec<RunId>> {
        if self.is_snapshot() {
            self.with_index(|index| index.ids_of_ended())
        } else {
            layout::run_ids(self.path())
        }
    }

    /// The results of a run, made anew when they are missing or damaged.
    pub(crate) fn results(&self, id: RunId) -> Result<Results> {
        match Results::open(&self.folder(id).results()) {
            Ok(Some(results)) => Ok(results),
            Ok(None) => self.results_anew(id, Trust::Results),
            Err(Error::Damaged { .. }) => self.results_anew(id, Trust::StreamAlone),
            Err(error) => Err(error),
        }
    }

    fn results_anew(&self, id: RunId, trust: Trust) -> Result<Results> {
        let folder = self.folder(id);
        let examined = match examine(id, &folder, trust, ResultsDestination::RunFolder) {
            Err(Error::Io { source, .. }) if is_unwritable(&source) => {
                examine(id, &folder, trust, ResultsDestination::TemporaryFile)
            }
            examined => examined,
        };
        examined?.results.ok_or(Error::Running(id))
    }

    /// Asks the results of a run; when they are found damaged, they are made anew and asked again.
    pub(crate) fn with_results<T>(
        &self,
        id: RunId,
        ask: impl Fn(RunId, &Results) -> Result<T>,
    ) -> Result<(T, Results)> {
        let results = self.results(id)?;
        match ask(id, &results) {
            Err(Error::Damaged { .. }) => {
                let results = self.results_anew(id, Trust::StreamAlone)?;
                ask(id, &results).map(|answer| (answer, results))
            }
            answer => answer.map(|answer| (answer, results)),
        }
    }

    /// Asks the results of a run; of one that is under way, what came of it so far.
    pub(crate) fn with_results_so_far<T>(
        &self,
        id: RunId,
        ask: impl Fn(RunId, &Results) -> Result<T>,
    ) -> Result<(T, Results)> {
        match self.with_results(id, &ask) {
            Err(Error::Running(_)) => {
                let results = self.results_so_far(id)?;
                ask(id, &results).map(|answer| (answer, results))
            }
            answer => answer,
        }
    }

    fn results_so_far(&self, id: RunId) -> Result<Results> {
        let folder = self.folder(id);
        let derived = derive(&folder, StreamReader::open(id, &folder, None)?, Tail::LeftOut)?;
        write_results(&folder, derived.rows, ResultsDestination::TemporaryFile)
    }

    /// Asks the results of the latest runs that are not under way, at most this many, the latest first.
    pub(crate) fn with_latest_results<T>(
        &self,
        runs: usize,
        ask: impl Fn(&Results) -> Result<T>,
        mut take: impl FnMut(T),
    ) -> Result<()> {
        let mut left = runs;
        let mut ids = self.run_ids()?.into_iter().rev();
        while let Some(id) = if left > 0 { ids.next() } else { None } {
            match self.with_results(id, |_, results| ask(results)) {
                Err(Error::Running(_)) => {}
                answer => {
                    take(answer?.0);
                    left -= 1;
                }
            }
        }
        Ok(())
    }
}
