//! A task of the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::At;
use super::nodes::DemandTable;
use super::service::{EventTable, FileTable};
use super::value::{OneOrMore, Scalar, Size, Time};
use crate::compile::Said;

/// A command whose end, or output, is results.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct TaskTable {
    /// What is run: a command for the shell.
    pub run: Option<String>,
    /// The check that is run, by its name: `eos` is check-eos.
    pub check: Option<At<String>>,
    /// The options of the check.
    pub with: BTreeMap<String, OneOrMore<Scalar>>,
    /// Where it runs, from the file; where that stands, if nothing is said.
    pub folder: Option<PathBuf>,
    /// The tasks and suites that it comes after: it is skipped when one of them fails.
    pub after: Vec<At<String>>,
    /// Data that it needs, from whichever task produces them.
    pub requires: Vec<At<String>>,
    /// Data that it makes: files or folders at `$SUBUNIT_DATA_NAME`.
    pub produces: Vec<At<String>>,
    /// Whether it runs also after failures, to clean up.
    pub always: bool,
    /// The services that it needs.
    pub services: Vec<At<String>>,
    /// The nodes that it needs.
    pub nodes: Option<DemandTable>,
    /// Parameters, each with its values: it runs with all combinations of them.
    pub matrix: BTreeMap<String, Vec<Scalar>>,
    /// Combinations of parameters: it runs with each of them.
    pub cases: Vec<BTreeMap<String, Scalar>>,
    /// What tells its results: `exit` (its exit status; 77 is skipped), `subunit`, `tap`, `gojson`, `libtest`, `v1`,
    /// `junit:PATH` (a file that it writes), or `auto`, by what it writes.
    pub format: Option<At<String>>,
    /// What stands before the ids of its tests.
    pub prefix: String,
    /// How long it may take.
    pub timeout: Option<Time>,
    /// How long it may say nothing.
    pub idle_timeout: Option<Time>,
    /// How often it is run again when it fails.
    pub retries: u32,
    /// What it counts as when it fails first and passes then.
    pub flaky: Flaky,
    /// What is expected of it.
    pub expect: Expect,
    /// Why it is not run for now.
    pub skip: Option<String>,
    /// How much it may use.
    pub limits: LimitsTable,
    /// What it is kept from, by bubblewrap.
    pub isolate: Vec<At<Isolation>>,
    /// What is noted of it, by strace.
    pub trace: Vec<At<Trace>>,
    /// More of its environment.
    pub env: BTreeMap<String, String>,
    /// Files of its working folder that become attachments, and when: `"core.*" = "failure"`.
    pub collect: BTreeMap<String, Keep>,
    /// Ranges that its metrics have to be in, as checks have them: `p99_ms = ":50"`.
    pub require: BTreeMap<String, At<String>>,
    /// Files that are put where it runs, before it does.
    pub files: BTreeMap<String, FileTable>,
    /// What happens to services and nodes while it runs.
    pub events: Vec<EventTable>,
}

impl TaskTable {
    /// What it says of its order.
    pub(crate) fn said<'a>(&'a self, name: &'a str, offset: usize) -> Said<'a> {
        Said {
            kind: "task",
            name,
            offset,
            after: &self.after,
            requires: &self.requires,
            produces: &self.produces,
            always: self.always,
            units: Vec::new(),
        }
    }
}

/// What a task counts as that fails first and passes then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flaky {
    /// Passed, with the tag `flaky`.
    #[default]
    Pass,
    /// Failed.
    Fail,
}

/// What is expected of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// That it passes.
    #[default]
    Pass,
    /// That it fails; passing is a failure then.
    Fail,
    /// Nothing: it runs, and decides nothing.
    Any,
}

/// When something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Always.
    Always,
    /// When it failed.
    Failure,
}

/// How much a task may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct LimitsTable {
    /// Processor time.
    pub cpu: Option<Time>,
    /// Memory.
    pub memory: Option<Size>,
    /// Files that are open at a time.
    pub files: Option<u64>,
    /// Processes at a time.
    pub processes: Option<u64>,
    /// The size of a file that it writes.
    pub file_size: Option<Size>,
}

/// What a task is kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// The network: it has a loopback device of its own.
    Network,
    /// Files: it can only write in its folder, that of its data, and a `/tmp` of its own.
    Filesystem,
    /// Other processes: it sees and signals only its own.
    Processes,
}

/// What is noted of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// The files that it writes, renames and removes.
    Files,
    /// The addresses that it connects to.
    Network,
    /// The programs that it runs.
    Processes,
}
