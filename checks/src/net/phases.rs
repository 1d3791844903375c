//! How long each part of an exchange took, and what was seen on the way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Peer;
use crate::probe::{Finding, MetricKind, Unit};

/// How long the name took to become addresses.
pub const RESOLVE_SECONDS: MetricKind = MetricKind::new("resolve_seconds", Unit::Seconds);
/// How long the connection took to be accepted.
pub const CONNECT_SECONDS: MetricKind = MetricKind::new("connect_seconds", Unit::Seconds);
/// How long the TLS handshake took.
pub const TLS_SECONDS: MetricKind = MetricKind::new("tls_seconds", Unit::Seconds);
/// How long the first byte of the answer took, from when the request was sent.
pub const FIRST_BYTE_SECONDS: MetricKind = MetricKind::new("first_byte_seconds", Unit::Seconds);
/// How long the rest of the answer took.
pub const TRANSFER_SECONDS: MetricKind = MetricKind::new("transfer_seconds", Unit::Seconds);
/// How long all of it took.
pub const TOTAL_SECONDS: MetricKind =
    MetricKind { warning: Some("2"), ..MetricKind::new("total_seconds", Unit::Seconds) };
/// How long several exchanges took.
pub const REQUEST_SECONDS: MetricKind =
    MetricKind { percentiles: true, ..MetricKind::new("request_seconds", Unit::Seconds) };
/// How many exchanges there were.
pub const SAMPLES: MetricKind = MetricKind::new("samples", Unit::Count);
/// For how many days the server's certificates are valid, the first to expire counting.
pub const CERTIFICATE_DAYS: MetricKind = MetricKind {
    warning: Some("21:"),
    critical: Some("7:"),
    ..MetricKind::new("certificate_days", Unit::Count)
};

/// How long each part of an exchange took; `None` of what did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// The name became addresses.
    pub resolve: Option<Duration>,
    /// The connection was accepted.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the end of the request to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// From there to the end of the answer.
    pub transfer: Option<Duration>,
    /// All of it.
    pub total: Option<Duration>,
}

impl Phases {
    /// Their names as metrics, and their seconds.
    pub fn seconds(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [
            (RESOLVE_SECONDS.name, self.resolve),
            (CONNECT_SECONDS.name, self.connect),
            (TLS_SECONDS.name, self.tls),
            (FIRST_BYTE_SECONDS.name, self.first_byte),
            (TRANSFER_SECONDS.name, self.transfer),
            (TOTAL_SECONDS.name, self.total),
        ];
        all.into_iter().filter_map(|(name, time)| Some((name, time?.as_secs_f64())))
    }

    /// The finding with them as metrics.
    #[must_use]
    pub fn measure(&self, finding: Finding) -> Finding {
        self.seconds().fold(finding, |finding, (name, seconds)| finding.with_metric(name, seconds))
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
