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
    count("pending_requests").of(&["requests-pending"]),
    MetricKind { warning: Some("10"), ..count("pending_requests_least").of(&["requests-pending"]) },
    MetricKind { warning: Some("1"), ..seconds("response_seconds").of(&["responsive"]) },
    seconds("statx_seconds").of(&["responsive"]),
    seconds("statfs_seconds").of(&["responsive"]),
    seconds("opendir_seconds").of(&["responsive"]),
    seconds("readdir_seconds").of(&["responsive"]),
    bytes("total_bytes").of(&["space"]),
    bytes("free_bytes").of(&["space"]),
    room("free_percent").of(&["space"]),
    count("total_files").of(&["space"]),
    count("free_files").of(&["space"]),
    room("free_files_percent").of(&["space"]),
    MetricKind { warning: Some("0"), ..count("stale_probes").of(&["stale-probes"]) },
    count("removed_probes").of(&["stale-probes"]),
    times("round_seconds").of(&["writable", "writable.write", "writable.exists", "writable.delete"]),
    MetricKind { warning: Some("1"), ..seconds("visible_seconds").of(&["visible"]) },
    seconds("gone_seconds").of(&["visible"]),
    count("files").of(&["metadata"]),
    count("create_per_second").of(&["metadata"]),
    count("stat_per_second").of(&["metadata"]),
    count("unlink_per_second").of(&["metadata"]),
    times("create_seconds").of(&["metadata"]),
    times("stat_seconds").of(&["metadata"]),
    times("unlink_seconds").of(&["metadata"]),
    speed("write_mbps").of(&["throughput.write"]),
    times("write_seconds").of(&["throughput.write"]),
    speed("read_mbps").of(&["throughput.read"]),
    times("read_seconds").of(&["throughput.read"]),
    count("samples").of(&[
        "writable",
        "writable.write",
        "writable.exists",
        "writable.delete",
        "throughput.write",
        "throughput.read",
    ]),
    bytes("size_bytes").of(&["throughput.write", "throughput.read", "integrity"]),
    MetricKind { critical: Some("0"), ..bytes("mismatched_bytes").of(&["integrity"]) },
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckEos;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckEos::aspects());
    }
}
