//! What is looked at, and what is measured.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

use crate::network;

pub(super) const TLS: &str = "tls";
pub(super) const HEALTH: &str = "health";
pub(super) const API: &str = "api";
pub(super) const HUB_ROUTE: &str = "hub-route";
pub(super) const ROUTES: &str = "routes";
pub(super) const LATENCY: &str = "latency";
pub(super) const EVENTLOOP_LAG: &str = "eventloop-lag";
pub(super) const CANARY: &str = "canary";
pub(super) const WEBSOCKET: &str = "websocket";

/// All that is looked at, in this order.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(&[HEALTH], ProbeKind::Startup, "asks the proxy itself how it is (/_chp_healthz)"),
    Aspect::new(
        &[TLS, "certificate"],
        ProbeKind::Readiness,
        "does a TLS handshake: is the certificate to be trusted, for this name, and for how long?",
    ),
    Aspect::new(
        &[API],
        ProbeKind::Readiness,
        "asks for the routes, with the token and with a wrong one, which must be refused",
    ),
    Aspect::new(
        &[HUB_ROUTE],
        ProbeKind::Readiness,
        "asks the hub how it is through the proxy, and directly when that fails",
    )
    .after(&[HEALTH, API]),
    Aspect::new(&[ROUTES], ProbeKind::Readiness, "connects to the target of each route").after(&[API]),
    Aspect::new(&[LATENCY], ProbeKind::Readiness, "asks the proxy itself several times").after(&[HEALTH]),
    Aspect::new(&[EVENTLOOP_LAG], ProbeKind::Readiness, "reads the proxy's metrics").after(&[HEALTH]),
    Aspect::new(
        &[CANARY],
        ProbeKind::Deep,
        "adds a route to a server of its own, asks through the proxy, removes the route",
    )
    .after(&[HEALTH, API]),
    Aspect::new(
        &[WEBSOCKET],
        ProbeKind::Deep,
        "adds a route to a server of its own, opens a WebSocket through the proxy, removes the route",
    )
    .after(&[HEALTH, API]),
];

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
    MetricKind::new(ROUTE_COUNT, Unit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new(STALE_ROUTES, Unit::Count) },
    MetricKind { warning: Some("100ms"), critical: Some("1s"), ..MetricKind::new(LAG_P99, Unit::Seconds) },
    MetricKind::new(LAG_MEAN, Unit::Seconds),
    MetricKind::new(LAG_MAX, Unit::Seconds),
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
