//! What is looked at, and what is measured.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

use crate::network;

pub(super) const RESOLVE: &str = "resolve";
pub(super) const CONNECT: &str = "connect";
pub(super) const TLS: &str = "tls";
pub(super) const BANNER: &str = "banner";

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
    Aspect::new(&[BANNER], ProbeKind::Liveness, "connects, says what it is told to, and listens")
        .after(&[RESOLVE, CONNECT]),
];

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    network::RESOLVE_SECONDS,
    network::CONNECT_SECONDS,
    network::TLS_SECONDS,
    network::FIRST_BYTE_SECONDS,
    network::TRANSFER_SECONDS,
    network::TOTAL_SECONDS,
    network::CERTIFICATE_DAYS,
    MetricKind::new("banner_bytes", Unit::Bytes),
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
