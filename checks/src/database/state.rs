//! What a hub's database says: users, their servers, what refers to what.
//!
//! Only columns that hold no secrets are ever read.

use std::collections::{BTreeMap, BTreeSet};

use probe::{Finding, listed};

use super::fault::Fault;
use super::store::{Store, number, text};

/// What the tables say at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hub {
    /// The names of the users, by their ids.
    pub(super) users: BTreeMap<i64, String>,
    pub(super) spawners: Vec<Spawner>,
    /// By their ids.
    pub(super) servers: BTreeMap<i64, Server>,
    /// The servers of services: the service's name, the server's id.
    pub(super) services: Vec<(String, i64)>,
}

/// A row for each server that a user has ever had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spawner {
    pub(super) user_id: i64,
    /// Its name, empty for the one without.
    pub(super) name: String,
    /// Set while it runs.
    pub(super) server_id: Option<i64>,
    pub(super) started: String,
}

/// A row for each server that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) ip: String,
    pub(super) port: u16,
    pub(super) base_url: String,
}

/// How it is with a server of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// It runs, as far as the rows say.
    Active(&'a Spawner, &'a Server),
    /// It does not.
    Stopped,
    /// There is no such user.
    NoUser,
    /// The rows contradict each other: how.
    Contradiction(String),
}

impl Hub {
    /// Reads the tables, all at one moment.
    pub(super) fn read(store: &mut dyn Store) -> Result<Self, Fault> {
        let hub = store.begin().and_then(|()| Hub::read_tables(store));
        let ended = store.end();
        hub.and_then(|hub| ended.map(|()| hub))
    }

    fn read_tables(store: &mut dyn Store) -> Result<Self, Fault> {
        let users = store.select("users", &["id", "name"])?;
        let users = users.iter().filter_map(|row| Some((number(row, 0)?, text(row, 1).to_owned()))).collect();
        let spawners = store.select("spawners", &["user_id", "name", "server_id", "started"])?;
        let spawner = |row: &Vec<Option<String>>| Spawner {
            user_id: number(row, 0).unwrap_or_default(),
            name: text(row, 1).to_owned(),
            server_id: number(row, 2),
            started: text(row, 3).to_owned(),
        };
        let spawners = spawners.iter().map(spawner).collect();
        let servers = store.select("servers", &["id", "ip", "port", "base_url"])?;
        let server = |row: &Vec<Option<String>>| {
            let port = number(row, 2).unwrap_or_default();
            let server = Server { ip: text(row, 1).to_owned(), port, base_url: text(row, 3).to_owned() };
            Some((number(row, 0)?, server))
        };
        let servers = servers.iter().filter_map(server).collect();
        // The first releases had no services.
        let services = match store.columns("services")?.is_empty() {
            true => Vec::new(),
            false => store.select("services", &["name", "_server_id"])?,
        };
        let service = |row: &Vec<Option<String>>| Some((text(row, 0).to_owned(), number(row, 1)?));
        let services = services.iter().filter_map(service).collect();
        Ok(Hub { users, spawners, servers, services })
    }

    /// How it is with the server of this name of this user.
    pub(super) fn state(&self, user: &str, name: &str) -> State<'_> {
        let Some((id, _)) = self.users.iter().find(|(_, other)| *other == user) else {
            return State::NoUser;
        };
        let mine = |spawner: &&Spawner| spawner.user_id == *id && spawner.name == name;
        // A row is there for all users ever: it says nothing by itself.
        let running = self.spawners.iter().filter(mine).find(|spawner| spawner.server_id.is_some());
        running.map_or(State::Stopped, |spawner| self.state_of(spawner, user))
    }

    fn state_of<'a>(&'a self, spawner: &'a Spawner, user: &str) -> State<'a> {
        let Some(id) = spawner.server_id else { return State::Stopped };
        let Some(server) = self.servers.get(&id) else {
            return State::Contradiction(format!("its server_id is {id}, and there is no such server"));
        };
        let end = match spawner.name.as_str() {
            "" => format!("/user/{user}/"),
            name => format!("/user/{user}/{name}/"),
        };
        if net::decode(&server.base_url).ends_with(&end) {
            return State::Active(spawner, server);
        }
        State::Contradiction(format!("its server {id} is that of {}, not of {end}", server.base_url))
    }

    /// All servers that run, by user and name.
    pub(super) fn active(&self) -> BTreeMap<(&str, &str), &Server> {
        let spawners = self.spawners.iter();
        let active = spawners.filter_map(|spawner| {
            let user = self.users.get(&spawner.user_id)?;
            let server = self.servers.get(&spawner.server_id?)?;
            Some(((user.as_str(), spawner.name.as_str()), server))
        });
        active.collect()
    }

    /// What is left of servers that nobody has, or refers to servers that are not there: each with whether it is
    /// the former.
    pub(super) fn leftovers(&self) -> BTreeSet<Leftover> {
        let spawned = self.spawners.iter().filter_map(|spawner| {
            let user = self.users.get(&spawner.user_id).map_or("a user that is gone", String::as_str);
            Some((format!("the server {:?} of {user}", spawner.name), spawner.server_id?))
        });
        let served = self.services.iter().map(|(name, id)| (format!("the service {name}"), *id));
        let references: Vec<_> = spawned.chain(served).collect();
        let used: BTreeSet<i64> = references.iter().map(|(_, id)| *id).collect();
        let orphans = self.servers.iter().filter(|(id, _)| !used.contains(id)).map(|(id, server)| {
            Leftover::Orphan(format!(
                "server {id} ({}, port {}) belongs to nobody",
                server.base_url, server.port
            ))
        });
        let dangling = references.iter().filter(|(_, id)| !self.servers.contains_key(id));
        let dangling = dangling
            .map(|(who, id)| Leftover::Dangling(format!("{who} refers to server {id}, which is not there")));
        orphans.chain(dangling).collect()
    }
}

/// Something that should not be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leftover {
    /// A server that belongs to nobody.
    Orphan(String),
    /// A reference to a server that is not there.
    Dangling(String),
}

/// Whether nothing is left of servers that are gone.
pub(super) fn orphans(hub: &Hub, left: &BTreeSet<Leftover>) -> Finding {
    let orphans = left.iter().filter(|one| matches!(one, Leftover::Orphan(_))).count();
    let lines = left.iter().map(|(Leftover::Orphan(line) | Leftover::Dangling(line))| format!("{line}\n"));
    let lines: Vec<_> = lines.collect();
    Finding::fine(format!("{} servers, {} left over{}", hub.servers.len(), left.len(), listed(&lines)))
        .with_metric("orphan_servers", orphans as f64)
        .with_metric("dangling_servers", (left.len() - orphans) as f64)
        .with_text("orphans.txt", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sqlite::testing::hub_with;

    fn check(changes: &str, user: &str, name: &str, expected: &str) {
        let hub = hub_with(changes);
        let state = match hub.state(user, name) {
            State::Active(_, server) => format!("active at {}", server.base_url),
            State::Stopped => "stopped".to_owned(),
            State::NoUser => "no user".to_owned(),
            State::Contradiction(how) => how,
        };
        assert_eq!(state, expected, "{changes}");
    }

    #[test]
    fn a_users_server_is_found_by_its_user_and_name() {
        check("", "alice", "", "active at /user/alice/");
        check("", "bob", "gpu", "active at /user/bob/gpu/");
        check("", "dora@cern.ch", "", "active at /user/dora%40cern.ch/");
    }

    #[test]
    fn the_server_of_another_user_makes_nobody_active() {
        check("", "carol", "", "stopped");
        check("", "bob", "", "stopped");
        check("", "alic", "", "no user");
        check("UPDATE users SET name = 'user22' WHERE name = 'alice'", "user2", "", "no user");
    }

    #[test]
    fn a_row_without_a_server_makes_nobody_active() {
        // It is there for every user that there ever was.
        check("UPDATE spawners SET server_id = NULL", "alice", "", "stopped");
        check("DELETE FROM spawners", "alice", "", "stopped");
    }

    #[test]
    fn rows_that_contradict_each_other_are_neither() {
        check("DELETE FROM servers", "alice", "", "its server_id is 1, and there is no such server");
        let swapped = "UPDATE spawners SET server_id = 3 WHERE user_id = 2";
        check(swapped, "alice", "", "its server 3 is that of /user/bob/gpu/, not of /user/alice/");
    }

    fn check_orphans(changes: &str, expected: &[&str]) {
        let hub = hub_with(changes);
        let left = hub.leftovers();
        let finding = orphans(&hub, &left);
        let text = finding.attachments.first().map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        let text = text.unwrap_or_default();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{changes}");
        let count: f64 = finding.metrics.iter().map(|metric| metric.value).sum();
        assert_eq!(count, expected.len() as f64);
    }

    #[test]
    fn servers_of_nobody_and_references_to_nothing_are_found() {
        check_orphans("", &[]);
        check_orphans(
            "UPDATE spawners SET server_id = NULL WHERE user_id = 2",
            &["server 1 (/user/alice/, port 54181) belongs to nobody"],
        );
        check_orphans(
            "DELETE FROM servers WHERE id = 3",
            &["the server \"gpu\" of bob refers to server 3, which is not there"],
        );
        check_orphans(
            "UPDATE services SET _server_id = 9 WHERE name = 'checker'",
            &["the service checker refers to server 9, which is not there"],
        );
    }
}
