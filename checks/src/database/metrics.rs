//! What is measured.

use probe::{MetricKind, MetricUnit};

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind { warning: Some("1"), ..MetricKind::new("open_seconds", MetricUnit::Seconds) },
    MetricKind { warning: Some("0.5"), ..MetricKind::new("lock_wait_seconds", MetricUnit::Seconds) },
    MetricKind {
        warning: Some("10"),
        critical: Some("60"),
        ..MetricKind::new("replication_lag_seconds", MetricUnit::Seconds)
    },
    MetricKind::new("checked_bytes", MetricUnit::Bytes),
    none("integrity_errors"),
    none("checksum_failures"),
    none("invalid_indexes"),
    none("foreign_key_violations"),
    MetricKind::new("database_bytes", MetricUnit::Bytes),
    MetricKind { warning: Some("75"), ..MetricKind::new("freelist_percent", MetricUnit::Percent) },
    MetricKind { warning: Some("256MiB"), ..MetricKind::new("wal_bytes", MetricUnit::Bytes) },
    MetricKind::new("free_bytes", MetricUnit::Bytes),
    MetricKind {
        warning: Some("10:"),
        critical: Some("3:"),
        ..MetricKind::new("free_percent", MetricUnit::Percent)
    },
    MetricKind::new("connections", MetricUnit::Count),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("connections_percent", MetricUnit::Percent)
    },
    MetricKind {
        warning: Some("60"),
        critical: Some("600"),
        ..MetricKind::new("idle_in_transaction_seconds", MetricUnit::Seconds)
    },
    MetricKind::new("users", MetricUnit::Count),
    MetricKind::new("active_servers", MetricUnit::Count),
    none("orphan_servers"),
    none("dangling_servers"),
    none("dead_servers"),
    MetricKind::new("tokens", MetricUnit::Count),
    none("missing_tokens"),
    MetricKind { warning: Some("0"), ..MetricKind::new("leftover_tokens", MetricUnit::Count) },
    MetricKind { warning: Some("1000"), ..MetricKind::new("expired_tokens", MetricUnit::Count) },
    MetricKind::new("endless_tokens", MetricUnit::Count),
    none("differences"),
];

/// A metric that must be zero.
const fn none(name: &'static str) -> MetricKind {
    MetricKind { critical: Some("0"), ..MetricKind::new(name, MetricUnit::Count) }
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
