//! `cluster.json`, as ducktape has it.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use transport::Host;

use super::{Node, Way};

#[derive(Deserialize)]
struct File {
    nodes: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    ssh_config: SshConfig,
    externally_routable_ip: Option<String>,
    node_type: Option<String>,
}

#[derive(Deserialize)]
struct SshConfig {
    host: Option<String>,
    hostname: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    identityfile: Option<String>,
    password: Option<String>,
}

/// The nodes of a file.
pub(super) fn nodes(text: &str) -> anyhow::Result<Vec<Node>> {
    let file: File = serde_json::from_str(text).context("it is not a cluster.json of ducktape")?;
    file.nodes.into_iter().enumerate().map(|(index, entry)| node(index, entry)).collect()
}

fn node(index: usize, entry: Entry) -> anyhow::Result<Node> {
    let SshConfig { host, hostname, port, user, identityfile, password } = entry.ssh_config;
    let name =
        host.clone().or_else(|| hostname.clone()).with_context(|| format!("node {index} has no host"))?;
    if password.is_some_and(|password| !password.is_empty()) && identityfile.is_none() {
        bail!(
            "{name} has a password and no identityfile: ssh is never asked to log in by password; give it a key"
        );
    }
    // Checked as whatever else goes to ssh.
    let place = hostname.clone().unwrap_or_else(|| name.clone());
    let place = if place.contains(':') { format!("[{place}]") } else { place };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let place: Host = format!("{user}{place}{port}").parse().map_err(anyhow::Error::msg)?;
    let key = identityfile.map(|path| format!("IdentityFile=\"{path}\""));
    Ok(Node {
        name,
        group: None,
        way: Way::Ssh(place, key.into_iter().collect()),
        address: entry.externally_routable_ip.or(hostname),
        labels: std::iter::once("linux".to_owned()).chain(entry.node_type).collect(),
        slots: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_those_of_the_file() {
        let text = r#"{"_comment": [], "nodes": [
            {"externally_routable_ip": "10.0.0.2", "node_type": "large",
             "ssh_config": {"host": "worker2", "hostname": "127.0.0.1", "port": 2222, "user": "ducker",
                            "identityfile": "/keys/id", "password": "", "requesttty": null}},
            {"ssh_config": {"hostname": "10.0.0.3"}}]}"#;
        let nodes = nodes(text).unwrap();
        let [first, second] = nodes.as_slice() else { panic!("{nodes:?}") };
        let place: Host = "ducker@127.0.0.1:2222".parse().unwrap();
        assert_eq!((first.name.as_str(), first.address.as_deref()), ("worker2", Some("10.0.0.2")));
        assert_eq!(first.way, Way::Ssh(place, vec!["IdentityFile=\"/keys/id\"".to_owned()]));
        assert_eq!(first.labels, ["linux", "large"]);
        assert_eq!((second.name.as_str(), second.address.as_deref()), ("10.0.0.3", Some("10.0.0.3")));
    }

    #[test]
    fn what_cannot_be_reached_is_told() {
        let check = |text: &str, expected: &str| {
            let error = format!("{:#}", nodes(text).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        };
        check("[]", "it is not a cluster.json of ducktape");
        check(r#"{"nodes":[{"ssh_config":{}}]}"#, "node 0 has no host");
        check(
            r#"{"nodes":[{"ssh_config":{"host":"a","password":"x"}}]}"#,
            "a has a password and no identityfile",
        );
        check(
            r#"{"nodes":[{"ssh_config":{"host":"-oProxyCommand=x"}}]}"#,
            "`-oProxyCommand=x` is not a host",
        );
    }
}
