//! The tests that took longest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use streamresult::Outcome;

use super::TestResult;
use crate::error::Result;
use crate::repository::Repository;
use crate::results::Results;
use crate::run_id::RunRef;

/// How long a test took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestTime {
    /// How long.
    pub duration: Duration,
    /// The test's id.
    pub test_id: String,
    /// Where it ran.
    pub route_code: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Repository {
    /// The tests of a run that took longest, at most this many, the slowest first; those that took equally long are
    /// in order of their ids. Tests without a duration are not among them. Of a run that is under way it is what came
    /// so far.
    ///
    /// # Errors
    ///
    /// When there is no such run, or it cannot be read.
    pub fn slowest(&self, name: impl Into<RunRef>, count: usize) -> Result<Vec<TestTime>> {
        let run = self.run(name)?;
        Ok(self.with_results_so_far(run.id, |_, results| slowest(results, count))?.0)
    }
}

fn slowest(results: &Results, count: usize) -> Result<Vec<TestTime>> {
    // The least of those that are kept is on top; among equals, it is the last in order.
    let mut kept = BinaryHeap::new();
    let mut rows = results.iter();
    let mut number = 0_u64;
    while let Some(row) = rows.next()? {
        number += 1;
        let (Some(duration), Some(result)) = (row.facts.duration, TestResult::of(&row)) else { continue };
        let rank = Rank(duration, Reverse(number));
        let is_slower = kept.peek().is_none_or(|Reverse(RankedTime { rank: least, .. })| rank > *least);
        if count == 0 || (kept.len() == count && !is_slower) {
            continue;
        }
        if kept.len() == count {
            kept.pop();
        }
        let time = TestTime {
            duration: Duration::from_nanos(duration),
            test_id: result.test_id.to_owned(),
            route_code: result.route_code.map(str::to_owned),
            outcome: result.outcome,
        };
        kept.push(Reverse(RankedTime { rank, time }));
    }
    Ok(kept.into_sorted_vec().into_iter().map(|Reverse(kept)| kept.time).collect())
}

/// The slower is the greater; among equals, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64, Reverse<u64>);

#[derive(Debug)]
struct RankedTime {
    rank: Rank,
    time: TestTime,
}

impl PartialEq for RankedTime {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for RankedTime {}

impl PartialOrd for RankedTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RankedTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}
