//! What is looked at, by which names, and what is measured.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

use crate::network;

pub(super) const HEALTH: &str = "health";
pub(super) const TLS: &str = "tls";
pub(super) const VERSION: &str = "version";
pub(super) const TOKEN: &str = "token";
pub(super) const USERS: &str = "users";
pub(super) const SERVICES: &str = "services";
pub(super) const PROXY_ROUTES: &str = "proxy-routes";
pub(super) const METRICS_PAGE: &str = "metrics";
pub(super) const LATENCY: &str = "latency";
pub(super) const START: &str = "server.start";
pub(super) const READY: &str = "server.ready";
pub(super) const API: &str = "server.api";
pub(super) const STOP: &str = "server.stop";
pub(super) const GONE: &str = "server.gone";

/// All that is looked at, in this order.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(&[HEALTH], ProbeKind::Startup, "asks the hub how it is (/hub/health)"),
    Aspect::new(
        &[TLS, "certificate"],
        ProbeKind::Readiness,
        "does a TLS handshake: is the certificate to be trusted, for this name, and for how long?",
    ),
    readiness(&[VERSION, "check_api"], "asks the hub for its version"),
    readiness(&[TOKEN], "asks the hub whose token it is, what it allows, and until when"),
    authorized(&[USERS], "reads the list of all users, page by page"),
    authorized(&[SERVICES], "reads the list of services, and asks each that has an address how it is"),
    authorized(&[PROXY_ROUTES], "compares the proxy's routes with the servers that run"),
    readiness(&[METRICS_PAGE], "reads the hub's metrics"),
    readiness(&[LATENCY, "ttfb"], "asks the hub for its version several times, each over a new connection"),
    deep(&[START, "create_session"], "asks the hub to start a server for a user who has none")
        .after(&[HEALTH, TOKEN]),
    deep(
        &[READY, "create_session", "check_session", "servers", "spawners"],
        "follows the start until the user's server is ready",
    )
    .after(&[HEALTH, TOKEN, START]),
    deep(&[API, "check_session", "servers"], "asks the user's server for its version and its state")
        .after(&[HEALTH, TOKEN, START, READY]),
    deep(&[STOP, "stop_session"], "asks the hub to stop the server that this check has started")
        .after(&[HEALTH, TOKEN, START, READY]),
    deep(&[GONE, "stop_session"], "waits until the user's server is gone, and asks whether it really is")
        .after(&[HEALTH, TOKEN, START, STOP]),
];

const fn readiness(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[HEALTH])
}

const fn authorized(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[HEALTH, TOKEN])
}

const fn deep(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Deep, about)
}

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
    MetricKind { warning: Some("1:"), ..MetricKind::new(TOKEN_DAYS, Unit::Count) },
    MetricKind::new(USER_COUNT, Unit::Count),
    MetricKind::new(PAGES, Unit::Count),
    MetricKind::new(SERVICE_COUNT, Unit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new(SERVICES_DOWN, Unit::Count) },
    MetricKind::new(ROUTE_COUNT, Unit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new(MISSING_ROUTES, Unit::Count) },
    MetricKind { warning: Some("0"), ..MetricKind::new(STALE_ROUTES, Unit::Count) },
    MetricKind::new(RUNNING_SERVERS, Unit::Count),
    MetricKind::new(ACTIVE_USERS, Unit::Count),
    MetricKind { counter: true, ..MetricKind::new(FAILED_SPAWNS, Unit::Count) },
    // The hub measures every 50 ms: what is more is the loop being late.
    MetricKind { warning: Some("100ms"), ..MetricKind::new(LOOP_INTERVAL, Unit::Seconds) },
    MetricKind { warning: Some("30"), ..MetricKind::new(SPAWN_SECONDS, Unit::Seconds) },
    MetricKind { warning: Some("10"), ..MetricKind::new(STOP_SECONDS, Unit::Seconds) },
    MetricKind::new(KERNELS, Unit::Count),
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
