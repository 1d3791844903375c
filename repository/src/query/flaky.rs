//! Tests that pass and fail by turns.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;

use streamresult::Outcome;

use super::TestResult;
use crate::error::Result;
use crate::repository::Repository;
use crate::results::Results;

/// What to ask about flaky tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flakiness {
    /// How many runs are looked at, from the latest on.
    pub runs: usize,
    /// In at least how many of them a test must have passed or failed.
    pub least: u32,
}

impl Default for Flakiness {
    /// The latest hundred runs; a test has to have passed or failed in two.
    fn default() -> Self {
        Flakiness { runs: 100, least: 2 }
    }
}

/// A test that both passed and failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlakyTest {
    /// The test's id.
    pub test_id: String,
    /// In how many runs it passed or failed.
    pub runs: u32,
    /// In how many of them it failed, if only at first.
    pub failures: u32,
    /// How often it passed after it had failed, or failed after it had passed.
    pub changes: u32,
    /// In how many runs it did both: a pass when it was tried again, as its tags say or its outcomes, or on one worker
    /// of several.
    pub mixed: u32,
}

/// The counts of a test over the runs that were looked at.
#[derive(Clone, Copy, Debug, Default)]
struct TestTally {
    runs: u32,
    failures: u32,
    changes: u32,
    mixed: u32,
    has_failed_last: bool,
}

impl TestTally {
    fn add(&mut self, passed: bool, failed: bool) {
        if self.runs > 0 && self.has_failed_last != failed {
            self.changes += 1;
        }
        self.runs += 1;
        self.failures += u32::from(failed);
        self.mixed += u32::from(passed && failed);
        self.has_failed_last = failed;
    }

    fn is_flaky(&self, least: u32) -> bool {
        // Broken once and for all, or fixed, is one change.
        self.runs >= least && (self.mixed > 0 || self.changes > 1)
    }
}

impl Repository {
    /// The tests that went back and forth between passing and failing, or did both in one run; those that did it
    /// most often come first. A test that broke, or was fixed, is not flaky.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn flaky(&self, asked: Flakiness) -> Result<Vec<FlakyTest>> {
        // What never failed is not flaky: only of the others is anything kept.
        let mut seen: HashMap<String, TestTally> = HashMap::new();
        self.with_latest_results(asked.runs, failed, |failed| {
            seen.extend(failed.into_iter().map(|id| (id, TestTally::default())));
        })?;
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let seen = RefCell::new(seen);
        let decided = |results: &Results| decided(results, &seen.borrow());
        self.with_latest_results(asked.runs, decided, |tests| {
            for (id, passed, failed) in tests {
                seen.borrow_mut().entry(id).or_default().add(passed, failed);
            }
        })?;
        let mut seen = seen.into_inner();
        seen.retain(|_, seen| seen.is_flaky(asked.least));
        let flaky = seen.into_iter().map(|(test_id, seen)| {
            let TestTally { runs, failures, changes, mixed, .. } = seen;
            FlakyTest { test_id, runs, failures, changes, mixed }
        });
        let mut flaky: Vec<_> = flaky.collect();
        flaky.sort_by(|one, other| {
            let rank = |test: &FlakyTest| Reverse((test.changes + test.mixed, test.failures));
            rank(one).cmp(&rank(other)).then_with(|| one.test_id.cmp(&other.test_id))
        });
        Ok(flaky)
    }
}

/// The tests that failed in a run.
fn failed(results: &Results) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for_each_test(results, |id, _, failed| ids.extend(failed.then(|| id.to_owned())))?;
    Ok(ids)
}

/// Of the tests that are asked for, those that passed or failed in a run, and whether they did.
fn decided(results: &Results, asked: &HashMap<String, TestTally>) -> Result<Vec<(String, bool, bool)>> {
    let mut tests = Vec::new();
    for_each_test(results, |id, passed, failed| {
        if (passed || failed) && asked.contains_key(id) {
            tests.push((id.to_owned(), passed, failed));
        }
    })?;
    Ok(tests)
}

/// Calls a function with each id of a run, and whether the test passed and failed in it.
fn for_each_test(results: &Results, mut function: impl FnMut(&str, bool, bool)) -> Result<()> {
    let mut rows = results.iter();
    let mut id = String::new();
    let (mut passed, mut failed, mut is_first) = (false, false, true);
    while let Some(row) = rows.next()? {
        let Some(result) = TestResult::of(&row) else { continue };
        if is_first || result.test_id != id {
            if !is_first {
                function(&id, passed, failed);
            }
            id.clear();
            id.push_str(result.test_id);
            (passed, failed, is_first) = (false, false, false);
        }
        passed |= result.outcome == Outcome::Success;
        failed |= result.outcome.is_failure() || result.flaky;
    }
    if !is_first {
        function(&id, passed, failed);
    }
    Ok(())
}
