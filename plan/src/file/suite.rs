//! A suite of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use runner::preset::{Preset, Presets, Recipe};
use runner::suite::{Limits, Retries, Suite};
use schemars::JsonSchema;
use serde::Deserialize;

use super::At;
use super::task::Flaky;
use super::value::{Time, Words, Workers};
use crate::compile::Said;

/// A command that can list its tests and run some of them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct SuiteTable {
    /// The preset that knows its commands: `subunit presets` lists them.
    pub preset: Option<String>,
    /// Its command, with `$LISTOPT`, `$IDOPTION`, `$IDFILE` and `$IDLIST` in it, as .testr.conf has it.
    pub command: Option<String>,
    /// What stands for `$LISTOPT` when tests are listed.
    pub list_option: Option<String>,
    /// What stands for `$IDOPTION` when some tests are run.
    pub id_option: Option<String>,
    /// What stands for `$ARGS` in the commands of the preset.
    pub args: Words,
    /// What stands for `$PROGRAM` in the commands of the preset.
    pub program: Option<String>,
    /// Where its commands run, from the file.
    pub folder: Option<PathBuf>,
    /// How many workers run at a time.
    pub workers: Option<Workers>,
    /// A regular expression: tests in which it matches the same text at the beginning stay together.
    pub group: Option<String>,
    /// How long one test may take.
    pub timeout: Option<Time>,
    /// How long a worker may say nothing.
    pub idle_timeout: Option<Time>,
    /// How long listing the tests may take.
    pub list_timeout: Option<Time>,
    /// How often a test is run again when it fails.
    pub retries: u32,
    /// What a test counts as that fails first and passes then.
    pub flaky: Flaky,
    /// More of the environment of its commands.
    pub env: BTreeMap<String, String>,
    /// What stands before the ids of its tests.
    pub prefix: String,
    /// The nodes that its workers run at: groups of nodes, or `local`.
    pub on: Vec<At<String>>,
    /// The tasks and suites that it comes after: it is skipped when one of them fails.
    pub after: Vec<At<String>>,
    /// Data that it needs, from whichever task produces them.
    pub requires: Vec<At<String>>,
    /// The services that it needs.
    pub services: Vec<At<String>>,
}

impl SuiteTable {
    /// What it says of its order.
    pub(crate) fn said<'a>(&'a self, name: &'a str, offset: usize) -> Said<'a> {
        let (after, requires) = (self.after.as_slice(), self.requires.as_slice());
        Said { kind: "suite", name, offset, after, requires, produces: &[], always: false, units: Vec::new() }
    }

    /// The suite that it describes.
    pub(super) fn suite(self, name: &str, folder: &Path, presets: &Presets) -> anyhow::Result<Suite> {
        let folder = self.folder.as_ref().map_or_else(|| folder.to_owned(), |own| folder.join(own));
        let suite = match (&self.preset, &self.command) {
            (Some(_), Some(_)) => bail!("it says both preset and command"),
            (None, None) => bail!("it says neither preset nor command"),
            (Some(preset), None) => {
                let known = presets.iter().map(|preset| preset.name.as_str());
                let guess = || cli::suggest(preset, known);
                let Some(preset) = presets.get(preset) else {
                    bail!("there is no preset {preset}{}", guess())
                };
                by_preset(preset.clone(), self.args.0, self.program)?
            }
            (None, Some(command)) => Suite {
                list_option: Some(self.list_option.unwrap_or_else(|| "--list".to_owned()))
                    .filter(|_| command.contains("$LISTOPT")),
                id_option: Some(self.id_option.unwrap_or_else(|| "--load-list $IDFILE".to_owned())),
                command: command.clone(),
                ..Suite::default()
            },
        };
        if !folder.is_dir() {
            bail!("folder {} is none", folder.display());
        }
        Ok(Suite {
            name: name.to_owned(),
            folder,
            prefix: self.prefix,
            env: self.env,
            workers: self.workers.map(|workers| workers.0),
            group: self.group.or(suite.group).filter(|group| !group.is_empty()),
            retries: Retries { most: self.retries, flaky_fails: self.flaky == Flaky::Fail },
            limits: Limits {
                test: self.timeout.map(|limit| limit.0),
                idle: self.idle_timeout.map(|limit| limit.0),
                listing: self.list_timeout.map(|limit| limit.0),
            },
            ..suite
        })
    }
}

/// A suite that a preset describes.
///
/// # Errors
///
/// When its scripts cannot be written.
pub fn by_preset(preset: Preset, args: String, program: Option<String>) -> anyhow::Result<Suite> {
    if preset.needs_program && program.is_none() && preset.program.is_none() {
        bail!("the preset {} has to be told which program: program = \"PATH\"", preset.name);
    }
    let (command, group, is_parallel) = (preset.run.command.clone(), preset.group.clone(), preset.parallel);
    let recipe = Recipe::new(preset, args, program).context("cannot write the preset's scripts")?;
    let recipe = Some(Arc::new(recipe));
    Ok(Suite { command, group, is_parallel, recipe, ..Suite::default() })
}
