//! What became of all tests in the runs before one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use streamresult::Outcome;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::diff::Sides;
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::results::Results;
use crate::run_id::RunId;

/// What became of tests in the runs before one. It keeps a hash a test, no ids.
#[derive(Clone, Debug, Default)]
pub struct Past {
    seed: u64,
    runs: Vec<RunId>,
    tests: HashMap<u64, Vec<PastOutcome>>,
}

/// What became of a test in an earlier run, wherever it ran in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastOutcome {
    /// The run.
    pub run: RunId,
    /// How it ended; where it ran several times, the worst.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    pub flaky: bool,
    /// How long it took, all times together.
    pub duration: Option<Duration>,
}

impl Past {
    /// What became of a test, the latest run first.
    #[must_use]
    pub fn get(&self, test_id: &str) -> &[PastOutcome] {
        let hash = xxh3_64_with_seed(test_id.as_bytes(), self.seed);
        self.tests.get(&hash).map_or(&[], Vec::as_slice)
    }

    /// The runs that were looked at, the latest first.
    #[must_use]
    pub fn runs(&self) -> &[RunId] {
        &self.runs
    }
}

impl Repository {
    /// What became of each test in the latest runs before this one, at most so many. Runs that only announced a test
    /// say nothing of it.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn past(&self, before: RunId, runs: usize) -> Result<Past> {
        let seed = RandomState::new().hash_one(0);
        let mut past = Past { seed, ..Past::default() };
        for id in self.run_ids()?.into_iter().rev().skip_while(|id| *id >= before) {
            if past.runs.len() == runs {
                break;
            }
            match self.with_results(id, |run, results| outcomes(run, results, seed)) {
                Err(Error::Running(_)) => {}
                found => {
                    past.runs.push(id);
                    for (hash, outcome) in found?.0 {
                        past.tests.entry(hash).or_default().push(outcome);
                    }
                }
            }
        }
        Ok(past)
    }
}

fn outcomes(run: RunId, results: &Results, seed: u64) -> Result<Vec<(u64, PastOutcome)>> {
    let mut sides = Sides::new(results)?;
    let mut found = Vec::new();
    while let Some((id, side)) = sides.next()? {
        if side.outcome != Outcome::Exists {
            let hash = xxh3_64_with_seed(id.as_bytes(), seed);
            let (outcome, flaky, duration) = (side.outcome, side.flaky, side.duration);
            found.push((hash, PastOutcome { run, outcome, flaky, duration }));
        }
    }
    Ok(found)
}
