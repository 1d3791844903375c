//! What a hub says. Which fields there are depends on its version and on the token's scopes: none is certain.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// The answer of `/hub/api/`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root {
    pub(super) version: Option<String>,
}

/// A user, or whom a token is of: that may also be a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    /// What the token allows, in answers about the token; hubs before 2.0 have no scopes.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) token_id: Option<String>,
    pub(super) pending: Option<String>,
    /// The path of the default server: absent for a token that may not see it, null where there is none.
    #[serde(deserialize_with = "present")]
    pub(super) server: Option<Option<String>>,
    pub(super) servers: Option<BTreeMap<String, Server>>,
}

/// A server of a user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Server {
    pub(super) ready: Option<bool>,
    pub(super) pending: Option<String>,
    pub(super) stopped: Option<bool>,
    pub(super) url: Option<String>,
    pub(super) started: Option<String>,
}

/// How it is with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The token may not see it.
    Hidden,
    /// There is none.
    Absent,
    /// It is being started (`spawn`) or stopped (`stop`).
    Pending(String),
    /// It can be used, at this path or address.
    Ready(Option<String>),
    /// The hub knows of it, but it is neither ready nor on its way.
    Broken,
}

impl User {
    pub(super) fn is_user(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "user")
    }

    /// How it is with the user's default server.
    pub(super) fn state(&self) -> State {
        match (&self.servers, &self.server) {
            (Some(servers), _) => servers.get("").map_or(State::Absent, Server::state),
            (None, Some(server)) => match (&self.pending, server) {
                (Some(pending), _) => State::Pending(pending.clone()),
                (None, Some(url)) => State::Ready(Some(url.clone())),
                (None, None) => State::Absent,
            },
            (None, None) => State::Hidden,
        }
    }

    /// Since when the default server is there, as the hub says it.
    pub(super) fn started(&self) -> Option<&str> {
        self.servers.as_ref()?.get("")?.started.as_deref()
    }
}

impl Server {
    pub(super) fn state(&self) -> State {
        match (&self.pending, self.ready) {
            (Some(pending), _) => State::Pending(pending.clone()),
            (None, Some(true)) => State::Ready(self.url.clone()),
            (None, _) if self.stopped == Some(true) => State::Absent,
            (None, _) => State::Broken,
        }
    }
}

/// A token, as `/hub/api/users/NAME/tokens/ID` has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Token {
    pub(super) expires_at: Option<String>,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    /// Where it is behind the proxy, where it is.
    pub(super) prefix: Option<String>,
    /// How the hub starts it, where it does.
    pub(super) command: Option<Vec<String>>,
    pub(super) pid: Option<i64>,
}

impl Service {
    pub(super) fn is_managed(&self) -> bool {
        self.command.as_ref().is_some_and(|command| !command.is_empty())
    }

    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref().filter(|prefix| !prefix.is_empty())
    }
}

/// A route of the proxy, as the hub reports it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    pub(super) data: RouteData,
}

/// What a route is for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RouteData {
    pub(super) hub: Option<bool>,
    pub(super) user: Option<String>,
    pub(super) server_name: Option<String>,
}

/// What a started server says about itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServerStatus {
    pub(super) kernels: Option<u32>,
}

/// A step on the way to a server, or the end of it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(super) struct Event {
    pub(super) progress: Option<f64>,
    pub(super) message: Option<String>,
    pub(super) ready: Option<bool>,
    pub(super) failed: Option<bool>,
}

/// An error as the hub reports it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) message: Option<String>,
}

/// Tells null from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: State) {
        let user: User = serde_json::from_str(json).unwrap();
        assert_eq!(user.state(), expected, "{json}");
    }

    #[test]
    fn the_state_of_a_server_is_read_of_any_version() {
        let ready = || State::Ready(Some("/user/u/".to_owned()));
        check(r#"{"servers": {"": {"ready": true, "pending": null, "url": "/user/u/"}}}"#, ready());
        check(r#"{"server": "/user/u/", "pending": null}"#, ready());
        check(r#"{"servers": {}, "server": null}"#, State::Absent);
        check(r#"{"servers": {"other": {"ready": true}}}"#, State::Absent);
        check(r#"{"servers": {"": {"ready": false, "stopped": true}}}"#, State::Absent);
        check(r#"{"server": null}"#, State::Absent);
        // A server is not ready because the hub knows its address.
        let pending = State::Pending("spawn".to_owned());
        check(
            r#"{"server": "/user/u/", "servers": {"": {"ready": false, "pending": "spawn"}}}"#,
            pending.clone(),
        );
        check(r#"{"server": "/user/u/", "pending": "spawn"}"#, pending);
        check(r#"{"servers": {"": {"ready": false}}}"#, State::Broken);
        check(r#"{"name": "u", "kind": "user"}"#, State::Hidden);
    }

    #[test]
    fn unknown_and_missing_fields_do_not_matter() {
        let user: User = serde_json::from_str(r#"{"name": null, "new": [1], "server": null}"#).unwrap();
        assert_eq!((user.name.clone(), user.is_user()), (None, true));
        let service: Service = serde_json::from_str(r#"{"command": null, "prefix": ""}"#).unwrap();
        assert_eq!((service.is_managed(), service.prefix()), (false, None));
        let route: Route = serde_json::from_str(r#"{"routespec": "/", "data": {"hub": true}}"#).unwrap();
        assert_eq!(route.data.hub, Some(true));
    }
}
