//! `subunit pin` and `subunit unpin`: runs that are not pruned.

use cli::{Streams, Verdict};
use repository::{Repository, RunRef};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::run_name::stored;

/// Keep runs from being pruned
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the runs are pinned", Nothing = "there are no runs yet"],
    "  subunit pin 42\n  \
       subunit pin latest-failing"
))]
pub struct Pin {
    /// Their numbers, -1 for the latest, `latest` or `latest-failing`
    #[arg(value_name = "RUN", value_parser = stored, allow_negative_numbers = true, required = true)]
    runs: Vec<RunRef>,
}

/// Let runs be pruned again that were pinned
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the runs are not pinned", Nothing = "there are no runs yet"],
    "  subunit unpin 42"
))]
pub struct Unpin {
    /// Their numbers, -1 for the latest, `latest` or `latest-failing`
    #[arg(value_name = "RUN", value_parser = stored, allow_negative_numbers = true, required = true)]
    runs: Vec<RunRef>,
}

impl RepositoryCommand for Pin {
    const NAME: &'static str = "subunit pin";

    fn run(self, repo: &RepoArgs, _: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.repository()?;
        pin(repository, &self.runs, true)
    }
}

impl RepositoryCommand for Unpin {
    const NAME: &'static str = "subunit unpin";

    fn run(self, repo: &RepoArgs, _: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.repository()?;
        pin(repository, &self.runs, false)
    }
}

fn pin(repository: &Repository, runs: &[RunRef], pinned: bool) -> anyhow::Result<Verdict> {
    // All or none: a mistyped one changes nothing.
    let runs: Vec<_> = runs.iter().map(|name| repository.run(*name)).collect::<Result<_, _>>()?;
    runs.iter().try_for_each(|run| repository.pin(run.id, pinned))?;
    Ok(Verdict::Passed)
}
