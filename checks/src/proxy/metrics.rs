//! What is measured.

use probe::{MetricKind, MetricUnit};

use crate::network;

pub(super) const ROUTE_COUNT: &str = "route_count";
pub(super) const STALE_ROUTES: &str = "stale_routes";
pub(super) const LAG_P99: &str = "eventloop_lag_p99_seconds";
pub(super) const LAG_MEAN: &str = "eventloop_lag_mean_seconds";
pub(super) const LAG_MAX: &str = "eventloop_lag_max_seconds";

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
    MetricKind::new(ROUTE_COUNT, MetricUnit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new(STALE_ROUTES, MetricUnit::Count) },
    MetricKind {
        warning: Some("100ms"),
        critical: Some("1s"),
        ..MetricKind::new(LAG_P99, MetricUnit::Seconds)
    },
    MetricKind::new(LAG_MEAN, MetricUnit::Seconds),
    MetricKind::new(LAG_MAX, MetricUnit::Seconds),
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
