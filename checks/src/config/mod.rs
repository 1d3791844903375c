//! Configuration files: which targets there are, by which check, within which limits.
//!
//! ```toml
//! [defaults]                     # for all targets: options that all checks have
//! timeout = "10s"
//!
//! [[target]]
//! name = "user"                  # in the test ids: eos.user.…
//! check = "eos"                  # which check: eos, http, …
//! path = "/eos/user"             # what and how: the options of check-eos, as on its command line
//! probe = "deep"
//! samples = 10
//! skip = ["throughput"]
//! tags = ["storage"]
//! expect-fail = ["eos.user.space=the quota is being raised,until=2027-01-31"]
//! after = ["hub"]                # skipped when a test of this target fails
//! on = "ssh:worker1"             # looked at from there, by check-all; a list is several places
//!
//! [target.thresholds]
//! response_seconds = { warning = "500ms", critical = "2s" }
//! write_mbps = { critical = "20:" }
//! ```
//!
//! A target's options are those of its check's command line, by their long names: a list gives one several
//! times, `true` is a flag. What a file and the command line both say, the command line says; what it selects is
//! selected among what the file does.
//!
//! The `test.yaml` of SWAN's testing framework is taken as it is, too: a file whose name ends in `.yaml` or `.yml`.
//!
//! Without `--config` and without a target on the command line, `subunit-checks.toml` is looked for here, in the
//! user's configuration folder and in the system's, see [`find`].

mod blame;
#[cfg(test)]
mod configured;
mod expand;
mod find;
mod places;
mod swan;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use cli::suggest;
use serde::Deserialize;

pub use expand::{Configured, Expanded, expand, expand_target};
pub use find::find;
use places::Places;
use swan::SecretFile;
pub use target::TargetConfig;
use target::one_or_many;

/// A configuration file.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// Where it was read.
    #[serde(skip)]
    pub path: PathBuf,
    /// Options for all targets.
    #[serde(default)]
    pub defaults: toml::Table,
    /// The targets, each after those it names in `after`.
    #[serde(default, rename = "target")]
    pub targets: Vec<TargetConfig>,
    #[serde(flatten)]
    unknown: toml::Table,
    /// Where in the file all that stands.
    #[serde(skip)]
    places: Places,
    /// Files with the secrets that stand in the file itself, which others can read as long as this lives.
    #[serde(skip)]
    _kept: Vec<Arc<SecretFile>>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or does not say what it must; the text says where and, of a misspelt word, what
    /// may have been meant.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let config = if is_yaml { swan::parse(&text) } else { Config::parse(&text) };
        let config = config.with_context(|| path.display().to_string())?;
        Ok(Config { path: path.to_owned(), ..config })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// As [`Config::read`].
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        // The parser's words are several lines with a picture of the place: one of them is enough.
        let mut config: Config = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1));
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            anyhow::anyhow!("{place}{}", error.message())
        })?;
        let places = Places::of_toml(text);
        if let Some(key) = config.unknown.keys().next() {
            let line = places.shown("", key);
            bail!("{line}there is no `{key}`{}", suggest(key, ["target", "defaults"]));
        }
        let mut targets = ordered(config.targets, &places)?;
        if let Some(on) = config.defaults.remove("on") {
            let line = places.shown("", "defaults.on");
            let on = one_or_many(on).map_err(|error| anyhow::anyhow!("{line}{}", error.message()))?;
            targets
                .iter_mut()
                .filter(|target| target.on.is_empty())
                .for_each(|target| target.on.clone_from(&on));
        }
        Ok(Config { targets, places, ..config })
    }

    /// The targets of a check.
    pub fn of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a TargetConfig> {
        self.targets.iter().filter(move |target| target.check == check)
    }
}

/// The targets, each after those it names; else in the order in which they stand.
fn ordered(mut waiting: Vec<TargetConfig>, places: &Places) -> anyhow::Result<Vec<TargetConfig>> {
    for target in &waiting {
        let others = waiting.iter().map(|other| other.name.as_str());
        ensure!(
            others.clone().filter(|name| *name == target.name).count() == 1,
            "{}two targets are named {}",
            places.shown(&target.name, "name"),
            target.name
        );
        if let Some(name) = target.after.iter().find(|name| !others.clone().any(|other| other == *name)) {
            let suggestion = suggest(name, others);
            let line = places.shown(&target.name, "after");
            bail!("{line}target {}: `after` names {name}, which is not a target{suggestion}", target.name);
        }
    }
    let mut done: Vec<TargetConfig> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |target: &TargetConfig| {
            target.after.iter().all(|name| done.iter().any(|other| other.name == *name))
        };
        let Some(next) = waiting.iter().position(is_ready) else {
            let names: Vec<_> = waiting.iter().map(|target| target.name.as_str()).collect();
            bail!("the targets {} wait for each other", names.join(", "));
        };
        done.push(waiting.remove(next));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        match (Config::parse(text), expected) {
            (Ok(config), Ok(names)) => {
                let found: Vec<_> = config.targets.iter().map(|target| target.name.as_str()).collect();
                assert_eq!(found, names);
            }
            (Err(error), Err(expected)) => assert_eq!(format!("{error:#}"), expected),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    fn targets(all: &[(&str, &str)]) -> String {
        let target = |(name, after): &(&str, &str)| {
            format!("[[target]]\nname = '{name}'\ncheck = 'eos'\nafter = [{after}]\n")
        };
        all.iter().map(target).collect()
    }

    #[test]
    fn targets_come_after_those_they_build_on() {
        check(&targets(&[("a", ""), ("b", "")]), Ok(&["a", "b"]));
        check(&targets(&[("a", "'c'"), ("b", ""), ("c", "'b'")]), Ok(&["b", "c", "a"]));
        check(&targets(&[("a", "'b'"), ("b", "'a'")]), Err("the targets a, b wait for each other"));
        check(&targets(&[("a", ""), ("a", "")]), Err("line 6: two targets are named a"));
        check(
            &targets(&[("user", "'usr'")]),
            Err("line 4: target user: `after` names usr, which is not a target; is it `user`?"),
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        check("[[targets]]\nname = 'a'", Err("line 1: there is no `targets`; is it `target`?"));
        check("[[target]]\nname = 'a'", Err("line 1: missing field `check`"));
        check("a = 1\nb = ", Err("line 2: string values must be quoted, expected literal string"));
    }
}
