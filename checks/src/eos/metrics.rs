//! What is measured.

use probe::{MetricKind, MetricUnit};

const fn seconds(name: &'static str) -> MetricKind {
    MetricKind::new(name, MetricUnit::Seconds)
}

const fn count(name: &'static str) -> MetricKind {
    MetricKind::new(name, MetricUnit::Count)
}

const fn bytes(name: &'static str) -> MetricKind {
    MetricKind::new(name, MetricUnit::Bytes)
}

const fn times(name: &'static str) -> MetricKind {
    MetricKind { percentiles: true, ..seconds(name) }
}

const fn room(name: &'static str) -> MetricKind {
    let (warning, critical) = (Some("10:"), Some("2:"));
    MetricKind { warning, critical, ..MetricKind::new(name, MetricUnit::Percent) }
}

const fn speed(name: &'static str) -> MetricKind {
    MetricKind { warning: Some("1:"), ..MetricKind::new(name, MetricUnit::MegabytesPerSecond) }
}

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    count("pending_requests"),
    MetricKind { warning: Some("10"), ..count("pending_requests_least") },
    MetricKind { warning: Some("1"), ..seconds("response_seconds") },
    seconds("statx_seconds"),
    seconds("statfs_seconds"),
    seconds("opendir_seconds"),
    seconds("readdir_seconds"),
    bytes("total_bytes"),
    bytes("free_bytes"),
    room("free_percent"),
    count("total_files"),
    count("free_files"),
    room("free_files_percent"),
    MetricKind { warning: Some("0"), ..count("stale_probes") },
    count("removed_probes"),
    times("round_seconds"),
    MetricKind { warning: Some("1"), ..seconds("visible_seconds") },
    seconds("gone_seconds"),
    count("files"),
    count("create_per_second"),
    count("stat_per_second"),
    count("unlink_per_second"),
    times("create_seconds"),
    times("stat_seconds"),
    times("unlink_seconds"),
    speed("write_mbps"),
    times("write_seconds"),
    speed("read_mbps"),
    times("read_seconds"),
    count("samples"),
    bytes("size_bytes"),
    MetricKind { critical: Some("0"), ..bytes("mismatched_bytes") },
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
