//! `subunit rebuild`: what is derived from the streams, anew.

use cli::{Streams, Verdict};

use super::command::RepositoryCommand;
use super::display::Count;
use super::repo_args::RepoArgs;
use super::run_status;

/// Make the index and the results of all runs anew, from their streams
///
/// This is never needed to get right answers: whatever is missing or damaged is made anew without being asked. The
/// results of runs whose streams were pruned stay as they are.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "it was made anew",
        Incomplete = "it was, as far as there was anything left: files of a run that failed are damaged",
    ],
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
        let lost = repository.failing()?.lost;
        lost.iter().try_for_each(|run| run_status::write_lost(run, streams.errors))?;
        Ok(if lost.is_empty() { Verdict::Passed } else { Verdict::Incomplete })
    }
}
