//! What is measured.

use probe::{MetricKind, MetricUnit};

use crate::network::TOTAL_SECONDS;

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    TOTAL_SECONDS,
    MetricKind::new("health_age_seconds", MetricUnit::Seconds),
    MetricKind::new("failing_streak", MetricUnit::Count),
    MetricKind { counter: true, ..MetricKind::new("restarts", MetricUnit::Count) },
    MetricKind { warning: Some("60:"), ..MetricKind::new("uptime_seconds", MetricUnit::Seconds) },
    MetricKind::new("memory_bytes", MetricUnit::Bytes),
    MetricKind::new("memory_limit_bytes", MetricUnit::Bytes),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("memory_percent", MetricUnit::Percent)
    },
    MetricKind { warning: Some("90"), ..MetricKind::new("cpu_percent", MetricUnit::Percent) },
    MetricKind::new("cpus", MetricUnit::Count),
    MetricKind::new("pids", MetricUnit::Count),
    MetricKind::new("pids_limit", MetricUnit::Count),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("pids_percent", MetricUnit::Percent)
    },
    MetricKind::new("image_age_seconds", MetricUnit::Seconds),
    MetricKind { critical: Some("0"), ..MetricKind::new("matching_lines", MetricUnit::Count) },
    MetricKind::new("exit_status", MetricUnit::Count),
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
