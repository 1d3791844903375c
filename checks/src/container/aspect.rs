//! What is looked at, and by which names.

use probe::{Aspect, MetricKind, ProbeKind, Unit};

use crate::network::TOTAL_SECONDS;

/// All that is looked at, in this order.
pub(super) const ASPECTS: &[Aspect] = &[
    Aspect::new(&[ENGINE], ProbeKind::Startup, "asks the engine whether it is there, and for its version"),
    Aspect::new(&[EXISTS], ProbeKind::Startup, "asks the engine for the container").after(&[ENGINE]),
    Aspect::new(
        &[RUNNING, "docker"],
        ProbeKind::Liveness,
        "looks whether it runs, and is not paused or restarting",
    )
    .after(&[EXISTS]),
    readiness(&[HEALTH], "asks for what its own health check found, and how old that is"),
    readiness(
        &[RESTARTS],
        "counts how often it was restarted, and looks whether it falls over again and again",
    ),
    readiness(&[OOM], "looks whether it was ended for want of memory"),
    readiness(&[UPTIME], "asks since when it runs"),
    running(&[MEMORY], "measures how much of the memory that it may use it uses"),
    running(&[CPU], "measures how much of the processors that it may use it uses"),
    running(&[PIDS], "counts its processes"),
    readiness(&[IMAGE], "asks which image it runs, and how old that is"),
    readiness(&[LOGS], "looks for words in the last lines of its log"),
    Aspect::new(&[EXEC], ProbeKind::Deep, "runs a command in it").after(&[RUNNING]),
];

pub(super) const ENGINE: &str = "engine";
pub(super) const EXISTS: &str = "exists";
pub(super) const RUNNING: &str = "running";
pub(super) const HEALTH: &str = "health";
pub(super) const RESTARTS: &str = "restarts";
pub(super) const OOM: &str = "oom";
pub(super) const UPTIME: &str = "uptime";
pub(super) const MEMORY: &str = "memory";
pub(super) const CPU: &str = "cpu";
pub(super) const PIDS: &str = "pids";
pub(super) const IMAGE: &str = "image";
pub(super) const LOGS: &str = "logs";
pub(super) const EXEC: &str = "exec";

const fn readiness(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[EXISTS])
}

const fn running(names: &'static [&'static str], about: &'static str) -> Aspect {
    Aspect::new(names, ProbeKind::Readiness, about).after(&[RUNNING])
}

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
