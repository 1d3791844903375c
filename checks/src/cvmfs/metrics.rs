//! What is measured.

use probe::{MetricKind, Unit};

/// The numbers that are measured, with the thresholds that hold unless others are given: those of CVMFS' own
/// `check_cvmfs.sh`, where it has them.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind {
        warning: Some("1"),
        critical: Some("10"),
        ..MetricKind::new("response_seconds", Unit::Seconds)
    },
    MetricKind::new("statx_seconds", Unit::Seconds),
    MetricKind::new("statfs_seconds", Unit::Seconds),
    MetricKind::new("opendir_seconds", Unit::Seconds),
    MetricKind::new("readdir_seconds", Unit::Seconds),
    MetricKind { warning: Some("0"), counter: true, ..MetricKind::new("io_errors", Unit::Count) },
    MetricKind::new("last_io_error_seconds", Unit::Seconds),
    MetricKind::new("revision", Unit::Count),
    MetricKind::new("published_revision", Unit::Count),
    MetricKind { warning: Some("1"), ..MetricKind::new("revisions_behind", Unit::Count) },
    MetricKind::new("published_seconds", Unit::Seconds),
    MetricKind::new("expires_seconds", Unit::Seconds),
    MetricKind { warning: Some("24"), ..MetricKind::new("cleanups_a_day", Unit::Count) },
    MetricKind { warning: Some("80:"), ..MetricKind::new("hitrate_percent", Unit::Percent) },
    MetricKind::new("used_fds", Unit::Count),
    MetricKind::new("most_fds", Unit::Count),
    MetricKind { warning: Some("80"), ..MetricKind::new("fds_percent", Unit::Percent) },
    MetricKind::new("catalogs", Unit::Count),
    MetricKind { warning: Some("10"), ..MetricKind::new("catalogs_percent_of_fds", Unit::Percent) },
    MetricKind { percentiles: true, ..MetricKind::new("ttfb_seconds", Unit::Seconds) },
    MetricKind { warning: Some("1"), ..MetricKind::new("slow_ttfb_seconds", Unit::Seconds) },
    MetricKind { warning: Some("1:"), ..MetricKind::new("read_mbps", Unit::MegabytesPerSecond) },
    MetricKind::new("read_bytes", Unit::Bytes),
    MetricKind::new("files", Unit::Count),
    MetricKind { critical: Some("0"), ..MetricKind::new("mismatched_files", Unit::Count) },
    MetricKind::new("servers", Unit::Count),
    MetricKind { warning: Some("0"), ..MetricKind::new("unreachable_servers", Unit::Count) },
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
