//! What is looked at, and by which names.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

/// All that is looked at, in this order. The other names are those of the checks that these replace.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(
        &[AUTOMOUNT, "mounted", "mount"],
        ProbeKind::Startup,
        "enters the repository, which mounts it, and looks for it in /proc/self/mountinfo",
    ),
    Aspect::new(
        &[RESPONSIVE],
        ProbeKind::Startup,
        "asks for attributes, for the file system's size and for one directory entry",
    )
    .after(&[AUTOMOUNT]),
    readiness(&[IDENTITY], "compares the repository's own name with the one that was asked for"),
    readiness(&[ERRORS], "asks how many reads have failed since it was mounted, and when the last did"),
    readiness(&[FRESHNESS], "compares the revision that is mounted with the one that is published"),
    readiness(&[FAILOVER], "asks whether the first server and a proxy are in use, or those to fall back on"),
    readiness(&[CACHE], "asks how often the cache was cleaned up, and how often it was hit"),
    readiness(&[FDS], "asks how many of its file descriptors are in use"),
    readiness(&[CATALOGS], "asks how many catalogs are loaded"),
    readiness(&[VERSION], "asks which version of the client serves the mount"),
    readiness(&[TTFB_WARM, "ttfb"], "opens files again and again and reads their first byte"),
    deep(&[TTFB_COLD], "opens files that are not in the client's cache and reads their first byte"),
    deep(&[THROUGHPUT], "reads whole files"),
    deep(&[INTEGRITY], "compares the hashes of files with those of their cached copies"),
    deep(&[NETWORK], "asks each of the repository's servers for its manifest"),
];

pub(super) const AUTOMOUNT: &str = "automount";
pub(super) const RESPONSIVE: &str = "responsive";
pub(super) const IDENTITY: &str = "identity";
pub(super) const ERRORS: &str = "errors";
pub(super) const FRESHNESS: &str = "freshness";
pub(super) const FAILOVER: &str = "failover";
pub(super) const CACHE: &str = "cache";
pub(super) const FDS: &str = "fds";
pub(super) const CATALOGS: &str = "catalogs";
pub(super) const VERSION: &str = "version";
pub(super) const TTFB_WARM: &str = "ttfb.warm";
pub(super) const TTFB_COLD: &str = "ttfb.cold";
pub(super) const THROUGHPUT: &str = "throughput";
pub(super) const INTEGRITY: &str = "integrity";
pub(super) const NETWORK: &str = "network";

const fn readiness(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[AUTOMOUNT, RESPONSIVE])
}

const fn deep(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Deep, about).after(&[AUTOMOUNT, RESPONSIVE])
}

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
