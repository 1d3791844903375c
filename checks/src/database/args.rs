//! The command line of `check-database`.

use std::path::PathBuf;
use std::time::Duration;

use cli::OptionFacts;
use cli::value::{positive_duration, positive_size};
use net::Url;
use probe::{ProbeArgs, TokenArgs, help_end};

use super::password::PasswordArgs;
use crate::network::NetArgs;

const EXAMPLES: &str = "  check-database /srv/jupyterhub/jupyterhub.sqlite
  check-database --password-file pg.password postgresql://hub@db.example/jupyterhub
  check-database --user user2 --only user.active jupyterhub.sqlite
  check-database --user user2 --expect stopped jupyterhub.sqlite | subunit2junitxml -o database.xml
  check-database --hub https://hub.example --token-file checker.token jupyterhub.sqlite
  check-database -w lock_wait_seconds=100ms -c database_bytes=1GB --list jupyterhub.sqlite";

/// Check the database of a JupyterHub: intact, not locked, consistent
///
/// Each aspect is a test of its own, database.TARGET.ASPECT. Startup and liveness are open; readiness, the default,
/// asks how long readers wait and who keeps others from writing, looks through the file, and compares what its tables
/// say of users, servers and tokens with each other, with what listens and, with --hub, with the hub itself. Nothing is
/// ever written.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-database", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckDatabase {
    /// Databases: files of SQLite (PATH, sqlite:///PATH), or of a server (postgresql://USER@HOST:PORT/NAME, with
    /// ?host=FOLDER for one that listens on a Unix socket)
    #[arg(value_name = "DATABASE")]
    pub databases: Vec<PathBuf>,
    /// The same, as an option
    #[arg(long = "path", visible_alias = "url", value_name = "DATABASE", add = OptionFacts::PLACE)]
    pub more_databases: Vec<PathBuf>,
    /// The password of the server's user.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// A user whose server is looked at; may be repeated
    #[arg(long, value_name = "NAME", add = OptionFacts::of_aspects(&["user.active", "user.stopped"]))]
    pub user: Vec<String>,
    /// What the users' servers are expected to be (default: what an aspect selected by name says, else active)
    #[arg(long, value_name = "STATE", requires = "user", add = OptionFacts::of_aspects(&["user.active", "user.stopped"]))]
    pub expect: Option<Expected>,
    /// Which server of the users (default: the one without a name)
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true, requires = "user", add = OptionFacts::of_aspects(&["user.active", "user.stopped"]))]
    pub server_name: String,
    /// A revision of the schema that is right; may be repeated (default: every one that is known)
    #[arg(long, value_name = "REVISION", add = OptionFacts::of_aspects(&["schema"]))]
    pub revision: Vec<String>,
    /// How long to wait for those who have the database locked
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = positive_duration, add = OptionFacts::TARGET)]
    pub lock_timeout: Duration,
    /// Up to which size a file is copied into memory to be looked through, so that nobody has to wait for it; a
    /// larger one is looked through in place, for a second at most
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = positive_size, add = OptionFacts::of_aspects(&["integrity"]))]
    pub max_copy: u64,
    /// Where the hub is, to compare with; the token must have the scopes list:users and read:servers
    #[arg(long, value_name = "URL", add = OptionFacts::of_aspects(&["cross"]))]
    pub hub: Option<Url>,
    /// The token for the hub.
    #[command(flatten)]
    pub token: TokenArgs,
    /// How to get to the hub.
    #[command(flatten)]
    pub net: NetArgs,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

/// What a user's server is expected to be.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It runs.
    Active,
    /// It does not.
    Stopped,
}

impl CheckDatabase {
    /// All that are named.
    pub(super) fn all_databases(&self) -> impl Iterator<Item = &PathBuf> {
        self.databases.iter().chain(&self.more_databases)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use cli::Verdict;

    use super::*;
    use crate::Run;

    #[test]
    fn the_arguments_are_sound() {
        CheckDatabase::command().debug_assert();
    }

    fn check(args: &[&str], expected: &str) {
        let args = [&["--list", "--format=human"], args, &["/srv/hub.sqlite"]].concat();
        let outcome = cli::run_with::<Run<CheckDatabase>>(&args, b"");
        assert_eq!((outcome.verdict, outcome.output()), (Verdict::Passed, expected), "{}", outcome.errors());
    }

    #[test]
    fn a_user_is_looked_at_as_is_expected() {
        let user = "--user=user2";
        check(&["--only=user.*", user], "database.hub.user.active\n");
        check(&["--only=servers", user], "database.hub.user.active\n");
        check(&["--only=spawners", user, "--expect=stopped"], "database.hub.user.stopped\n");
        check(&["--only=user.stopped", user], "database.hub.user.stopped\n");
        check(&["--only=token"], "database.hub.tokens\n");
    }

    #[test]
    fn a_password_in_the_address_is_refused() {
        let outcome = cli::run_with::<Run<CheckDatabase>>(&["postgresql://hub:hunter2@db/jh"], b"");
        let text = format!("{}{}", outcome.output(), outcome.errors());
        assert_eq!(outcome.verdict, Verdict::Error, "{text}");
        assert!(text.contains("--password-file") && !text.contains("hunter2"), "{text}");
    }
}
