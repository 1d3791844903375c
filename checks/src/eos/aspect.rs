//! What is looked at, and by which names.

use crate::probe::{MetricKind, ProbeKind, Unit};

/// An aspect of a mount; each is a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    Mounted,
    Responsive,
    Space,
    Writable,
    ThroughputWrite,
    ThroughputRead,
    Integrity,
}

impl Aspect {
    pub(super) const ALL: [Aspect; 7] = [
        Aspect::Mounted,
        Aspect::Responsive,
        Aspect::Space,
        Aspect::Writable,
        Aspect::ThroughputWrite,
        Aspect::ThroughputRead,
        Aspect::Integrity,
    ];

    /// Its name, and the names it had in the checks that these replace.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Aspect::Mounted => &["mounted", "mount"],
            Aspect::Responsive => &["responsive", "mount_sanity"],
            Aspect::Space => &["space"],
            Aspect::Writable => &["writable", "write", "exists", "delete"],
            Aspect::ThroughputWrite => &["throughput.write", "throughput"],
            Aspect::ThroughputRead => &["throughput.read", "throughput"],
            Aspect::Integrity => &["integrity", "checksum"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// The first kind of probe that looks at it.
    pub(super) fn kind(self) -> ProbeKind {
        match self {
            Aspect::Mounted | Aspect::Responsive => ProbeKind::Startup,
            Aspect::Space => ProbeKind::Readiness,
            _ => ProbeKind::Deep,
        }
    }

    /// The aspects without which it makes no sense.
    pub(super) fn after(self) -> &'static [Aspect] {
        match self {
            Aspect::Mounted => &[],
            Aspect::Responsive => &[Aspect::Mounted],
            _ => &[Aspect::Mounted, Aspect::Responsive],
        }
    }

    /// What it does, for people.
    pub(super) fn about(self) -> &'static str {
        match self {
            Aspect::Mounted => "looks for the mount in /proc/self/mountinfo",
            Aspect::Responsive => {
                "asks for attributes, for the file system's size and for one directory entry"
            }
            Aspect::Space => "asks how much room is left, in bytes and in files",
            Aspect::Writable => {
                "creates a small file, syncs, closes, reads back through a new open, renames and deletes it"
            }
            Aspect::ThroughputWrite => "writes a file, syncs and closes it, deletes it",
            Aspect::ThroughputRead => "writes a file, reads it back past the page cache, deletes it",
            Aspect::Integrity => "writes a file, compares what is read back past the page cache, deletes it",
        }
    }
}

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    MetricKind { warning: Some("1"), ..MetricKind::new("response_seconds", Unit::Seconds) },
    MetricKind::new("statx_seconds", Unit::Seconds),
    MetricKind::new("statfs_seconds", Unit::Seconds),
    MetricKind::new("opendir_seconds", Unit::Seconds),
    MetricKind::new("readdir_seconds", Unit::Seconds),
    MetricKind::new("total_bytes", Unit::Bytes),
    MetricKind::new("free_bytes", Unit::Bytes),
    MetricKind {
        warning: Some("10:"),
        critical: Some("2:"),
        ..MetricKind::new("free_percent", Unit::Percent)
    },
    MetricKind::new("total_files", Unit::Count),
    MetricKind::new("free_files", Unit::Count),
    MetricKind {
        warning: Some("10:"),
        critical: Some("2:"),
        ..MetricKind::new("free_files_percent", Unit::Percent)
    },
    MetricKind { percentiles: true, ..MetricKind::new("round_seconds", Unit::Seconds) },
    MetricKind { warning: Some("1:"), ..MetricKind::new("write_mbps", Unit::MegabytesPerSecond) },
    MetricKind { percentiles: true, ..MetricKind::new("write_seconds", Unit::Seconds) },
    MetricKind { warning: Some("1:"), ..MetricKind::new("read_mbps", Unit::MegabytesPerSecond) },
    MetricKind { percentiles: true, ..MetricKind::new("read_seconds", Unit::Seconds) },
    MetricKind::new("samples", Unit::Count),
    MetricKind::new("size_bytes", Unit::Bytes),
    MetricKind { critical: Some("0"), ..MetricKind::new("mismatched_bytes", Unit::Bytes) },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Thresholds;

    #[test]
    fn every_threshold_is_a_range() {
        let thresholds = Thresholds::parse(METRICS, &[], &[]).unwrap();
        for kind in METRICS {
            assert_eq!(thresholds.warning(kind.name).is_some(), kind.warning.is_some(), "{}", kind.name);
            assert_eq!(thresholds.critical(kind.name).is_some(), kind.critical.is_some(), "{}", kind.name);
        }
    }

    #[test]
    fn what_writes_is_deep() {
        let deep: Vec<_> = Aspect::ALL
            .into_iter()
            .filter(|aspect| aspect.kind() == ProbeKind::Deep)
            .map(Aspect::name)
            .collect();
        assert_eq!(deep, ["writable", "throughput.write", "throughput.read", "integrity"]);
    }
}
