//! What is measured.

use probe::{MetricKind, MetricUnit};

use crate::network::TOTAL_SECONDS;

/// The numbers that are measured, with the thresholds that hold unless others are given.
pub(super) const METRICS: &[MetricKind] = &[
    TOTAL_SECONDS.of(&["engine"]),
    MetricKind::new("health_age_seconds", MetricUnit::Seconds).of(&["health"]),
    MetricKind::new("failing_streak", MetricUnit::Count).of(&["health"]),
    MetricKind { counter: true, ..MetricKind::new("restarts", MetricUnit::Count).of(&["restarts"]) },
    MetricKind {
        warning: Some("60:"),
        ..MetricKind::new("uptime_seconds", MetricUnit::Seconds).of(&["uptime"])
    },
    MetricKind::new("memory_bytes", MetricUnit::Bytes).of(&["memory"]),
    MetricKind::new("memory_limit_bytes", MetricUnit::Bytes).of(&["memory"]),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("memory_percent", MetricUnit::Percent).of(&["memory"])
    },
    MetricKind { warning: Some("90"), ..MetricKind::new("cpu_percent", MetricUnit::Percent).of(&["cpu"]) },
    MetricKind::new("cpus", MetricUnit::Count).of(&["cpu"]),
    MetricKind::new("pids", MetricUnit::Count).of(&["pids"]),
    MetricKind::new("pids_limit", MetricUnit::Count).of(&["pids"]),
    MetricKind {
        warning: Some("80"),
        critical: Some("95"),
        ..MetricKind::new("pids_percent", MetricUnit::Percent).of(&["pids"])
    },
    MetricKind::new("image_age_seconds", MetricUnit::Seconds).of(&["image"]),
    MetricKind { critical: Some("0"), ..MetricKind::new("matching_lines", MetricUnit::Count).of(&["logs"]) },
    MetricKind::new("exit_status", MetricUnit::Count).of(&["exec"]),
];

#[cfg(test)]
mod tests {
    use probe::Check as _;
    use probe::testing::check_metrics;

    use super::super::CheckContainer;
    use super::*;

    #[test]
    fn every_metric_has_ranges_and_aspects_that_there_are() {
        check_metrics(METRICS, &CheckContainer::aspects());
    }
}
