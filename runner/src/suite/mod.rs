//! Suites: commands that can list their tests and run some of them.
//!
//! A [`Suite`] is read from the configuration of testrepository or stestr ([`find`], [`read`]). [`Feed`] decides which
//! worker runs which of its tests; [`Run`] does it, over processes that are started for a batch of tests each, or,
//! where the suite has a [`Program`] of ours, are sent one after the other.

mod any_output;
mod command;
mod feed;
mod find;
mod ini;
mod instances;
mod listing;
mod live;
mod output;
mod program;
mod run;
mod sent;
#[cfg(test)]
mod simulation;
mod stestr;
mod test;
mod testr;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::preset::{FeedKind, Recipe};

pub use any_output::{AnyOutput, Format};
pub use feed::{Feed, Planned, Unfinished};
pub use find::{FILES, find, read};
pub use instances::Instances;
pub use listing::{Listing, list};
pub use live::Answer;
pub use output::{Output, Packets};
pub use program::{Program, id_of, line, quoted};
pub use run::{Conditions, Run};
pub use test::{Test, Tests, owner};

/// A command that can list its tests and run some of them, as testrepository describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// The file that it is read from.
    pub source: PathBuf,
    /// Where its commands run.
    pub folder: PathBuf,
    /// What runs tests: a command for the shell, with `$LISTOPT`, `$IDOPTION`, `$IDFILE` and `$IDLIST` in it.
    pub command: String,
    /// The program of ours that `$WORKER` stands for in the command: it is sent one test after the other.
    pub program: Option<Program>,
    /// What stands for `$LISTOPT` when tests are listed; without it they cannot be.
    pub list_option: Option<String>,
    /// What stands for `$IDOPTION` when some tests are run.
    pub id_option: Option<String>,
    /// What stands for `$IDLIST` when tests are listed.
    pub default_ids: String,
    /// A command that prints how many workers there shall be.
    pub concurrency: Option<String>,
    /// A regular expression: tests in which it matches the same text at the beginning are run by the same process.
    pub group: Option<String>,
    /// Tags that are not shown.
    pub filter_tags: Vec<String>,
    /// A command that makes environments, `$INSTANCE_COUNT` of them, and prints their names.
    pub provision: Option<String>,
    /// What runs `$COMMAND` in the environment `$INSTANCE_ID`, to which it takes `$FILES`.
    pub execute: Option<String>,
    /// A command that removes the environments `$INSTANCE_IDS`.
    pub dispose: Option<String>,
    /// What it is called, where a file has several.
    pub name: String,
    /// What stands before the ids of its tests.
    pub prefix: String,
    /// What knows its commands, where they are not those of testrepository's kind.
    pub recipe: Option<Arc<Recipe>>,
    /// More of its commands' environment.
    pub env: BTreeMap<String, String>,
    /// How many workers there shall be.
    pub workers: Option<usize>,
    /// How long things may take.
    pub limits: Limits,
    /// Whether several workers at a time are usual.
    pub is_parallel: bool,
    /// Keys of the file that mean nothing here.
    pub unknown_keys: Vec<String>,
    /// Keys that the file may have.
    pub known_keys: &'static [&'static str],
}

impl Suite {
    /// Whether its workers read ids as they come.
    pub(super) fn is_live(&self) -> bool {
        let feed = self.recipe.as_ref().map(|recipe| recipe.preset.feed);
        self.program.is_some() || feed == Some(FeedKind::Live)
    }

    /// The tests that a program of ours finds, as it is told by these words. Those of Python run side by side, a class
    /// in one process.
    #[must_use]
    pub fn of(program: Program, words: &[String]) -> Self {
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        let python = if program.source().is_some() { "${PYTHON:-python3} " } else { "" };
        let group = match program {
            Program::Pytest => Some(r"[^\[]*::"),
            Program::Unittest => Some(r"([^\.]*\.)*"),
            Program::Executables => None,
        };
        Suite {
            folder: ".".into(),
            command: format!("exec {python}$WORKER $LISTOPT {}", words.join(" ")),
            list_option: Some("--list".to_owned()),
            program: Some(program),
            group: group.map(str::to_owned),
            is_parallel: true,
            ..Suite::default()
        }
    }
}

/// How long things may take; `None` is as long as they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// One test, from its beginning to its end.
    pub test: Option<Duration>,
    /// Between two things that a worker says.
    pub idle: Option<Duration>,
    /// Listing the tests.
    pub listing: Option<Duration>,
}

/// What is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
