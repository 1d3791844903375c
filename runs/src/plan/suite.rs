//! A suite of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use runner::preset::{Preset, Presets, Recipe};
use runner::suite::{Limits, Suite};
use serde::{Deserialize, Deserializer, de::Error as _};

/// All that may be said of a suite.
pub(super) const KEYS: [&str; 14] = [
    "args",
    "command",
    "env",
    "folder",
    "group",
    "id-option",
    "idle-timeout",
    "list-option",
    "list-timeout",
    "prefix",
    "preset",
    "program",
    "timeout",
    "workers",
];

/// A suite, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct SuiteTable {
    preset: Option<String>,
    command: Option<String>,
    list_option: Option<String>,
    id_option: Option<String>,
    args: Args,
    program: Option<String>,
    folder: Option<PathBuf>,
    workers: Option<Workers>,
    group: Option<String>,
    timeout: Option<Limit>,
    idle_timeout: Option<Limit>,
    list_timeout: Option<Limit>,
    env: BTreeMap<String, String>,
    prefix: String,
}

/// As the shell reads them.
#[derive(Debug, Default)]
struct Args(String);

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Words(Vec<String>),
            Text(String),
        }
        Ok(Args(match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Words(words) => {
                words.iter().map(|word| process::shell_word(word)).collect::<Vec<_>>().join(" ")
            }
        }))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Workers {
    Count(usize),
    Word(String),
}

#[derive(Clone, Copy, Debug)]
struct Limit(Duration);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        cli::value::duration(&text).map(Limit).map_err(D::Error::custom)
    }
}

impl SuiteTable {
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
            workers: self.workers.map(count).transpose()?,
            group: self.group.or(suite.group).filter(|group| !group.is_empty()),
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
pub(crate) fn by_preset(preset: Preset, args: String, program: Option<String>) -> anyhow::Result<Suite> {
    if preset.needs_program && program.is_none() && preset.program.is_none() {
        bail!("the preset {} has to be told which program: program = \"PATH\"", preset.name);
    }
    let (command, group, is_parallel) = (preset.run.command.clone(), preset.group.clone(), preset.parallel);
    let recipe = Recipe::new(preset, args, program).context("cannot write the preset's scripts")?;
    let recipe = Some(Arc::new(recipe));
    Ok(Suite { command, group, is_parallel, recipe, ..Suite::default() })
}

fn count(workers: Workers) -> anyhow::Result<usize> {
    match workers {
        Workers::Count(count) => Ok(count.max(1)),
        Workers::Word(word) if word == "cores" => Ok(thread::available_parallelism().map_or(1, usize::from)),
        Workers::Word(word) => bail!("workers is a number or \"cores\", not {word:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_are_known() {
        let table = KEYS.map(|key| match key {
            "env" => "env={A='b'}".to_owned(),
            "args" => "args=['a b']".to_owned(),
            "timeout" | "idle-timeout" | "list-timeout" => format!("{key}='1s'"),
            key => format!("{key}='x'"),
        });
        let read: SuiteTable = toml::from_str(&table.join("\n")).unwrap();
        let unread: Vec<String> = format!("{read:?}").matches(": None").map(str::to_owned).collect();
        assert_eq!(unread, Vec::<String>::new(), "{read:?}");
        assert_eq!(read.args.0, "'a b'");
    }
}
