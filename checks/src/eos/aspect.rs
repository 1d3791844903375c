//! What is looked at, and by which names.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

pub(super) const MOUNTED: &str = "mounted";
pub(super) const PENDING: &str = "requests-pending";
pub(super) const RESPONSIVE: &str = "responsive";
pub(super) const SPACE: &str = "space";
pub(super) const STALE: &str = "stale-probes";
pub(super) const WRITABLE: &str = "writable";
pub(super) const WRITE: &str = "writable.write";
pub(super) const EXISTS: &str = "writable.exists";
pub(super) const DELETE: &str = "writable.delete";
pub(super) const VISIBLE: &str = "visible";
pub(super) const METADATA: &str = "metadata";
pub(super) const THROUGHPUT_WRITE: &str = "throughput.write";
pub(super) const THROUGHPUT_READ: &str = "throughput.read";
pub(super) const INTEGRITY: &str = "integrity";

/// Without these nothing else makes sense.
const ALIVE: &[&str] = &[MOUNTED, RESPONSIVE];

/// All that is looked at, in this order: what only looks comes first. The other names are those of the checks that
/// these replace.
pub(super) const ASPECTS: &[Aspect] = &[
    startup(&[MOUNTED, "mount"], "looks for the mount in /proc/self/mountinfo"),
    Aspect::new(
        &[PENDING],
        ProbeKind::Liveness,
        "counts for a second what waits for the daemon of the mount",
    )
    .after(&[MOUNTED]),
    startup(
        &[RESPONSIVE, "mount_sanity"],
        "asks for attributes, for the file system's size and for one directory entry",
    )
    .after(&[MOUNTED]),
    Aspect::new(&[SPACE], ProbeKind::Readiness, "asks how much room is left, in bytes and in files")
        .after(ALIVE),
    deep(&[STALE], "looks for files of this check that are older than an hour"),
    deep(
        &[WRITABLE],
        "creates a small file, syncs, closes, reads back through a new open, renames and deletes it",
    ),
    deep(&[WRITE, "write"], "creates a small file, writes, syncs and closes it, deletes it").on_request(),
    deep(&[EXISTS, "exists"], "creates a small file, looks at its size and its content, deletes it")
        .on_request(),
    deep(&[DELETE, "delete"], "creates a small file, renames and deletes it, looks whether it is gone")
        .on_request(),
    deep(&[VISIBLE], "writes a small file and waits for it to be seen, and to be gone, on the other path"),
    deep(&[METADATA], "creates small files, looks at each, deletes them"),
    deep(&[THROUGHPUT_WRITE, "throughput"], "writes a file, syncs and closes it, deletes it"),
    deep(&[THROUGHPUT_READ, "throughput"], "writes a file, reads it back past the page cache, deletes it"),
    deep(
        &[INTEGRITY, "checksum"],
        "writes a file, compares what is read back past the page cache, deletes it",
    ),
];

const fn startup(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Startup, about)
}

const fn deep(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Deep, about).after(ALIVE)
}

const fn seconds(name: &'static str) -> MetricKind {
    MetricKind::new(name, Unit::Seconds)
}

const fn count(name: &'static str) -> MetricKind {
    MetricKind::new(name, Unit::Count)
}

const fn bytes(name: &'static str) -> MetricKind {
    MetricKind::new(name, Unit::Bytes)
}

const fn times(name: &'static str) -> MetricKind {
    MetricKind { percentiles: true, ..seconds(name) }
}

const fn room(name: &'static str) -> MetricKind {
    let (warning, critical) = (Some("10:"), Some("2:"));
    MetricKind { warning, critical, ..MetricKind::new(name, Unit::Percent) }
}

const fn speed(name: &'static str) -> MetricKind {
    MetricKind { warning: Some("1:"), ..MetricKind::new(name, Unit::MegabytesPerSecond) }
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

    #[test]
    fn only_what_looks_and_changes_nothing_is_not_deep() {
        let shallow: Vec<_> =
            ASPECTS.iter().filter(|aspect| aspect.kind < ProbeKind::Deep).map(Aspect::name).collect();
        assert_eq!(shallow, [MOUNTED, PENDING, RESPONSIVE, SPACE]);
    }
}
