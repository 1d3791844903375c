//! Suites: commands that can list their tests and run some of them.
//!
//! A [`Suite`] is read from the configuration of testrepository or stestr ([`find`], [`read`]). [`Feed`] decides which
//! worker runs which of its tests; [`Run`] does it, over processes that are started for a batch of tests each, or,
//! where workers can read ids, are sent one after the other.

mod any_output;
mod attempts;
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
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::preset::{FeedKind, Naming, Recipe};

pub use any_output::{AnyOutput, Format};
pub use attempts::Retries;
pub use feed::{Feed, Planned, Unfinished};
pub use find::{FILES, find, here, read};
pub use instances::Instances;
pub use listing::{Listing, list};
pub use live::Answer;
pub use output::{Output, Packets};
pub use program::{Program, id_of, line};
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
    /// How often a test that fails is tried again.
    pub retries: Retries,
    /// How long things may take.
    pub limits: Limits,
    /// Whether several workers at a time are usual.
    pub is_parallel: bool,
    /// Where files with ids are put; without it, where temporary files are.
    pub scratch: Option<PathBuf>,
    /// Keys of the file that mean nothing here.
    pub unknown_keys: Vec<String>,
    /// Keys that the file may have.
    pub known_keys: &'static [&'static str],
}

impl Suite {
    /// Folders that are there as long as it is.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        self.recipe.iter().map(|recipe| recipe.scripts()).collect()
    }

    /// How its tests are named, where a preset says so.
    pub(super) fn naming(&self) -> Option<&Naming> {
        self.recipe.as_ref().map(|recipe| &recipe.preset.test)
    }

    /// What stands between one of its tests and what is within it.
    pub(super) fn subtests(&self) -> Option<&str> {
        self.naming()?.subtests.as_deref()
    }

    /// Whether its workers read ids as they come.
    pub(super) fn is_live(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| recipe.preset.feed == FeedKind::Live)
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
