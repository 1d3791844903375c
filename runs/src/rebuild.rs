//! `subunit rebuild`: what is derived from the streams, anew.

use cli::{Streams, Verdict};
use repository::Repository;

use super::words::Count;

/// Make the index and the results of all runs anew, from their streams
///
/// This is never needed to get right answers: what is missing or damaged is made anew without being asked. Of runs
/// whose streams were pruned, the results stay as they are.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "it was made anew"],
    "  subunit rebuild"
))]
pub struct Rebuild {}

impl Rebuild {
    pub(super) fn run(self, repository: &Repository, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        repository.rebuild()?;
        let runs = repository.runs()?.len() as u64;
        writeln!(streams.output, "{}", Count(runs, "run", "runs"))?;
        Ok(Verdict::Passed)
    }
}
