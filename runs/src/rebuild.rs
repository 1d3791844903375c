//! `subunit rebuild`: what is derived from the streams, anew.

use cli::{Streams, Verdict};

use super::command::RepositoryCommand;
use super::display::Count;
use super::repo_args::RepoArgs;

/// Make the index and the results of all runs anew, from their streams
///
/// This is never needed to get right answers: whatever is missing or damaged is made anew without being asked. The
/// results of runs whose streams were pruned stay as they are.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "it was made anew"],
    "  subunit rebuild"
))]
pub struct Rebuild {}

impl RepositoryCommand for Rebuild {
    const NAME: &'static str = "subunit rebuild";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.repository()?;
        repository.rebuild()?;
        let runs = repository.runs()?.len() as u64;
        writeln!(streams.output, "{}", Count(runs, "run", "runs"))?;
        Ok(Verdict::Passed)
    }
}
