//! A route of our own: does the proxy take it, does it lead there, can it be removed again?

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use net::{Client, Connection, Fault, Request, Stage, Trace, Url};
use probe::{Finding, Limits, Made, nonce};

use super::api::{Api, RouteOf, Routes};
use super::responder::Responder;
use super::websocket::{accept_key, read_frame, write_frame};
use crate::network::{Evidence as _, FaultFinding as _, measure, one_operation};

/// What the paths of our routes begin with.
const PREFIX: &str = "/.probe-";
/// After how many seconds a route of an earlier run was left behind, and may be removed.
const LEFT_BEHIND: u64 = 3600;
/// Bytes that the head of an answer may have.
const HEAD: usize = 16 * 1024;

/// What goes through the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    WebSocket,
}

/// The routes that were made, and not removed yet.
pub(super) struct Canary {
    url: Url,
    client: Client,
    api: Api,
    address: Option<IpAddr>,
    /// By this run.
    made: Vec<String>,
    /// By this run and earlier ones of this host.
    noted: Made,
}

/// Whether it is a route of this check, of whatever run and host.
pub(super) fn is_canary(path: &str, route: &RouteOf) -> bool {
    path.starts_with(PREFIX) && route.made.is_some()
}

impl Canary {
    pub(super) fn new(url: Url, client: Client, api: Api, address: Option<IpAddr>) -> Self {
        let noted = Made::new("proxy", &api.url.to_string());
        Canary { url, client, api, address, made: Vec::new(), noted }
    }

    /// Adds a route, goes through it, removes it, and looks whether it is gone.
    pub(super) fn look(&mut self, kind: Kind, limits: Limits<'_>) -> Finding {
        if let Ok((_, routes)) = self.api.routes(limits) {
            self.remove_left_behind(&routes, limits);
        }
        let usual = || self.api.local_address(limits).unwrap_or(Ipv4Addr::LOCALHOST.into());
        let address = self.address.unwrap_or_else(usual);
        let (path, word) = (format!("{PREFIX}{:016x}", nonce()), format!("{:016x}", nonce()));
        let responder = match Responder::start(address, &word) {
            Ok(responder) => responder,
            Err(error) => return Finding::unknown(format!("cannot listen on {address}: {error}")),
        };
        // Noted before it is made: what may be there is to be removed.
        self.made.push(path.clone());
        self.noted.note(&path);
        let added = self.api.add(&path, &responder.url(), now(), limits);
        let finding = match added {
            Ok(()) => match kind {
                Kind::Request => self.request(&path, &word, limits),
                Kind::WebSocket => self.websocket(&path, &word, limits),
            },
            Err(finding) => return *finding,
        };
        match self.remove(&path, limits) {
            Ok(()) => finding,
            Err(removing) if finding.level == probe::Level::Fine => *removing,
            Err(_) => finding,
        }
    }

    fn request(&self, path: &str, word: &str, limits: Limits<'_>) -> Finding {
        let exchange = self.client.send(&Request::get(self.url.at(path)), &one_operation(limits));
        let finding = match exchange.answer() {
            Ok(response) if response.status == 200 && response.body == word.as_bytes() => exchange
                .witness(Finding::fine("a new route was taken, led there, and is gone again".to_owned())),
            Ok(response) => {
                let reason =
                    format!("through the new route, {} answers {}", exchange.url, response.describe());
                exchange.witness(Finding::broken(reason))
            }
            Err(finding) => *finding,
        };
        exchange.measure(finding)
    }

    fn websocket(&self, path: &str, word: &str, limits: Limits<'_>) -> Finding {
        let patience = one_operation(limits);
        let mut trace = Trace::begin();
        let opened = self.client.route(&self.url).open(&patience, &mut trace);
        let mut heard = Vec::new();
        let echoed = opened.and_then(|mut connection| self.echo(&mut connection, path, word, &mut heard));
        trace.end();
        let finding = match echoed {
            Ok(Ok(())) => {
                Finding::fine("a WebSocket went through a new route, and its message came back".to_owned())
            }
            Ok(Err(reason)) => Finding::broken(reason),
            Err(fault) => fault.finding(),
        };
        measure(&trace.phases, finding)
            .with_text("handshake.txt", String::from_utf8_lossy(&heard).into_owned())
    }

    /// Opens a WebSocket, and sends a word that must come back.
    fn echo(
        &self,
        connection: &mut Connection,
        path: &str,
        word: &str,
        heard: &mut Vec<u8>,
    ) -> Result<Result<(), String>, Fault> {
        let key = STANDARD.encode([nonce().to_be_bytes(), nonce().to_be_bytes()].concat());
        let host = self.url.authority();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
        );
        let sent = connection.write_all(request.as_bytes()).and_then(|()| connection.flush());
        sent.map_err(|error| connection.fault(Stage::Send, &error))?;
        read_head(connection, heard).map_err(|error| connection.fault(Stage::FirstByte, &error))?;
        if let Err(reason) = is_upgraded(&String::from_utf8_lossy(heard), &key) {
            return Ok(Err(reason));
        }
        let mask = nonce().to_be_bytes();
        let [one, two, three, four, ..] = mask;
        let said = write_frame(connection, word.as_bytes(), Some([one, two, three, four]));
        let echoed = said.and_then(|()| read_frame(connection));
        let echoed = echoed.map_err(|error| connection.fault(Stage::Transfer, &error))?;
        Ok(if echoed == word.as_bytes() { Ok(()) } else { Err("another message came back".to_owned()) })
    }

    fn remove(&mut self, path: &str, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        self.api.remove(path, limits)?;
        if self.api.has(path, limits)? {
            return Err(Box::new(Finding::broken(format!(
                "the route {path} was removed, and is still there"
            ))));
        }
        self.made.retain(|other| other != path);
        self.noted.forget(path);
        Ok(())
    }

    /// Removes what runs that are over have left behind: those of this host at once, others when they are old. Says
    /// which; that one cannot be removed is not a reason to stop.
    pub(super) fn remove_left_behind(&mut self, routes: &Routes, limits: Limits<'_>) -> Vec<String> {
        let noted: Vec<_> = self.noted.noted().into_iter().filter(|path| !self.made.contains(path)).collect();
        for gone in noted.iter().filter(|path| !routes.contains_key(*path)) {
            self.noted.forget(gone);
        }
        let is_old =
            |route: &RouteOf| route.made.is_some_and(|made| made.saturating_add(LEFT_BEHIND) < now());
        let mut removed = Vec::new();
        for (path, route) in routes.iter().filter(|(path, route)| is_canary(path, route)) {
            if (noted.contains(path) || is_old(route)) && self.api.remove(path, limits).is_ok() {
                self.noted.forget(path);
                removed.push(path.clone());
            }
        }
        removed
    }

    /// Removes what is still there.
    pub(super) fn clean_up(&mut self, limits: Limits<'_>) -> Option<Finding> {
        let mut left = Vec::new();
        for path in std::mem::take(&mut self.made) {
            if let Err(finding) = self.remove(&path, limits) {
                let reason = finding.level.reason().unwrap_or_default();
                left.push(format!("the route {path} may be left behind: {reason}"));
            }
        }
        (!left.is_empty()).then(|| Finding::broken(left.join("\n")))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn read_head(connection: &mut Connection, heard: &mut Vec<u8>) -> io::Result<()> {
    let mut byte = [0];
    while !heard.ends_with(b"\r\n\r\n") && heard.len() < HEAD {
        connection.read_exact(&mut byte)?;
        heard.extend(byte);
    }
    Ok(())
}

/// Whether the answer opens a WebSocket, for this key; else why not.
fn is_upgraded(head: &str, key: &str) -> Result<(), String> {
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(format!("the proxy opens no WebSocket: it answers {status}"));
    }
    let accepts = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-accept").then(|| value.trim() == accept_key(key))
    };
    match head.lines().find_map(accepts) {
        Some(true) => Ok(()),
        _ => Err("the WebSocket that was opened is not the one that was asked for".to_owned()),
    }
}
