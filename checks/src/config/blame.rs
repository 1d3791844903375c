//! Which option of a target is to blame for an error.

use clap::error::ErrorKind;
use probe::{MetricKind, Thresholds};
use toml::{Table, Value};

use super::{Config, TargetConfig};

impl Config {
    /// The error with the place in the file that it is about.
    pub(crate) fn blame(
        &self,
        target: &TargetConfig,
        command: &clap::Command,
        metrics: &'static [MetricKind],
        error: anyhow::Error,
    ) -> anyhow::Error {
        let key =
            culprit(target, self, command, metrics, &process::chain(error.as_ref())).unwrap_or_default();
        error.context(self.place(target, &key))
    }

    /// `FILE: line 7: target NAME`.
    pub(crate) fn place(&self, target: &TargetConfig, key: &str) -> String {
        format!("{}: {}target {}", self.path.display(), self.places.shown(&target.name, key), target.name)
    }
}

/// The key that is wrong by itself, else the one that the error names.
fn culprit(
    target: &TargetConfig,
    config: &Config,
    command: &clap::Command,
    metrics: &'static [MetricKind],
    error: &str,
) -> Option<String> {
    let options = || config.defaults.iter().chain(&target.options);
    let alone = |(key, value): (&String, &Value)| wrong(target, key, value, command, metrics);
    options().find_map(alone).or_else(|| {
        let is_named = |(key, value): &(&String, &Value)| {
            let values = value.as_array().map_or(std::slice::from_ref(*value), Vec::as_slice);
            let long = key.replace('_', "-");
            error.contains(&format!("--{long} "))
                || error.contains(&format!("--{long}'"))
                || values.iter().filter_map(Value::as_str).any(|text| error.contains(&format!("`{text}`")))
        };
        options().find(is_named).map(|(key, _)| key.clone())
    })
}

/// The key, or the key in it, that would be wrong even if there were no other.
fn wrong(
    target: &TargetConfig,
    key: &str,
    value: &Value,
    command: &clap::Command,
    metrics: &'static [MetricKind],
) -> Option<String> {
    if let ("thresholds", Value::Table(all)) = (key, value) {
        let part = |(metric, ranges): (&String, &Value)| {
            let one = Value::Table(Table::from_iter([(metric.clone(), ranges.clone())]));
            is_wrong(target, key, &one, command, metrics).then(|| format!("{key}.{metric}"))
        };
        return all.iter().find_map(part);
    }
    is_wrong(target, key, value, command, metrics).then(|| key.to_owned())
}

fn is_wrong(
    target: &TargetConfig,
    key: &str,
    value: &Value,
    command: &clap::Command,
    metrics: &'static [MetricKind],
) -> bool {
    let options = Table::from_iter([(key.to_owned(), value.clone())]);
    let alone = TargetConfig { options, ..target.clone() };
    let Ok(arguments) = alone.arguments(&Table::new(), command) else { return true };
    let program = std::iter::once(command.get_name().into());
    let matches = command.clone().try_get_matches_from(program.chain(arguments));
    let matches = match matches {
        Ok(matches) => matches,
        // Without the others it need not make sense.
        Err(error) => {
            return !matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict);
        }
    };
    let ranges = |id| matches.get_many::<String>(id).into_iter().flatten().cloned().collect::<Vec<_>>();
    Thresholds::parse(metrics, &ranges("warning"), &ranges("critical")).is_err()
}
