//! How long each part of an exchange took, and what was seen on the way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Peer;

/// How long each part of an exchange took; `None` of what did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// The name became addresses.
    pub resolve: Option<Duration>,
    /// The connection was accepted.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From when the connection was there to the first byte of the answer, with the sending of the request.
    pub first_byte: Option<Duration>,
    /// From there to the end of the answer.
    pub transfer: Option<Duration>,
    /// All of it.
    pub total: Option<Duration>,
}

impl Phases {
    /// The sums of both.
    #[must_use]
    pub fn plus(&self, other: &Phases) -> Phases {
        let sum = |one: Option<Duration>, two: Option<Duration>| match (one, two) {
            (Some(one), Some(two)) => Some(one.saturating_add(two)),
            (one, two) => one.or(two),
        };
        Phases {
            resolve: sum(self.resolve, other.resolve),
            connect: sum(self.connect, other.connect),
            tls: sum(self.tls, other.tls),
            first_byte: sum(self.first_byte, other.first_byte),
            transfer: sum(self.transfer, other.transfer),
            total: sum(self.total, other.total),
        }
    }

    /// Those that happened, in their order, by their names: `resolve`, `connect`, `tls`, `first_byte`, `transfer`,
    /// `total`.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = [
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("tls", self.tls),
            ("first_byte", self.first_byte),
            ("transfer", self.transfer),
            ("total", self.total),
        ];
        all.into_iter().filter_map(|(name, time)| Some((name, time?)))
    }
}

/// What was seen on the way to a server, whether it was reached or not.
#[derive(Clone, Debug)]
pub struct Trace {
    /// How long each part took.
    pub phases: Phases,
    /// Where the connection went.
    pub address: Option<SocketAddr>,
    /// The address of this end of the connection.
    pub local: Option<SocketAddr>,
    /// What its TLS handshake showed.
    pub peer: Option<Peer>,
    begin: Instant,
}

impl Trace {
    /// Of an exchange that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Trace { phases: Phases::default(), address: None, local: None, peer: None, begin: Instant::now() }
    }

    /// Notes that it is over.
    pub fn end(&mut self) {
        self.phases.total = Some(self.begin.elapsed());
    }
}
