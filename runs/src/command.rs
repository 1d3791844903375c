//! What a command of the repository is, and its command line.

use std::ffi::OsString;

use clap::{ArgMatches, Args as _, CommandFactory, FromArgMatches, Parser};
use cli::{Command, Streams, Verdict};

use super::repo_args::RepoArgs;

/// A command of the repository: arguments that know what to do with it.
pub trait RepositoryCommand: clap::Args {
    /// What it is called: `subunit load`.
    const NAME: &'static str;

    /// How it ends where the repository has no runs yet, which it is told by an error of whatever it asked.
    fn without_runs(&self) -> Verdict {
        Verdict::Nothing
    }

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
    pub(super) command: C,
}

impl<C: RepositoryCommand> Command for OnRepository<C> {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        self.run_as(&[], streams)
    }

    /// Runs it, and then writes the repository's notes.
    fn run_as(self, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let without_runs = self.command.without_runs();
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let lent = Streams { input, output, errors: &mut *errors, terminal, interrupt };
        let done = self.command.run(&self.repo, lent);
        let told = self.repo.notes().into_iter().try_for_each(|note| writeln!(errors, "{note}"));
        let verdict = match done {
            Err(error) if has_no_runs(&error) => {
                let called = args.first().map(|name| name.to_string_lossy());
                let called = called.as_deref().filter(|name| name.starts_with("subunit "));
                writeln!(errors, "{}: {error:#}", called.unwrap_or(C::NAME))?;
                without_runs
            }
            done => done?,
        };
        told?;
        Ok(verdict)
    }
}

fn has_no_runs(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(repository::Error::NoRuns { .. })))
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

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, subunit};

    /// Commands that are about a run, with what they need.
    const ABOUT_RUNS: [&[&str]; 20] = [
        &["compare"],
        &["compare", "1", "2"],
        &["export"],
        &["failing"],
        &["failing", "--list"],
        &["flaky"],
        &["history"],
        &["history", "a"],
        &["last"],
        &["list"],
        &["list", "7"],
        &["log", "a"],
        &["log", "--run=latest", "a"],
        &["merge", "1", "2"],
        &["pin", "1"],
        &["prune", "--run=1"],
        &["show", "latest-failing"],
        &["show", "1"],
        &["slowest"],
        &["unpin", "-1"],
    ];

    #[test]
    fn no_runs_yet_is_one_exit_code_and_one_sentence() {
        let repo = Repo::with(&[]);
        for args in ABOUT_RUNS {
            let outcome = repo.run(args, b"");
            assert_eq!((outcome.verdict.code(), outcome.output()), (4, ""), "{args:?}: {}", outcome.errors());
            let said = format!("subunit {}: no runs yet in ", args[0]);
            assert!(outcome.errors().starts_with(&said), "{args:?}: {}", outcome.errors());
        }
        for args in
            [&["failing", "--allow-empty"][..], &["last", "--allow-empty"], &["show", "1", "--allow-empty"]]
        {
            assert_eq!(repo.run(args, b"").verdict.code(), 0, "{args:?}");
        }
    }

    #[test]
    fn what_asks_nothing_of_runs_needs_none() {
        let repo = Repo::with(&[]);
        for args in [&["info"][..], &["rebuild"], &["prune", "--keep=3"]] {
            assert_eq!(repo.run(args, b"").verdict.code(), 0, "{args:?}");
        }
    }

    #[test]
    fn no_repository_is_an_error() {
        for args in ABOUT_RUNS {
            let outcome = subunit(&[args, &["-C", "/no/such/folder"]].concat(), b"");
            assert_eq!(outcome.verdict.code(), 2, "{args:?}: {}", outcome.errors());
        }
    }
}
