//! What is measured.

use probe::{MetricKind, MetricUnit};

use crate::network;

pub(super) const TOKEN_DAYS: &str = "token_days";
pub(super) const USER_COUNT: &str = "users";
pub(super) const PAGES: &str = "pages";
pub(super) const SERVICE_COUNT: &str = "services";
pub(super) const SERVICES_DOWN: &str = "services_down";
pub(super) const ROUTE_COUNT: &str = "route_count";
pub(super) const MISSING_ROUTES: &str = "missing_routes";
pub(super) const STALE_ROUTES: &str = "stale_routes";
pub(super) const RUNNING_SERVERS: &str = "running_servers";
pub(super) const ACTIVE_USERS: &str = "active_users_24h";
pub(super) const FAILED_SPAWNS: &str = "failed_spawns";
pub(super) const LOOP_INTERVAL: &str = "eventloop_interval_mean_seconds";
pub(super) const SPAWN_SECONDS: &str = "spawn_seconds";
pub(super) const STOP_SECONDS: &str = "stop_seconds";
pub(super) const KERNELS: &str = "kernels";

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
    MetricKind { warning: Some("1:"), ..MetricKind::new(TOKEN_DAYS, MetricUnit::Count).of(&["token"]) },
    MetricKind::new(USER_COUNT, MetricUnit::Count).of(&["users"]),
    MetricKind::new(PAGES, MetricUnit::Count).of(&["users"]),
    MetricKind::new(SERVICE_COUNT, MetricUnit::Count).of(&["services"]),
    MetricKind { critical: Some("0"), ..MetricKind::new(SERVICES_DOWN, MetricUnit::Count).of(&["services"]) },
    MetricKind::new(ROUTE_COUNT, MetricUnit::Count).of(&["proxy-routes"]),
    MetricKind {
        critical: Some("0"),
        ..MetricKind::new(MISSING_ROUTES, MetricUnit::Count).of(&["proxy-routes"])
    },
    MetricKind {
        warning: Some("0"),
        ..MetricKind::new(STALE_ROUTES, MetricUnit::Count).of(&["proxy-routes"])
    },
    MetricKind::new(RUNNING_SERVERS, MetricUnit::Count).of(&["metrics"]),
    MetricKind::new(ACTIVE_USERS, MetricUnit::Count).of(&["metrics"]),
    MetricKind { counter: true, ..MetricKind::new(FAILED_SPAWNS, MetricUnit::Count).of(&["metrics"]) },
    // The hub measures every 50 ms: whatever exceeds that is the delay of the loop.
    MetricKind {
        warning: Some("100ms"),
        ..MetricKind::new(LOOP_INTERVAL, MetricUnit::Seconds).of(&["metrics"])
    },
    MetricKind {
        warning: Some("30"),
        ..MetricKind::new(SPAWN_SECONDS, MetricUnit::Seconds).of(&["server.ready"])
    },
    MetricKind {
        warning: Some("10"),
        ..MetricKind::new(STOP_SECONDS, MetricUnit::Seconds).of(&["server.gone"])
    },
    MetricKind::new(KERNELS, MetricUnit::Count).of(&["server.api"]),
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckJupyterhub;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckJupyterhub::aspects());
    }
}
