//! `--print-config`: all options that hold, as a configuration file that says the same.

use clap::parser::ValueSource;
use probe::ProbeArgs;
use toml::{Table, Value};
use transport::LOCAL;

use super::args::Given;
use super::remote::RemoteArgs;
use super::unit::{Effective, OptionInForce, arguments, chosen, entry_of};
use crate::config::Config;

/// What holds for each target, the usual values of options included.
///
/// # Errors
///
/// When the configuration is wrong.
pub(super) fn print(
    config: &Config,
    shared: &ProbeArgs,
    remote: &RemoteArgs,
    given: &Given,
) -> anyhow::Result<String> {
    let mut text = format!("# What holds, as {} and the command line say it.\n", config.path.display());
    for (word, patterns) in [("only", &shared.only), ("skip", &shared.skip)] {
        for pattern in patterns {
            text += &format!("# Among all tests, --{word} {pattern}.\n");
        }
    }
    for target in chosen(config, &shared.name)? {
        let entry = entry_of(target, config)?;
        let args = arguments(target, entry, shared, given);
        let effective = Effective::new(target, config, entry, &args)?;
        let mut table = Table::new();
        for (long, OptionInForce { values, source, facts }) in effective.options() {
            let is_usual = source == ValueSource::DefaultValue;
            if facts.is_of_run() || (facts.needs_state && is_usual) {
                continue;
            }
            let values = values.iter().map(|value| Value::String(shown(&value.to_string_lossy())));
            let mut values: Vec<_> = values.collect();
            let value = match values.len() {
                0 => Value::Boolean(true),
                1 => values.remove(0),
                _ => Value::Array(values),
            };
            table.insert(long, value);
        }
        let mut head = Table::new();
        head.insert("name".to_owned(), Value::String(target.name.clone()));
        head.insert("check".to_owned(), Value::String(target.check.clone()));
        if !target.after.is_empty() {
            let names = target.after.iter().cloned().map(Value::String).collect();
            head.insert("after".to_owned(), Value::Array(names));
        }
        let on: Vec<_> = remote.sites(target, config)?.iter().map(ToString::to_string).collect();
        if on != [LOCAL] {
            head.insert("on".to_owned(), Value::Array(on.into_iter().map(Value::String).collect()));
        }
        text += &format!("\n[[target]]\n{head}{table}");
    }
    Ok(text)
}

/// The value without the password of an address, and without the place of a secret that is in the file itself.
fn shown(value: &str) -> String {
    if value.starts_with(&format!("/proc/{}/fd/", std::process::id())) {
        return process::REDACTED.to_owned();
    }
    process::without_passwords(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let check = |value, expected| assert_eq!(shown(value), expected);
        check("postgres://hub:secret@db/hub", "postgres://[redacted]@db/hub");
        check("ssh://a@b/c:d@e", "ssh://a@b/c:d@e");
        check("/eos/user", "/eos/user");
    }
}
