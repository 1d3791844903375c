//! What is measured.

use probe::{MetricKind, Unit};

use crate::network::TOTAL_SECONDS;

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    TOTAL_SECONDS,
    MetricKind::new("health_age_seconds", Unit::Seconds),
    MetricKind::new("failing_streak", Unit::Count),
    MetricKind { counter: true, ..MetricKind::new("restarts", Unit::Count) },
    MetricKind { warning: Some("60:"), ..MetricKind::new("uptime_seconds", Unit::Seconds) },
    MetricKind::new("memory_bytes", Unit::Bytes),
    MetricKind::new("memory_limit_bytes", Unit::Bytes),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("memory_percent", Unit::Percent)
    },
    MetricKind { warning: Some("90"), ..MetricKind::new("cpu_percent", Unit::Percent) },
    MetricKind::new("cpus", Unit::Count),
    MetricKind::new("pids", Unit::Count),
    MetricKind::new("pids_limit", Unit::Count),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("pids_percent", Unit::Percent)
    },
    MetricKind::new("image_age_seconds", Unit::Seconds),
    MetricKind { critical: Some("0"), ..MetricKind::new("matching_lines", Unit::Count) },
    MetricKind::new("exit_status", Unit::Count),
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
