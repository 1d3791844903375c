//! How long tests take, for those who plan a run.

use std::collections::HashMap;
use std::time::Duration;

use streamresult::Outcome;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::TestResult;
use crate::error::Result;
use crate::repository::Repository;
use crate::results::Results;

/// How long tests took last. It keeps a hash a test, no ids.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    seed: u64,
    /// Nanoseconds.
    durations: HashMap<u64, u64>,
}

impl Timings {
    /// How long a test took, in the latest run in which it ran to its end.
    #[must_use]
    pub fn get(&self, test_id: &str) -> Option<Duration> {
        let hash = xxh3_64_with_seed(test_id.as_bytes(), self.seed);
        self.durations.get(&hash).copied().map(Duration::from_nanos)
    }

    /// How many tests are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.durations.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty()
    }

    /// The duration that half of the tests exceed: the guess for a test that is not known.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        let mut all: Vec<u64> = self.durations.values().copied().collect();
        let middle = all.len() / 2;
        if all.is_empty() {
            return None;
        }
        Some(Duration::from_nanos(*all.select_nth_unstable(middle).1))
    }
}

impl Repository {
    /// How long each test took in the latest run in which it ran to its end, of at most this many runs. Where it
    /// ran several times in it, the longest counts. Skipped tests do not count.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn timings(&self, runs: usize) -> Result<Timings> {
        let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let mut timings = Timings { seed, durations: HashMap::new() };
        let longest = |results: &Results| longest(results, seed);
        self.with_latest_results(runs, longest, |tests| {
            for (hash, duration) in tests {
                timings.durations.entry(hash).or_insert(duration);
            }
        })?;
        Ok(timings)
    }
}

/// The hash of each test of a run that ran to its end, and the longest time it took.
fn longest(results: &Results, seed: u64) -> Result<Vec<(u64, u64)>> {
    let mut tests: Vec<(u64, u64)> = Vec::new();
    let mut rows = results.iter();
    while let Some(row) = rows.next()? {
        let (Some(result), Some(duration)) = (TestResult::of(&row), row.facts.duration) else { continue };
        if !has_run_to_its_end(result.outcome) {
            continue;
        }
        let hash = xxh3_64_with_seed(result.test_id.as_bytes(), seed);
        // A test's rows follow each other.
        match tests.last_mut() {
            Some((last, longest)) if *last == hash => *longest = duration.max(*longest),
            _ => tests.push((hash, duration)),
        }
    }
    Ok(tests)
}

fn has_run_to_its_end(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Success | Outcome::Fail | Outcome::XFail | Outcome::UxSuccess)
}
