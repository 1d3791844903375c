//! Nodes of the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The nodes that there are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct NodesTable {
    /// A file of ducktape that names them: cluster.json.
    pub cluster: Option<PathBuf>,
    /// Groups of nodes that are alike.
    #[serde(flatten)]
    pub groups: BTreeMap<String, GroupTable>,
}

/// Nodes that are alike.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct GroupTable {
    /// Hosts that are reached by ssh: `worker{1..4}`, `[USER@]HOST[:PORT]`.
    pub ssh: Option<String>,
    /// A container that is made for the run: `docker:IMAGE`, `podman:IMAGE`.
    pub container: Option<String>,
    /// Whether it is this machine.
    pub local: bool,
    /// How many containers are made.
    pub count: Option<usize>,
    /// What tasks and services ask for.
    pub labels: Vec<String>,
    /// How many tasks run at one of them at a time.
    pub slots: Option<usize>,
}

/// Which nodes something needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub struct DemandTable {
    /// A label that they have to have.
    pub label: Option<String>,
    /// The group that they have to be of.
    pub group: Option<String>,
    /// How many; one, if nothing is said.
    pub count: Option<usize>,
}
