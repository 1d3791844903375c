//! What is measured.

use probe::{MetricKind, MetricUnit};

/// The numbers that are measured, with the thresholds that hold unless others are given: those of CVMFS' own
/// `check_cvmfs.sh`, where it has them.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind {
        warning: Some("1"),
        critical: Some("10"),
        ..MetricKind::new("response_seconds", MetricUnit::Seconds)
    },
    MetricKind::new("statx_seconds", MetricUnit::Seconds),
    MetricKind::new("statfs_seconds", MetricUnit::Seconds),
    MetricKind::new("opendir_seconds", MetricUnit::Seconds),
    MetricKind::new("readdir_seconds", MetricUnit::Seconds),
    MetricKind { warning: Some("0"), counter: true, ..MetricKind::new("io_errors", MetricUnit::Count) },
    MetricKind::new("last_io_error_seconds", MetricUnit::Seconds),
    MetricKind::new("revision", MetricUnit::Count),
    MetricKind::new("published_revision", MetricUnit::Count),
    MetricKind { warning: Some("1"), ..MetricKind::new("revisions_behind", MetricUnit::Count) },
    MetricKind::new("published_seconds", MetricUnit::Seconds),
    MetricKind::new("expires_seconds", MetricUnit::Seconds),
    MetricKind { warning: Some("24"), ..MetricKind::new("cleanups_a_day", MetricUnit::Count) },
    MetricKind { warning: Some("80:"), ..MetricKind::new("hitrate_percent", MetricUnit::Percent) },
    MetricKind::new("used_fds", MetricUnit::Count),
    MetricKind::new("most_fds", MetricUnit::Count),
    MetricKind { warning: Some("80"), ..MetricKind::new("fds_percent", MetricUnit::Percent) },
    MetricKind::new("catalogs", MetricUnit::Count),
    MetricKind { warning: Some("10"), ..MetricKind::new("catalogs_percent_of_fds", MetricUnit::Percent) },
    MetricKind { percentiles: true, ..MetricKind::new("ttfb_seconds", MetricUnit::Seconds) },
    MetricKind { warning: Some("1"), ..MetricKind::new("slow_ttfb_seconds", MetricUnit::Seconds) },
    MetricKind { warning: Some("1:"), ..MetricKind::new("read_mbps", MetricUnit::MegabytesPerSecond) },
    MetricKind::new("read_bytes", MetricUnit::Bytes),
    MetricKind::new("files", MetricUnit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new("mismatched_files", MetricUnit::Count) },
    MetricKind::new("revisions_apart", MetricUnit::Count),
    MetricKind::new("servers", MetricUnit::Count),
    MetricKind { warning: Some("0"), ..MetricKind::new("unreachable_servers", MetricUnit::Count) },
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
