//! What is measured.

use probe::{MetricKind, MetricUnit};

/// The numbers that are measured, with the thresholds that hold unless others are given: those of CVMFS' own
/// `check_cvmfs.sh`, where it has them.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind {
        warning: Some("1"),
        critical: Some("10"),
        ..MetricKind::new("response_seconds", MetricUnit::Seconds).of(&["responsive"])
    },
    MetricKind::new("statx_seconds", MetricUnit::Seconds).of(&["responsive"]),
    MetricKind::new("statfs_seconds", MetricUnit::Seconds).of(&["responsive"]),
    MetricKind::new("opendir_seconds", MetricUnit::Seconds).of(&["responsive"]),
    MetricKind::new("readdir_seconds", MetricUnit::Seconds).of(&["responsive"]),
    MetricKind {
        warning: Some("0"),
        counter: true,
        ..MetricKind::new("io_errors", MetricUnit::Count).of(&["errors"])
    },
    MetricKind::new("last_io_error_seconds", MetricUnit::Seconds).of(&["errors"]),
    MetricKind::new("revision", MetricUnit::Count).of(&["freshness"]),
    MetricKind::new("published_revision", MetricUnit::Count).of(&["freshness"]),
    MetricKind {
        warning: Some("1"),
        ..MetricKind::new("revisions_behind", MetricUnit::Count).of(&["freshness"])
    },
    MetricKind::new("published_seconds", MetricUnit::Seconds).of(&["freshness"]),
    MetricKind::new("expires_seconds", MetricUnit::Seconds).of(&["freshness"]),
    MetricKind { warning: Some("24"), ..MetricKind::new("cleanups_a_day", MetricUnit::Count).of(&["cache"]) },
    MetricKind {
        warning: Some("80:"),
        ..MetricKind::new("hitrate_percent", MetricUnit::Percent).of(&["cache"])
    },
    MetricKind::new("used_fds", MetricUnit::Count).of(&["fds"]),
    MetricKind::new("most_fds", MetricUnit::Count).of(&["fds"]),
    MetricKind { warning: Some("80"), ..MetricKind::new("fds_percent", MetricUnit::Percent).of(&["fds"]) },
    MetricKind::new("catalogs", MetricUnit::Count).of(&["catalogs"]),
    MetricKind {
        warning: Some("10"),
        ..MetricKind::new("catalogs_percent_of_fds", MetricUnit::Percent).of(&["catalogs"])
    },
    MetricKind {
        percentiles: true,
        ..MetricKind::new("ttfb_seconds", MetricUnit::Seconds).of(&["ttfb.warm", "ttfb.cold"])
    },
    MetricKind {
        warning: Some("1"),
        ..MetricKind::new("slow_ttfb_seconds", MetricUnit::Seconds).of(&["ttfb.warm", "ttfb.cold"])
    },
    MetricKind {
        warning: Some("1:"),
        ..MetricKind::new("read_mbps", MetricUnit::MegabytesPerSecond).of(&["throughput"])
    },
    MetricKind::new("read_bytes", MetricUnit::Bytes).of(&["throughput"]),
    MetricKind::new("files", MetricUnit::Count).of(&["throughput", "integrity"]),
    MetricKind {
        critical: Some("0"),
        ..MetricKind::new("mismatched_files", MetricUnit::Count).of(&["integrity"])
    },
    MetricKind::new("revisions_apart", MetricUnit::Count).of(&["network"]),
    MetricKind::new("servers", MetricUnit::Count).of(&["network"]),
    MetricKind {
        warning: Some("0"),
        ..MetricKind::new("unreachable_servers", MetricUnit::Count).of(&["network"])
    },
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckCvmfs;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckCvmfs::aspects());
    }
}
