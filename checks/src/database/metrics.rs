//! What is measured.

use probe::{MetricKind, MetricUnit};

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind { warning: Some("1"), ..MetricKind::new("open_seconds", MetricUnit::Seconds).of(&["open"]) },
    MetricKind {
        warning: Some("0.5"),
        ..MetricKind::new("lock_wait_seconds", MetricUnit::Seconds).of(&["lock-wait"])
    },
    MetricKind {
        warning: Some("10"),
        critical: Some("60"),
        ..MetricKind::new("replication_lag_seconds", MetricUnit::Seconds).of(&["open"])
    },
    MetricKind::new("checked_bytes", MetricUnit::Bytes).of(&["integrity"]),
    none("integrity_errors").of(&["integrity"]),
    none("checksum_failures").of(&["integrity"]),
    none("invalid_indexes").of(&["integrity"]),
    none("foreign_key_violations").of(&["foreign-keys"]),
    MetricKind::new("database_bytes", MetricUnit::Bytes).of(&["size"]),
    MetricKind {
        warning: Some("75"),
        ..MetricKind::new("freelist_percent", MetricUnit::Percent).of(&["size"])
    },
    MetricKind { warning: Some("256MiB"), ..MetricKind::new("wal_bytes", MetricUnit::Bytes).of(&["size"]) },
    MetricKind::new("free_bytes", MetricUnit::Bytes).of(&["size"]),
    MetricKind {
        warning: Some("10:"),
        critical: Some("3:"),
        ..MetricKind::new("free_percent", MetricUnit::Percent).of(&["size"])
    },
    MetricKind::new("connections", MetricUnit::Count).of(&["connections"]),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("connections_percent", MetricUnit::Percent).of(&["connections"])
    },
    MetricKind {
        warning: Some("60"),
        critical: Some("600"),
        ..MetricKind::new("idle_in_transaction_seconds", MetricUnit::Seconds).of(&["connections"])
    },
    MetricKind::new("users", MetricUnit::Count).of(&["cross"]),
    MetricKind::new("active_servers", MetricUnit::Count).of(&["listening", "cross"]),
    none("orphan_servers").of(&["orphans"]),
    none("dangling_servers").of(&["orphans"]),
    none("dead_servers").of(&["listening"]),
    MetricKind::new("tokens", MetricUnit::Count).of(&["tokens"]),
    none("missing_tokens").of(&["tokens"]),
    MetricKind {
        warning: Some("0"),
        ..MetricKind::new("leftover_tokens", MetricUnit::Count).of(&["tokens"])
    },
    MetricKind {
        warning: Some("1000"),
        ..MetricKind::new("expired_tokens", MetricUnit::Count).of(&["tokens"])
    },
    MetricKind::new("endless_tokens", MetricUnit::Count).of(&["tokens"]),
    none("differences").of(&["cross"]),
];

/// A metric that must be zero.
const fn none(name: &'static str) -> MetricKind {
    MetricKind { critical: Some("0"), ..MetricKind::new(name, MetricUnit::Count) }
}

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckDatabase;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckDatabase::aspects());
    }
}
