//! A target of a configuration file, and the command line that it stands for.

use std::ffi::OsString;

use anyhow::{bail, ensure};
use clap::ArgAction;
use cli::{OptionFacts, suggest};
use serde::{Deserialize, Deserializer};
use toml::Value;
use transport::LOCAL;

/// A target: what to check, by which check, with which options.
#[derive(Clone, Debug, Deserialize)]
pub struct TargetConfig {
    /// Its name, in the test ids and for other targets.
    pub name: String,
    /// The check: `eos`.
    pub check: String,
    /// The targets that it builds on.
    #[serde(default)]
    pub after: Vec<String>,
    /// From where it is looked at, when not from here: `ssh:host`, `container:name`.
    #[serde(default, deserialize_with = "one_or_many")]
    pub on: Vec<String>,
    /// The options of its check, as on the command line.
    #[serde(flatten)]
    pub options: toml::Table,
}

/// Words of the file for options with other names.
const ALIASES: [(&str, &str); 1] = [("tags", "tag")];

impl TargetConfig {
    /// Whether it is looked at from this machine, which is what `local` stands for.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.on.is_empty() || self.on.iter().any(|place| place == LOCAL)
    }

    /// The arguments that it stands for, those of `defaults` first.
    ///
    /// # Errors
    ///
    /// When there is no such option, or an option cannot have such a value.
    pub fn arguments(&self, defaults: &toml::Table, known: &clap::Command) -> anyhow::Result<Vec<OsString>> {
        let mut arguments = vec![OsString::from("--name"), OsString::from(&self.name)];
        let own = |key: &str| self.options.keys().any(|other| long(other) == long(key));
        for table in [defaults, &self.options] {
            ensure_once(table)?;
        }
        for (key, value) in defaults.iter().filter(|(key, _)| !own(key)).chain(&self.options) {
            if key == "thresholds" {
                thresholds(value, &mut arguments)?;
            } else {
                option(key, value, known, &mut arguments)?;
            }
        }
        Ok(arguments)
    }
}

/// A text, or a list of them.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a place or a list of places")]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Texts::deserialize(value).map(|texts| match texts {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    })
}

fn long(key: &str) -> String {
    let name = key.replace('_', "-");
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, other)| (*other).to_owned())
}

fn option(
    key: &str,
    value: &Value,
    known: &clap::Command,
    arguments: &mut Vec<OsString>,
) -> anyhow::Result<()> {
    let name = long(key);
    let longs = || {
        let all = known.get_arguments().filter(|argument| !argument.is_hide_set());
        all.filter(|argument| !OptionFacts::of(argument).is_of_run()).filter_map(clap::Arg::get_long)
    };
    let argument = known.get_arguments().find(|argument| argument.get_long() == Some(&name));
    if is_help(&name) || argument.is_some_and(|argument| OptionFacts::of(argument).is_of_run()) {
        bail!("`{key}` is about a whole run, not about a target: give it on the command line");
    }
    let Some(argument) = argument else {
        let words = longs().chain(["thresholds", "after", "on", "tags"]);
        bail!(
            "check-{} has no `{key}`{}",
            known.get_name().trim_start_matches("check-"),
            suggest(key, words)
        );
    };
    let takes_value = argument.get_action().takes_values();
    let takes_many = matches!(argument.get_action(), ArgAction::Append);
    let values = match value {
        Value::Array(values) if takes_many => values.as_slice(),
        Value::Array(_) if takes_value => bail!("`{key}` is one value"),
        one => std::slice::from_ref(one),
    };
    for value in values {
        match value {
            Value::Boolean(given) if !takes_value => {
                arguments.extend(given.then(|| OsString::from(format!("--{name}"))));
            }
            value => {
                ensure!(takes_value, "`{key}` is true or false, not {value}");
                arguments.push(OsString::from(format!("--{name}={}", text(key, value)?)));
            }
        }
    }
    Ok(())
}

/// Whether no option is there twice, in two spellings.
fn ensure_once(options: &toml::Table) -> anyhow::Result<()> {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for key in options.keys() {
        let name = long(key);
        if let Some((_, other)) = seen.iter().find(|(seen, _)| *seen == name) {
            bail!("`{other}` and `{key}` are the same option");
        }
        seen.push((name, key));
    }
    Ok(())
}

/// Whether it is an option that a command has once it is built, and is about no target.
fn is_help(name: &str) -> bool {
    ["help", "version"].contains(&name)
}

/// `thresholds.METRIC = { warning = RANGE, critical = RANGE }`.
fn thresholds(value: &Value, arguments: &mut Vec<OsString>) -> anyhow::Result<()> {
    let Value::Table(metrics) = value else { bail!("`thresholds` is a table of metrics") };
    for (metric, ranges) in metrics {
        let Value::Table(ranges) = ranges else {
            bail!("the threshold of {metric} is {{ warning = RANGE, critical = RANGE }}");
        };
        for (kind, range) in ranges {
            ensure!(
                ["warning", "critical"].contains(&kind.as_str()),
                "a threshold has no `{kind}`{}",
                suggest(kind, ["warning", "critical"])
            );
            arguments.push(OsString::from(format!("--{kind}={metric}={}", text(metric, range)?)));
        }
    }
    Ok(())
}

fn text(key: &str, value: &Value) -> anyhow::Result<String> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(word) => word.to_string(),
        Value::Datetime(time) => time.to_string(),
        Value::Array(_) | Value::Table(_) => bail!("`{key}` is one value"),
    })
}
