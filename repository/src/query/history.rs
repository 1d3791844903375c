//! What became of a test, run by run.

use std::time::Duration;

use streamresult::Outcome;
use subunit::Timestamp;

use super::TestResult;
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::results::Results;
use crate::run_id::RunId;

/// One past outcome of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The run.
    pub run: RunId,
    /// Where the test ran.
    pub route_code: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    pub flaky: bool,
    /// When it began.
    pub start: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Duration>,
}

impl Repository {
    /// What became of a test in all runs that are not under way, the earliest first. Runs whose streams were
    /// pruned are among them; those that only announced it are not.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn history(&self, test_id: &str) -> Result<Vec<HistoryEntry>> {
        self.latest_history(test_id, usize::MAX)
    }

    /// The same of the latest runs alone: at most so many are looked at, whether the test ran in them or not.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn latest_history(&self, test_id: &str, runs: usize) -> Result<Vec<HistoryEntry>> {
        let mut found = Vec::new();
        for id in self.run_ids()?.into_iter().rev() {
            if found.len() == runs {
                break;
            }
            match self.with_results(id, |run, results| entries(run, results, test_id)) {
                Err(Error::Running(_)) => {}
                entries => found.push(entries?.0),
            }
        }
        Ok(found.into_iter().rev().flatten().collect())
    }
}

fn entries(run: RunId, results: &Results, test_id: &str) -> Result<Vec<HistoryEntry>> {
    let mut found = Vec::new();
    results.find(test_id.as_bytes(), |row| {
        let result = TestResult::of(row).filter(|result| result.outcome != Outcome::Exists);
        found.extend(result.map(|result| HistoryEntry {
            run,
            route_code: result.route_code.map(str::to_owned),
            outcome: result.outcome,
            flaky: result.flaky,
            start: result.start,
            duration: result.duration,
        }));
    })?;
    Ok(found)
}
