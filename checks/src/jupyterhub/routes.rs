//! Do the routes of the proxy and the servers that run belong together?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use probe::{Finding, Limits, listed};

use super::hub::Hub;
use super::metrics::{MISSING_ROUTES, ROUTE_COUNT, STALE_ROUTES};
use super::model::{Route, State, User};
use super::pages;

/// After how long to look again at what does not fit: servers come and go.
const PAUSE: Duration = Duration::from_millis(1500);

/// A server, by its user and its name.
type Name = (String, String);

/// What the routes and the servers are at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Compared {
    routes: usize,
    has_hub: bool,
    /// Servers that are ready without a route.
    missing: BTreeSet<Name>,
    /// Routes of servers that are not there.
    stale: BTreeSet<Name>,
}

/// Compares both; what does not fit is looked at twice.
pub(super) fn look(hub: &Hub, page_size: u32, limits: Limits<'_>) -> Finding {
    let first = match read(hub, page_size, limits) {
        Ok(compared) => compared,
        Err(finding) => return *finding,
    };
    if (first.missing.is_empty() && first.stale.is_empty()) || !limits.sleep(PAUSE) {
        return judge(&first);
    }
    match read(hub, page_size, limits) {
        Ok(second) => judge(&lasting(&first, second)),
        Err(finding) => *finding,
    }
}

fn read(hub: &Hub, page_size: u32, limits: Limits<'_>) -> Result<Compared, Box<Finding>> {
    let users = pages::read::<Vec<User>>(hub, "api/users?state=active", page_size, limits)?;
    let routes = pages::read::<BTreeMap<String, Route>>(hub, "api/proxy", page_size, limits)?;
    compare(&users.pages.concat(), routes.pages.iter().flat_map(BTreeMap::values)).map_err(Box::new)
}

/// Compares the servers of these users with these routes.
fn compare<'a>(users: &[User], routes: impl Iterator<Item = &'a Route>) -> Result<Compared, Finding> {
    let (mut ready, mut known) = (BTreeSet::new(), BTreeSet::new());
    for user in users {
        let Some(servers) = &user.servers else {
            let reason = "the token may not see the users' servers: it takes the scope read:servers";
            return Err(Finding::unknown(reason.to_owned()));
        };
        for (server, state) in servers {
            let name = (user.name.clone().unwrap_or_default(), server.clone());
            if matches!(state.state(), State::Ready(_)) {
                ready.insert(name.clone());
            }
            known.insert(name);
        }
    }
    let mut compared = Compared::default();
    let mut routed = BTreeSet::new();
    for Route { data } in routes {
        compared.routes += 1;
        compared.has_hub |= data.hub == Some(true);
        if let Some(user) = &data.user {
            routed.insert((user.clone(), data.server_name.clone().unwrap_or_default()));
        }
    }
    compared.missing = ready.difference(&routed).cloned().collect();
    compared.stale = routed.difference(&known).cloned().collect();
    Ok(compared)
}

/// What was so both times.
fn lasting(first: &Compared, second: Compared) -> Compared {
    Compared {
        missing: second.missing.intersection(&first.missing).cloned().collect(),
        stale: second.stale.intersection(&first.stale).cloned().collect(),
        ..second
    }
}

fn judge(compared: &Compared) -> Finding {
    let Compared { routes, has_hub, missing, stale } = compared;
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let finding = match has_hub {
        true if missing.is_empty() && stale.is_empty() => {
            Finding::fine(format!("{routes} routes, as there are servers"))
        }
        true => {
            let named = |(user, server): &Name| format!("{user}/{server}");
            let of = |names: &BTreeSet<Name>| listed(&names.iter().map(named).collect::<Vec<_>>());
            let (lost, left) = (missing.len(), stale.len());
            let (missing, stale) = (of(missing), of(stale));
            Finding::fine(format!(
                "{lost} servers have no route{missing}; {left} routes have no server{stale}"
            ))
        }
        false => Finding::broken(format!("none of the proxy's {routes} routes leads to the hub")),
    };
    let lines = |names: &BTreeSet<Name>, what: &str| {
        names.iter().map(|(user, server)| format!("{user}/{server}: {what}\n")).collect::<String>()
    };
    let list = lines(missing, "a server without a route") + &lines(stale, "a route without a server");
    finding
        .with_metric(ROUTE_COUNT, number(*routes))
        .with_metric(MISSING_ROUTES, number(missing.len()))
        .with_metric(STALE_ROUTES, number(stale.len()))
        .with_text("routes.txt", list)
}

#[cfg(test)]
mod tests {
    use probe::Level;

    use super::*;

    const USERS: &str = r#"[{"name": "a", "servers": {"": {"ready": true}, "big": {"ready": true}}},
        {"name": "b", "servers": {"": {"ready": false, "pending": "stop"}}}]"#;

    fn compared(routes: &str) -> Compared {
        let users: Vec<User> = serde_json::from_str(USERS).unwrap();
        let routes: Vec<Route> = serde_json::from_str(routes).unwrap();
        compare(&users, routes.iter()).unwrap()
    }

    fn name(user: &str, server: &str) -> BTreeSet<Name> {
        BTreeSet::from([(user.to_owned(), server.to_owned())])
    }

    #[test]
    fn each_ready_server_has_a_route_and_each_route_a_server() {
        let hub = r#"{"data": {"hub": true}}"#;
        let [a, big, b] = [("a", ""), ("a", "big"), ("b", "")]
            .map(|(user, server)| format!(r#"{{"data": {{"user": "{user}", "server_name": "{server}"}}}}"#));
        let gone = r#"{"data": {"user": "c"}}"#;
        let found = compared(&format!("[{hub}, {a}, {big}, {b}]"));
        assert_eq!(found, Compared { routes: 4, has_hub: true, ..Compared::default() });
        let found = compared(&format!("[{hub}, {a}, {gone}]"));
        assert_eq!((&found.missing, &found.stale), (&name("a", "big"), &name("c", "")));
        let found = compared("[]");
        assert!(matches!(judge(&found).level, Level::Broken(_)), "{found:?}");
    }

    #[test]
    fn what_passes_does_not_count() {
        let at = |user: &str| Compared { stale: name(user, ""), has_hub: true, ..Compared::default() };
        assert_eq!(lasting(&at("a"), at("b")).stale, BTreeSet::new());
        assert_eq!(lasting(&at("a"), at("a")).stale, name("a", ""));
    }

    #[test]
    fn servers_that_cannot_be_seen_are_not_missing() {
        let users: Vec<User> = serde_json::from_str(r#"[{"name": "a"}]"#).unwrap();
        let finding = compare(&users, [].into_iter()).unwrap_err();
        assert!(finding.level.reason().unwrap().contains("read:servers"));
    }
}
