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
    MetricKind::new("banner_bytes", MetricUnit::Bytes),
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
