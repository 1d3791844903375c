//! What is measured.

use probe::{MetricKind, Unit};

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

/// A metric that must be zero.
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
