//! What is looked at, and what is measured.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

use crate::network;

pub(super) const RESOLVE: &str = "resolve";
pub(super) const CONNECT: &str = "connect";
pub(super) const TLS: &str = "tls";
pub(super) const STATUS: &str = "status";
pub(super) const BODY: &str = "body";
pub(super) const LATENCY: &str = "latency";

/// All that is looked at, in this order.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(&[RESOLVE], ProbeKind::Startup, "looks up the host's addresses"),
    Aspect::new(&[CONNECT], ProbeKind::Startup, "connects, and says nothing").after(&[RESOLVE]),
    Aspect::new(
        &[TLS, "certificate"],
        ProbeKind::Readiness,
        "does a TLS handshake: is the certificate to be trusted, for this name, and for how long?",
    )
    .after(&[RESOLVE, CONNECT]),
    Aspect::new(&[STATUS], ProbeKind::Liveness, "asks, and looks at the status code")
        .after(&[RESOLVE, CONNECT]),
    Aspect::new(&[BODY], ProbeKind::Readiness, "looks for patterns in the body, and at its size")
        .after(&[RESOLVE, CONNECT, STATUS]),
    Aspect::new(&[LATENCY], ProbeKind::Readiness, "asks several times, each over a new connection")
        .after(&[RESOLVE, CONNECT, STATUS]),
];

pub(super) const BODY_BYTES: &str = "body_bytes";

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    network::RESOLVE_SECONDS,
    network::CONNECT_SECONDS,
    network::TLS_SECONDS,
    network::FIRST_BYTE_SECONDS,
    network::TRANSFER_SECONDS,
    network::TOTAL_SECONDS,
    network::REQUEST_SECONDS,
    network::SAMPLES,
    network::CERTIFICATE_DAYS,
    MetricKind::new(BODY_BYTES, Unit::Bytes),
];

#[cfg(test)]
mod tests {
    use probe::testing::check_ranges;

    use super::*;

    #[test]
    fn every_threshold_is_a_range() {
        check_ranges(METRICS);
    }
}
