//! The numbers that all checks of servers measure.

use net::Phases;
use probe::{Finding, MetricKind, MetricUnit};

/// How long the name took to become addresses.
pub const RESOLVE_SECONDS: MetricKind = MetricKind::new("resolve_seconds", MetricUnit::Seconds);
/// How long the connection took to be accepted.
pub const CONNECT_SECONDS: MetricKind = MetricKind::new("connect_seconds", MetricUnit::Seconds);
/// How long the TLS handshake took.
pub const TLS_SECONDS: MetricKind = MetricKind::new("tls_seconds", MetricUnit::Seconds);
/// How long the first byte of the answer took, from when the connection was there.
pub const FIRST_BYTE_SECONDS: MetricKind = MetricKind::new("first_byte_seconds", MetricUnit::Seconds);
/// How long the rest of the answer took.
pub const TRANSFER_SECONDS: MetricKind = MetricKind::new("transfer_seconds", MetricUnit::Seconds);
/// How long all of it took.
pub const TOTAL_SECONDS: MetricKind =
    MetricKind { warning: Some("2"), ..MetricKind::new("total_seconds", MetricUnit::Seconds) };
/// How long several exchanges took.
pub const REQUEST_SECONDS: MetricKind = MetricKind {
    percentiles: true,
    ..MetricKind::new("request_seconds", MetricUnit::Seconds).of(&["latency"])
};
/// How many exchanges there were.
pub const SAMPLES: MetricKind = MetricKind::new("samples", MetricUnit::Count).of(&["latency"]);
/// For how many days the server's certificates are valid, the first to expire counting.
pub const CERTIFICATE_DAYS: MetricKind = MetricKind {
    warning: Some("21:"),
    critical: Some("7:"),
    ..MetricKind::new("certificate_days", MetricUnit::Count).of(&["tls"])
};

/// The finding with the phases as metrics.
#[must_use]
pub fn measure(phases: &Phases, finding: Finding) -> Finding {
    let each = phases.each();
    each.fold(finding, |finding, (name, time)| {
        finding.with_metric(&format!("{name}_seconds"), time.as_secs_f64())
    })
}
