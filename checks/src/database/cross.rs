//! Whether the database and the hub agree.

use std::collections::{BTreeMap, BTreeSet};

use net::{Client, Request, Url};
use probe::{Finding, Limits, Secret, listed};
use serde::Deserialize;

use crate::network::{Evidence as _, one_operation};

/// How many users are asked for at a time: more than that no hub gives.
const PAGE: usize = 200;
/// How many users are asked for.
const MOST: usize = 200_000;

/// The users, each with the names of the servers that run.
pub(super) type Running = BTreeMap<String, BTreeSet<String>>;

/// The servers of all users, as the hub has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HubServers {
    running: Running,
    /// Servers that are being started or stopped: these are not compared.
    pending: BTreeSet<(String, String)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Page {
    Page {
        items: Vec<User>,
        #[serde(rename = "_pagination")]
        pagination: Pagination,
    },
    /// As hubs before 2.0 answer.
    All(Vec<User>),
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct User {
    name: String,
    servers: Option<BTreeMap<String, Server>>,
}

#[derive(Deserialize)]
struct Server {
    #[serde(default)]
    ready: bool,
    pending: Option<String>,
}

/// Asks a hub for all users and servers.
pub(super) fn ask(
    hub: &Url,
    token: Option<&Secret>,
    client: &Client,
    limits: Limits<'_>,
) -> Result<HubServers, Box<Finding>> {
    let (mut servers, mut count) = (HubServers::default(), 0);
    loop {
        let url = hub.below(&format!("hub/api/users?limit={PAGE}&offset={count}"));
        let mut request = Request::get(url).header("accept", "application/jupyterhub-pagination+json");
        request.max_body = 32 << 20;
        if let Some(token) = token {
            request = request.header("authorization", &format!("token {}", token.reveal()));
        }
        let exchange = client.send(&request, &one_operation(limits));
        let response = exchange.answer()?;
        if matches!(response.status, 401 | 403) {
            let reason = format!("the hub does not tell its users: {}", response.describe());
            return Err(Box::new(exchange.witness(Finding::unknown(reason))));
        }
        let (items, is_last) = match exchange.json(200)? {
            Page::Page { items, pagination } => (items, pagination.next.is_none()),
            Page::All(items) => (items, true),
        };
        count += items.len();
        if !items.is_empty() && items.iter().all(|user| user.servers.is_none()) {
            let reason = "the hub does not tell of servers: the token lacks the scope read:servers";
            return Err(Box::new(exchange.witness(Finding::unknown(reason.to_owned()))));
        }
        items.into_iter().for_each(|user| servers.add(user));
        if is_last || count >= MOST {
            return Ok(servers);
        }
    }
}

impl HubServers {
    fn add(&mut self, user: User) {
        let running = self.running.entry(user.name.clone()).or_default();
        for (name, server) in user.servers.into_iter().flatten() {
            if server.pending.is_some() {
                self.pending.insert((user.name.clone(), name));
            } else if server.ready {
                running.insert(name);
            }
        }
    }
}

/// What differs. Only what the database says both before and after the hub was asked counts: the rest has changed
/// meanwhile.
pub(super) fn compare(before: &Running, hub: &HubServers, after: &Running) -> Finding {
    let differences: Vec<_> =
        differences(before, hub).intersection(&differences(after, hub)).cloned().collect();
    let servers: usize = hub.running.values().map(BTreeSet::len).sum();
    let users = hub.running.len();
    let sentence = match differences.as_slice() {
        [] => format!("hub and database agree on {users} users and {servers} servers"),
        all => format!("hub and database differ{}", listed(all)),
    };
    Finding::fine(sentence)
        .with_metric("users", users as f64)
        .with_metric("active_servers", servers as f64)
        .with_metric("differences", differences.len() as f64)
        .with_text("differences.txt", differences.into_iter().map(|line| line + "\n").collect())
}

fn differences(database: &Running, HubServers { running, pending }: &HubServers) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for user in database.keys().filter(|user| !running.contains_key(*user)) {
        all.insert(format!("the user {user} is in the database, and unknown to the hub"));
    }
    for user in running.keys().filter(|user| !database.contains_key(*user)) {
        all.insert(format!("the user {user} is known to the hub, and not in the database"));
    }
    for (user, says_database, says_hub) in
        database.iter().filter_map(|(user, servers)| Some((user, servers, running.get(user)?)))
    {
        for name in says_database.symmetric_difference(says_hub) {
            if pending.contains(&(user.clone(), name.clone())) {
                continue;
            }
            let (yes, no) = match says_hub.contains(name) {
                true => ("hub", "database"),
                false => ("database", "hub"),
            };
            all.insert(format!(
                "the server {name:?} of {user} runs, says the {yes}; it does not, says the {no}"
            ));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use net::testing::{Server, answer, client};
    use probe::Level;
    use process::Interrupt;

    use super::*;
    use crate::network::testing::limits;

    const USERS: &str = r#"{"items": [{"name": "alice", "servers": {"": {"ready": true, "pending": null}}},
        {"name": "bob", "servers": {"gpu": {"ready": false, "pending": "spawn"}}}], "_pagination": {"next": null}}"#;

    fn asked(body: &'static str) -> Result<HubServers, Level> {
        let server = Server::answering(move |head| {
            let is_asked = head.starts_with("GET /jh/hub/api/users?limit=200&offset=0 ")
                && head.to_lowercase().contains("authorization: token abc");
            if is_asked { answer("200 OK", "", body) } else { answer("403 Forbidden", "", "{}") }
        });
        let token = Secret::new("abc");
        ask(&server.url("/jh"), Some(&token), &client(), limits(&Interrupt::never()))
            .map_err(|finding| finding.level)
    }

    fn running(users: &[(&str, &[&str])]) -> Running {
        let servers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        users.iter().map(|(user, names)| ((*user).to_owned(), servers(names))).collect()
    }

    fn check(before: &[(&str, &[&str])], after: &[(&str, &[&str])], expected: &[&str]) {
        let finding = compare(&running(before), &asked(USERS).unwrap(), &running(after));
        let text = finding.attachments.first().map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        assert_eq!(text.unwrap_or_default().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn hub_and_database_agree_or_not() {
        let same: &[(&str, &[&str])] = &[("alice", &[""]), ("bob", &[])];
        check(same, same, &[]);
        // What is being started is neither.
        check(&[("alice", &[""]), ("bob", &["gpu"])], same, &[]);
        let stale: &[(&str, &[&str])] = &[("alice", &[]), ("bob", &["x"]), ("carol", &[])];
        check(
            stale,
            stale,
            &[
                "the server \"\" of alice runs, says the hub; it does not, says the database",
                "the server \"x\" of bob runs, says the database; it does not, says the hub",
                "the user carol is in the database, and unknown to the hub",
            ],
        );
        check(
            &[("alice", &[""])],
            &[("alice", &[""])],
            &["the user bob is known to the hub, and not in the database"],
        );
    }

    #[test]
    fn what_changes_meanwhile_is_not_a_difference() {
        check(&[("alice", &[]), ("bob", &[])], &[("alice", &[""]), ("bob", &[])], &[]);
    }

    #[test]
    fn a_token_that_may_not_see_servers_tells_nothing() {
        let missing = asked(r#"[{"name": "alice"}]"#);
        assert!(matches!(&missing, Err(Level::Unknown(why)) if why.contains("read:servers")), "{missing:?}");
        assert!(matches!(asked("nonsense"), Err(Level::Broken(_))));
    }
}
