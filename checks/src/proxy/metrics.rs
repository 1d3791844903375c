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
    MetricKind::new(ROUTE_COUNT, MetricUnit::Count).of(&["routes"]),
    MetricKind { critical: Some("0"), ..MetricKind::new(STALE_ROUTES, MetricUnit::Count).of(&["routes"]) },
    MetricKind {
        warning: Some("100ms"),
        critical: Some("1s"),
        ..MetricKind::new(LAG_P99, MetricUnit::Seconds).of(&["eventloop-lag"])
    },
    MetricKind::new(LAG_MEAN, MetricUnit::Seconds).of(&["eventloop-lag"]),
    MetricKind::new(LAG_MAX, MetricUnit::Seconds).of(&["eventloop-lag"]),
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckProxy;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckProxy::aspects());
    }
}
