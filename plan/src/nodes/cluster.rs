//! The nodes that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use transport::Host;

use super::{braces, ducktape};
use crate::file::nodes::{GroupTable, NodesTable};

/// The nodes of a plan, in the order of their groups' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// All of them, each with a name of its own.
    pub nodes: Vec<Node>,
}

/// A node of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name in route codes and variables.
    pub name: String,
    /// The group that it is of; none is of a file of ducktape.
    pub group: Option<String>,
    /// How to get there.
    pub way: Way,
    /// Its address for other nodes, where that is not what ssh calls it.
    pub address: Option<String>,
    /// What tasks and services ask for.
    pub labels: Vec<String>,
    /// How many tasks and services it is given to at a time.
    pub slots: usize,
}

/// How to get to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is this machine.
    Here,
    /// By ssh, with these options besides the user's configuration.
    Ssh(Host, Vec<String>),
    /// A container that is made for the run.
    Made {
        /// `docker` or `podman`.
        engine: String,
        /// The image that it is made of.
        image: String,
    },
}

impl Cluster {
    /// This machine alone, which takes all that comes.
    #[must_use]
    pub fn here() -> Self {
        let node = Node {
            name: transport::LOCAL.to_owned(),
            group: None,
            way: Way::Here,
            address: None,
            labels: Vec::new(),
            slots: usize::MAX,
        };
        Cluster { nodes: vec![node] }
    }

    /// What the file says; `folder` is where it stands.
    ///
    /// # Errors
    ///
    /// When a group says no way or several, a host cannot be one, two nodes have one name, or a file of ducktape cannot
    /// be read.
    pub fn of(table: &NodesTable, folder: &Path) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for (name, group) in &table.groups {
            nodes.extend(members(name, group).with_context(|| format!("nodes.{name}"))?);
        }
        if let Some(path) = table.cluster.as_ref().map(|path| folder.join(path)) {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            nodes.extend(ducktape::nodes(&text).with_context(|| path.display().to_string())?);
        }
        ensure!(!nodes.is_empty(), "[nodes] names no node: `lab = {{ ssh = \"HOST\" }}`");
        let mut names = BTreeSet::new();
        if let Some(node) = nodes.iter().find(|node| !names.insert(node.name.clone())) {
            bail!("two nodes are called {}: give each host once", node.name);
        }
        Ok(Cluster { nodes })
    }
}

/// The nodes of a group.
fn members(name: &str, group: &GroupTable) -> anyhow::Result<Vec<Node>> {
    let GroupTable { ssh, container, local, count, labels, slots } = group;
    let ways = usize::from(ssh.is_some()) + usize::from(container.is_some()) + usize::from(*local);
    ensure!(ways == 1, "it says {ways} of `ssh`, `container` and `local = true`; say one");
    ensure!(*slots != Some(0) && *count != Some(0), "`slots` and `count` are at least 1");
    let node = |(own, way): (String, Way)| Node {
        name: own,
        group: Some(name.to_owned()),
        way,
        address: None,
        labels: labels.clone(),
        slots: slots.unwrap_or(1),
    };
    let ways = ways_of(name, ssh.as_deref(), container.as_deref(), *count)?;
    Ok(ways.into_iter().map(node).collect())
}

/// The names of a group's nodes, and the ways there.
fn ways_of(
    name: &str,
    ssh: Option<&str>,
    container: Option<&str>,
    count: Option<usize>,
) -> anyhow::Result<Vec<(String, Way)>> {
    if let Some(hosts) = ssh {
        ensure!(
            count.is_none(),
            "`count` is for containers and this machine; name several hosts as `worker{{1..4}}`"
        );
        let hosts = braces::words(hosts).map_err(anyhow::Error::msg)?;
        let host = |text: String| {
            let host: Host = text.parse().map_err(anyhow::Error::msg)?;
            let name = transport::Site::Ssh(host.clone()).name().unwrap_or(text);
            Ok((name, Way::Ssh(host, Vec::new())))
        };
        return hosts.into_iter().map(host).collect();
    }
    let way = match container.map(|container| container.split_once(':')) {
        None => Way::Here,
        Some(Some((engine @ ("docker" | "podman"), image))) if !image.is_empty() => {
            Way::Made { engine: engine.to_owned(), image: image.to_owned() }
        }
        Some(_) => {
            bail!("`{}` is not a container: docker:IMAGE, podman:IMAGE", container.unwrap_or_default())
        }
    };
    Ok(match count {
        None => vec![(name.to_owned(), way)],
        Some(count) => (0..count).map(|index| (format!("{name}-{index}"), way.clone())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let table: NodesTable = toml::from_str(text).unwrap();
        let shown = |node: &Node| {
            let way = match &node.way {
                Way::Here => "here".to_owned(),
                Way::Ssh(host, _) => format!("ssh:{host}"),
                Way::Made { engine, image } => format!("{engine} {image}"),
            };
            format!("{} {way} {:?} {}", node.name, node.labels, node.slots)
        };
        let found = Cluster::of(&table, Path::new("/no/such"))
            .map(|cluster| cluster.nodes.iter().map(shown).collect::<Vec<_>>())
            .map_err(|error| format!("{error:#}"));
        let found = found.as_ref().map(|nodes| nodes.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.map_err(String::as_str), expected.map(<[&str]>::to_vec));
    }

    #[test]
    fn groups_have_nodes_with_names_of_their_own() {
        check(
            "lab = { ssh = 'root@w{1..2}', labels = ['linux'], slots = 2 }\nbox = { container = 'docker:python:3.12', count = 2 }\nhere = { local = true }",
            Ok(&[
                "box-0 docker python:3.12 [] 1",
                "box-1 docker python:3.12 [] 1",
                "here here [] 1",
                "w1 ssh:root@w1 [\"linux\"] 2",
                "w2 ssh:root@w2 [\"linux\"] 2",
            ]),
        );
    }

    #[test]
    fn what_cannot_be_a_cluster_is_told() {
        check("", Err("[nodes] names no node: `lab = { ssh = \"HOST\" }`"));
        check("a = {}", Err("nodes.a: it says 0 of `ssh`, `container` and `local = true`; say one"));
        check(
            "a = { ssh = 'h', local = true }",
            Err("nodes.a: it says 2 of `ssh`, `container` and `local = true`; say one"),
        );
        check("a = { ssh = '-x' }", Err("nodes.a: `-x` is not a host for ssh: [USER@]HOST[:PORT]"));
        check(
            "a = { container = 'python' }",
            Err("nodes.a: `python` is not a container: docker:IMAGE, podman:IMAGE"),
        );
        check("a = { local = true, count = 0 }", Err("nodes.a: `slots` and `count` are at least 1"));
        check("a = { ssh = 'h' }\nb = { ssh = 'h' }", Err("two nodes are called h: give each host once"));
        check(
            "a = { ssh = 'h', count = 2 }",
            Err("nodes.a: `count` is for containers and this machine; name several hosts as `worker{1..4}`"),
        );
    }
}
