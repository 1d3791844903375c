//! A service of the file, and what happens to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::At;
use super::nodes::DemandTable;
use super::task::Keep;
use super::value::{OneOrMore, Scalar, Size, Time};

/// Processes that tasks need.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct ServiceTable {
    /// What is run: a command for the shell, which goes on as long as the service does.
    pub start: String,
    /// Where it runs, from the file.
    pub folder: Option<PathBuf>,
    /// More of its environment.
    pub env: BTreeMap<String, String>,
    /// The nodes that it runs at.
    pub nodes: Option<DemandTable>,
    /// The services that it needs.
    pub services: Vec<At<String>>,
    /// Files that are put there before it is started.
    pub files: BTreeMap<String, FileTable>,
    /// What has to hold until it can be used.
    pub ready: Vec<ReadyTable>,
    /// How long that may take.
    pub ready_timeout: Option<Time>,
    /// How it is stopped.
    pub stop: StopTable,
    /// A command that removes what it leaves behind; it is run before it is started, too.
    pub clean: Option<String>,
    /// Its logs.
    pub logs: BTreeMap<String, LogTable>,
    /// Regular expressions: a line of its logs in which one is found is a failure.
    pub fail_on_log: Vec<String>,
    /// How long it goes on.
    pub scope: Scope,
}

/// How long a service goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// For one test.
    #[default]
    Test,
    /// For one suite.
    Suite,
    /// For the run.
    Run,
}

/// A file that is put somewhere: one of the three.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct FileTable {
    /// A file whose variables are filled in.
    pub template: Option<PathBuf>,
    /// A file as it is.
    pub copy: Option<PathBuf>,
    /// What is in it.
    pub text: Option<String>,
}

/// What has to hold until a service can be used: one of the five.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct ReadyTable {
    /// A regular expression that is found in what it has written since it was started.
    pub log: Option<String>,
    /// An address that takes connections: `HOST:PORT`, or `:PORT` at its node.
    pub tcp: Option<String>,
    /// An address of HTTP that answers with success.
    pub http: Option<String>,
    /// A command that succeeds.
    pub run: Option<String>,
    /// A check that passes.
    pub check: Option<At<String>>,
    /// The options of the check.
    pub with: BTreeMap<String, OneOrMore<Scalar>>,
    /// How often it is looked at.
    pub every: Option<Time>,
}

/// How a service is stopped.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct StopTable {
    /// The signal that asks it to end.
    pub signal: Option<String>,
    /// How long it has until it is killed.
    pub grace: Option<Time>,
}

/// A log of a service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct LogTable {
    /// Where it is, at the service's node.
    pub path: PathBuf,
    /// When it becomes an attachment.
    pub keep: Option<Keep>,
    /// How much of its end, at most.
    pub limit: Option<Size>,
}

/// Something that happens while a task runs: when, and one thing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct EventTable {
    /// How long after the task has begun.
    pub at: Option<Time>,
    /// After this regular expression is found in a log of the service.
    pub after_log: Option<String>,
    /// The service that is killed: `db[0]`.
    pub kill: Option<String>,
    /// The service that is stopped.
    pub stop: Option<String>,
    /// The service that is stopped and started.
    pub restart: Option<String>,
    /// The service that is paused.
    pub pause: Option<String>,
    /// How long a pause takes.
    pub r#for: Option<Time>,
    /// The signal that kills.
    pub signal: Option<String>,
    /// The services between which nothing gets through.
    pub partition: Vec<String>,
    /// The services between which packets take longer.
    pub delay: Vec<String>,
    /// How much longer they take.
    pub by: Option<Time>,
    /// The service whose disk is full.
    pub disk_full: Option<String>,
    /// After which time this ends.
    pub heal: Option<Time>,
}
