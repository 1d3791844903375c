//! Whether anybody listens where the database says that a server runs.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use probe::{Finding, listed};
use process::helper::Stop;

use super::fact::Reporter;
use super::state::{Hub, Server};

/// How many servers are looked at: the first ones.
const MOST: usize = 200;
/// After how many servers that cannot be reached no other one is tried.
const MOST_LATE: usize = 3;

/// Whether anybody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Listens,
    Refused,
    /// It is an address of the host that the hub runs on, which is another one.
    Elsewhere(String),
    /// It was tried, and nobody knows.
    CannotTell(String),
}

/// From where it is looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Whether what has an address of the loopback network runs on this host.
    pub(super) is_here: bool,
    /// How long to wait for a connection.
    pub(super) patience: Duration,
}

/// Connects to a server.
pub(super) fn reach(server: &Server, view: View, reporter: &mut Reporter) -> Result<Reached, Stop> {
    let Server { ip, port, .. } = server;
    let address = match ip.as_str() {
        // All addresses of the hub's host.
        "" | "*" | "0.0.0.0" | "::" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        name => name.parse().ok(),
    };
    let name = ip.clone();
    let addresses = match address {
        Some(address) => vec![SocketAddr::new(address, *port)],
        None => reporter.step("resolve", || {
            Ok((name.as_str(), *port).to_socket_addrs().map(Vec::from_iter).unwrap_or_default())
        })?,
    };
    let Some(address) = addresses.first() else {
        return Ok(Reached::CannotTell(format!("this host does not know {ip}")));
    };
    if *port == 0 {
        return Ok(Reached::CannotTell("it has no port yet".to_owned()));
    }
    if address.ip().is_loopback() && !view.is_here {
        return Ok(Reached::Elsewhere(format!("{ip} is an address of the hub's own host")));
    }
    let connected =
        reporter.step("connect to a server", || Ok(TcpStream::connect_timeout(address, view.patience)))?;
    Ok(match connected {
        Ok(_) => Reached::Listens,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Reached::Refused,
        Err(error) => Reached::CannotTell(format!("{address}: {error}")),
    })
}

/// Whether all servers that are active listen.
pub(super) fn listening(
    hub: &Hub,
    view: View,
    just_now: impl Fn(&str) -> bool,
    reporter: &mut Reporter,
) -> Result<Finding, Stop> {
    let active = hub.active();
    let (mut dead, mut unclear) = (Vec::new(), Vec::new());
    let (mut looked, mut elsewhere) = (0, 0);
    for ((user, name), server) in active.iter().take(MOST) {
        if unclear.len() >= MOST_LATE {
            break;
        }
        looked += 1;
        let Server { base_url, ip, port } = server;
        match reach(server, view, reporter)? {
            Reached::Listens => {}
            Reached::Refused if is_starting(hub, (user, name), &just_now) => {}
            Reached::Refused => dead.push(format!("{base_url} of {user}: nothing listens on {ip}:{port}\n")),
            Reached::Elsewhere(why) => {
                elsewhere += 1;
                unclear.push(format!("{base_url} of {user}: {why}\n"));
            }
            Reached::CannotTell(why) => unclear.push(format!("{base_url} of {user}: {why}\n")),
        }
    }
    if looked > 0 && unclear.len() == looked {
        let why = unclear.first().map(|line| line.trim_end().to_owned()).unwrap_or_default();
        return Ok(if elsewhere == looked {
            Finding::skipped(format!("only the hub's own host can ask its servers: {why}"))
        } else {
            Finding::unknown(format!("none of the servers can be reached from here: {why}"))
        });
    }
    let text = [dead.concat(), unclear.concat()].concat();
    let (up, who) = (looked - dead.len() - unclear.len(), listed(&dead));
    Ok(Finding::fine(format!("{up} of {} servers listen{who}", active.len()))
        .with_metric("active_servers", active.len() as f64)
        .with_metric("dead_servers", dead.len() as f64)
        .with_text("listening.txt", text))
}

fn is_starting(hub: &Hub, (user, name): (&str, &str), just_now: impl Fn(&str) -> bool) -> bool {
    let id = hub.users.iter().find(|(_, other)| *other == user).map(|(id, _)| *id);
    let mut mine = hub.spawners.iter().filter(|spawner| Some(spawner.user_id) == id && spawner.name == name);
    mine.any(|spawner| just_now(&spawner.started))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use probe::Level;

    use super::*;
    use crate::database::sqlite::testing::hub_with;

    fn looked(changes: &str, is_here: bool, is_new: bool) -> Finding {
        let view = View { is_here, patience: Duration::from_millis(500) };
        listening(&hub_with(changes), view, |_| is_new, &mut Reporter::new(Vec::new())).unwrap()
    }

    fn dead(finding: &Finding) -> Option<f64> {
        finding.metrics.iter().find(|metric| metric.name == "dead_servers").map(|metric| metric.value)
    }

    #[test]
    fn servers_that_do_not_listen_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let free = net::testing::free_port();
        let all = format!("UPDATE servers SET port = {port}");
        assert_eq!(dead(&looked(&all, true, false)), Some(0.0));
        let one = format!("{all}; UPDATE servers SET port = {free} WHERE id = 1");
        assert_eq!(dead(&looked(&one, true, false)), Some(1.0));
        // What was started a moment ago may take its time.
        assert_eq!(dead(&looked(&one, true, true)), Some(0.0));
    }

    #[test]
    fn the_loopback_address_of_another_host_tells_nothing() {
        let finding = looked("", false, false);
        assert!(
            matches!(&finding.level, Level::Skipped(why) if why.contains("hub's own host")),
            "{finding:?}"
        );
    }
}
