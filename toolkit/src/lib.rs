//! The command `subunit`: all others are its subcommands.
//!
//! Those that keep runs and answer questions about them are in [`runs`]. Every other one is a command of another
//! crate, and a line in [`others`].

pub mod others;

use cli::{Command, Streams, Verdict};
use runs::{Repo, RepoArgs};

use crate::others::Other;

/// Keep the runs of tests, and work on their streams
///
/// Runs are kept in a repository: the folder .subunit in the working directory or a folder above. A run is named by
/// its number, by -1 (the latest, -2 the one before), by `latest` or by `latest-failing`.
///
/// `subunit ls` is the command subunit-ls, and so with every other command that is named like this.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = cli::help!(
        [
            Passed = "done, and the run succeeded",
            Failed = "done, and the run failed, or tests are failing",
            Incomplete,
            Nothing = "nothing ran, or nothing matched",
            Outstanding,
        ],
        "  subunit init\n  \
           make check | subunit load\n  \
           make check | tee >(subunit load) | subunit2junitxml >report.xml\n  \
           subunit last\n  \
           subunit failing --list"
    )
)]
pub struct Subunit {
    #[command(flatten)]
    repo: RepoArgs,
    #[command(subcommand)]
    command: Subcommand,
}

#[derive(clap::Subcommand, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
enum Subcommand {
    #[command(flatten)]
    Repo(Repo),
    #[command(flatten)]
    Other(Other),
}

impl Command for Subunit {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        match self.command {
            Subcommand::Repo(command) => command.run(&self.repo, streams),
            Subcommand::Other(command) => command.run(streams),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Subunit::command().debug_assert();
    }

    #[test]
    fn every_help_has_examples_and_exit_status() {
        for command in Subunit::command().get_subcommands() {
            let help = cli::run_with::<Subunit>(&[command.get_name(), "--help"], b"");
            let (text, name) = (help.output(), command.get_name());
            assert_eq!(help.verdict, Verdict::Passed, "{name}");
            assert!(
                text.contains("\nExamples:\n") && text.contains("\nExit status:\n  0 "),
                "{name}: {text}"
            );
        }
    }

    #[test]
    fn other_commands_are_subcommands() {
        let packet = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
        let listed = cli::run_with::<Subunit>(&["ls", "--exists"], packet);
        assert_eq!((listed.verdict, listed.output()), (Verdict::Passed, "foo\n"));
    }
}
