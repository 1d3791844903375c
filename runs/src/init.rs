//! `subunit init`: makes a repository.

use cli::{Streams, Verdict};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;

/// Make a repository
///
/// It is the folder .subunit in the working directory, or where -C or SUBUNIT_REPO says. To take over runs of
/// testrepository, stestr, inquest or ducktape, use `subunit import`.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the repository was made"],
    "  subunit init\n  \
       subunit -C ../results init"
))]
pub struct Init {}

impl RepositoryCommand for Init {
    const NAME: &'static str = "subunit init";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.make()?;
        writeln!(streams.output, "made {}", repository.path().display())?;
        for foreign in repository.foreign() {
            let path = foreign.path.display();
            let tool = foreign.tool;
            writeln!(
                streams.errors,
                "{path} is a repository of {tool}: `subunit import` takes over its runs"
            )?;
        }
        Ok(Verdict::Passed)
    }
}
