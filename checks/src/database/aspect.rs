//! What is looked at, and by which names.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

/// All that is looked at, in this order. The other names are those of the checks that these replace.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(&[OPEN], ProbeKind::Startup, "opens it, to read only, and reads what tables it has"),
    readiness(&[LOCK_WAIT], "measures how long a reader waits for those who have it locked"),
    readiness(&[SCHEMA], "looks whether it has the tables of a hub, and which revision they are of"),
    readiness(&[INTEGRITY], "looks through all its pages, in a copy, or for damage that the server knows of"),
    readiness(&[FOREIGN_KEYS], "looks for rows that refer to rows that are not there"),
    readiness(&[SIZE], "measures it, what of it is unused, and the room that is left"),
    readiness(&[CONNECTIONS], "counts the server's connections, and those that keep a transaction open"),
    hub(&[USER_ACTIVE, "user", "servers", "spawners"], "looks whether the users named have a running server"),
    hub(&[USER_STOPPED, "user", "servers", "spawners"], "looks whether the users named have no server"),
    hub(&[ORPHANS], "looks for servers of nobody, and for references to servers that are not there"),
    hub(&[LISTENING], "connects to the servers of all users"),
    hub(
        &[TOKENS, "token"],
        "looks whether exactly the servers that run have a token, and counts those that expired",
    ),
    hub(&[CROSS], "compares users and servers with what the hub itself says"),
];

pub(super) const OPEN: &str = "open";
pub(super) const LOCK_WAIT: &str = "lock-wait";
pub(super) const SCHEMA: &str = "schema";
pub(super) const INTEGRITY: &str = "integrity";
pub(super) const FOREIGN_KEYS: &str = "foreign-keys";
pub(super) const SIZE: &str = "size";
pub(super) const CONNECTIONS: &str = "connections";
pub(super) const USER_ACTIVE: &str = "user.active";
pub(super) const USER_STOPPED: &str = "user.stopped";
pub(super) const ORPHANS: &str = "orphans";
pub(super) const LISTENING: &str = "listening";
pub(super) const TOKENS: &str = "tokens";
pub(super) const CROSS: &str = "cross";

const fn readiness(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[OPEN])
}

const fn hub(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[OPEN, SCHEMA])
}

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind { warning: Some("1"), ..MetricKind::new("open_seconds", Unit::Seconds) },
    MetricKind { warning: Some("0.5"), ..MetricKind::new("lock_wait_seconds", Unit::Seconds) },
    MetricKind {
        warning: Some("10"),
        critical: Some("60"),
        ..MetricKind::new("replication_lag_seconds", Unit::Seconds)
    },
    MetricKind::new("checked_bytes", Unit::Bytes),
    none("integrity_errors"),
    none("checksum_failures"),
    none("invalid_indexes"),
    none("foreign_key_violations"),
    MetricKind::new("database_bytes", Unit::Bytes),
    MetricKind { warning: Some("75"), ..MetricKind::new("freelist_percent", Unit::Percent) },
    MetricKind { warning: Some("256MiB"), ..MetricKind::new("wal_bytes", Unit::Bytes) },
    MetricKind::new("free_bytes", Unit::Bytes),
    MetricKind {
        warning: Some("10:"),
        critical: Some("3:"),
        ..MetricKind::new("free_percent", Unit::Percent)
    },
    MetricKind::new("connections", Unit::Count),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("connections_percent", Unit::Percent)
    },
    MetricKind {
        warning: Some("60"),
        critical: Some("600"),
        ..MetricKind::new("idle_in_transaction_seconds", Unit::Seconds)
    },
    MetricKind::new("users", Unit::Count),
    MetricKind::new("active_servers", Unit::Count),
    none("orphan_servers"),
    none("dangling_servers"),
    none("dead_servers"),
    MetricKind::new("tokens", Unit::Count),
    none("missing_tokens"),
    MetricKind { warning: Some("0"), ..MetricKind::new("leftover_tokens", Unit::Count) },
    MetricKind { warning: Some("1000"), ..MetricKind::new("expired_tokens", Unit::Count) },
    MetricKind::new("endless_tokens", Unit::Count),
    none("differences"),
];

/// Of these there must be none.
const fn none(name: &'static str) -> MetricKind {
    MetricKind { critical: Some("0"), ..MetricKind::new(name, Unit::Count) }
}

#[cfg(test)]
mod tests {
    use probe::testing::check_ranges;

    use super::*;

    #[test]
    fn every_threshold_is_a_range() {
        check_ranges(METRICS);
    }
}
