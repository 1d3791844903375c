//! What is measured.

use probe::{MetricKind, MetricUnit};

use crate::network;

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    network::RESOLVE_SECONDS,
    network::CONNECT_SECONDS,
    network::TLS_SECONDS,
    network::FIRST_BYTE_SECONDS,
    network::TRANSFER_SECONDS,
    network::TOTAL_SECONDS,
    network::CERTIFICATE_DAYS,
    MetricKind::new("banner_bytes", MetricUnit::Bytes).of(&["banner"]),
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckTcp;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckTcp::aspects());
    }
}
