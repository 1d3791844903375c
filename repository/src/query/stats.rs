//! Figures about a repository.

use subunit::Timestamp;

use crate::error::Result;
use crate::repository::Repository;
use crate::run::{RunState, Standing, Stored};

/// Figures about a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepositoryStats {
    /// How many runs there are.
    pub runs: u64,
    /// How many of them are under way.
    pub running: u64,
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many are incomplete, and failed nothing.
    pub incomplete: u64,
    /// How many ran nothing.
    pub empty: u64,
    /// Of how many the stream was pruned.
    pub pruned: u64,
    /// How many are pinned.
    pub pinned: u64,
    /// How many tests ran, in all runs together.
    pub tests: u64,
    /// How many tests fail now.
    pub failing: u64,
    /// How many bytes came in.
    pub bytes: u64,
    /// How many bytes the runs take on disk.
    pub disk: u64,
    /// When the first run began.
    pub first: Option<Timestamp>,
    /// When the last one did.
    pub last: Option<Timestamp>,
}

impl Repository {
    /// Figures about all runs.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn stats(&self) -> Result<RepositoryStats> {
        let (runs, failing) = self.with_index(|index| Ok((index.runs()?, index.failing()?)))?;
        let mut stats = RepositoryStats { failing: failing.tests.len() as u64, ..RepositoryStats::default() };
        for run in runs {
            stats.runs += 1;
            let count = match run.standing() {
                _ if run.state == RunState::Running => &mut stats.running,
                Standing::Passed => &mut stats.passed,
                Standing::Failed => &mut stats.failed,
                Standing::Incomplete => &mut stats.incomplete,
                Standing::Empty => &mut stats.empty,
            };
            *count += 1;
            stats.pruned += u64::from(run.stored == Stored::Pruned);
            stats.pinned += u64::from(run.pinned);
            stats.tests += run.counts.total();
            stats.bytes += run.bytes;
            stats.disk += run.disk;
            let start = run.start();
            stats.first = stats.first.or(start);
            stats.last = start.or(stats.last);
        }
        Ok(stats)
    }
}
