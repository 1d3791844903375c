//! What a command of the repository is, and its command line.

use clap::{ArgMatches, Args as _, CommandFactory, FromArgMatches, Parser};
use cli::{Command, Streams, Verdict};

use super::repo_args::RepoArgs;

/// A command of the repository: arguments that know what to do with it.
pub trait RepositoryCommand: clap::Args {
    /// What it is called: `subunit load`.
    const NAME: &'static str;

    /// Runs it, and says how it went.
    ///
    /// # Errors
    ///
    /// When it cannot be done.
    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict>;
}

/// The whole command line of such a command: `-C`, which all have, and its own arguments.
///
/// ```
/// use runs::OnRepository;
/// use runs::list::List;
///
/// let listed = cli::run_with::<OnRepository<List>>(&["-C", "/no/such/folder"], b"");
/// assert!(listed.errors().starts_with("subunit list: "));
/// ```
#[derive(Debug)]
pub struct OnRepository<C> {
    repo: RepoArgs,
    command: C,
}

impl<C: RepositoryCommand> Command for OnRepository<C> {
    /// Runs it, and then writes the repository's notes.
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let lent = Streams { input, output, errors: &mut *errors, terminal, interrupt };
        let done = self.command.run(&self.repo, lent);
        let told = self.repo.notes().into_iter().try_for_each(|note| writeln!(errors, "{note}"));
        let verdict = done?;
        told?;
        Ok(verdict)
    }
}

impl<C: RepositoryCommand> CommandFactory for OnRepository<C> {
    fn command() -> clap::Command {
        let named = clap::Command::new(C::NAME).version(env!("CARGO_PKG_VERSION"));
        // The command's own description comes last, and stays.
        C::augment_args(RepoArgs::augment_args(named))
    }

    fn command_for_update() -> clap::Command {
        let named = clap::Command::new(C::NAME).version(env!("CARGO_PKG_VERSION"));
        C::augment_args_for_update(RepoArgs::augment_args_for_update(named))
    }
}

impl<C: RepositoryCommand> FromArgMatches for OnRepository<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let repo = RepoArgs::from_arg_matches(matches)?;
        Ok(OnRepository { repo, command: C::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.repo.update_from_arg_matches(matches)?;
        self.command.update_from_arg_matches(matches)
    }
}

impl<C: RepositoryCommand> Parser for OnRepository<C> {}
