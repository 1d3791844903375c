//! `subunit rebuild`: what is derived from the streams, anew.

use cli::{Streams, Verdict};

use super::command::RepositoryCommand;
use super::place::RepoArgs;
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

impl RepositoryCommand for Rebuild {
    const NAME: &'static str = "subunit rebuild";

    fn run(self, place: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = place.repository()?;
        repository.rebuild()?;
        let runs = repository.runs()?.len() as u64;
        writeln!(streams.output, "{}", Count(runs, "run", "runs"))?;
        Ok(Verdict::Passed)
    }
}
