//! The command of a task, and what it is told.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::json;

use super::Job;
use crate::file::value::{OneOrMore, Scalar};

impl Job {
    /// The command, with its environment.
    pub(super) fn command(&self) -> io::Result<Command> {
        let table = &self.task.table;
        let mut command = match &table.run {
            Some(run) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", run]);
                shell
            }
            None => self.check()?,
        };
        command.current_dir(&self.task.folder).stdin(Stdio::null());
        command.envs(self.task.params.iter().map(|(name, value)| (parameter(name), value.to_string())));
        let made = table.produces.iter().map(|datum| (variable(datum), Job::made(&self.scratch, datum)));
        command.envs(made).envs(self.data.iter().map(|(datum, path)| (variable(datum), path)));
        command.env("SUBUNIT_CONTEXT", self.context()).env("SUBUNIT_METRICS", self.metrics());
        command.envs(&table.env).envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// This program, as check-all over one target.
    fn check(&self) -> io::Result<Command> {
        let table = &self.task.table;
        let mut target = format!(
            "[[target]]\nname = {}\ncheck = {}\n",
            json!(self.task.name),
            json!(table.check.as_ref().map(|check| check.as_str()))
        );
        for (option, value) in &table.with {
            let values: Vec<String> = value.as_slice().iter().map(written).collect();
            let value = match value {
                OneOrMore::One(_) => values.concat(),
                OneOrMore::More(_) => format!("[{}]", values.join(", ")),
            };
            target += &format!("{option} = {value}\n");
        }
        let config = self.scratch.join("target.toml");
        fs::write(&config, target)?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["check", "all", "--format", "subunit", "--config"]).arg(config);
        Ok(command)
    }

    /// The file that tells a task what it has.
    pub(super) fn context(&self) -> PathBuf {
        self.scratch.join("context.json")
    }

    /// The file in which it may leave numbers.
    pub(super) fn metrics(&self) -> PathBuf {
        self.scratch.join("metrics.json")
    }

    /// What is in the file that tells it what it has.
    pub(super) fn told(&self) -> String {
        let made = |datum: &str| Job::made(&self.scratch, datum);
        let produces = self.task.table.produces.iter().map(|datum| (datum.to_string(), json!(made(datum))));
        let told = json!({
            "task": self.task.name,
            "id": self.task.id,
            "params": self.task.params,
            "requires": self.data,
            "produces": produces.collect::<serde_json::Map<_, _>>(),
        });
        format!("{told:#}\n")
    }
}

/// The variable that says where a datum is.
#[must_use]
pub fn variable(datum: &str) -> String {
    format!("SUBUNIT_DATA_{}", upper(datum))
}

/// The variable that a parameter is.
fn parameter(name: &str) -> String {
    format!("SUBUNIT_PARAM_{}", upper(name))
}

fn upper(name: &str) -> String {
    name.chars().map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_uppercase() } else { '_' }).collect()
}

/// A value as TOML has it.
fn written(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => json!(text).to_string(),
        other => other.to_string(),
    }
}

/// What can be seen of a file without reading it: whether it is another one than before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileState(Option<(Option<SystemTime>, u64)>);

impl FileState {
    pub(super) fn of(path: Option<&Path>) -> Self {
        let seen = path.and_then(|path| fs::metadata(path).ok());
        FileState(seen.map(|seen| (seen.modified().ok(), seen.len())))
    }
}
