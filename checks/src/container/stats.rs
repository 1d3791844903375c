//! What a container uses.

use std::time::Duration;

use net::encode;
use probe::{Finding, Limits};
use serde::Deserialize;

use super::engine::Engine;
use super::inspect::Inspect;

/// The time between two looks at the processors, where the engine takes only one itself.
const BETWEEN: Duration = Duration::from_secs(1);

/// An answer of `/containers/ID/stats`, as far as it is used here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    cpu_stats: Cpu,
    precpu_stats: Cpu,
    memory_stats: Memory,
    pids_stats: Pids,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
    system_cpu_usage: u64,
    online_cpus: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    stats: MemoryStats,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MemoryStats {
    inactive_file: u64,
    total_inactive_file: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: Option<f64>,
    limit: Option<f64>,
}

pub(super) fn ask(engine: &Engine, inspect: &Inspect, limits: Limits<'_>) -> Result<Stats, Box<Finding>> {
    engine.json(&format!("/containers/{}/stats?stream=false", encode(&inspect.id)), limits)
}

/// The memory in use, less what is only cached.
pub(super) fn memory(stats: &Stats, inspect: &Inspect) -> Finding {
    let Memory { usage, limit, stats } = &stats.memory_stats;
    if *usage == 0 {
        return Finding::skipped("the engine does not tell how much memory it uses".to_owned());
    }
    let used = usage.saturating_sub(stats.inactive_file.max(stats.total_inactive_file)) as f64;
    let own = inspect.host_config.memory;
    let limit = if own > 0 { own } else { *limit } as f64;
    let most = if limit > 0.0 { format!(" of {:.0} MB", limit / 1e6) } else { String::new() };
    let finding =
        Finding::fine(format!("{:.0} MB{most} in use", used / 1e6)).with_metric("memory_bytes", used);
    if limit <= 0.0 {
        return finding;
    }
    finding.with_metric("memory_limit_bytes", limit).with_metric("memory_percent", used / limit * 100.0)
}

/// The processors in use, of those that it may use.
pub(super) fn cpu(engine: &Engine, inspect: &Inspect, first: &Stats, limits: Limits<'_>) -> Finding {
    let share = |before: &Cpu, after: &Cpu| {
        let used = after.cpu_usage.total_usage.checked_sub(before.cpu_usage.total_usage)? as f64;
        let all = after.system_cpu_usage.checked_sub(before.system_cpu_usage).filter(|all| *all > 0)? as f64;
        let processors = f64::from(after.online_cpus.max(1));
        let allowed = match inspect.host_config.nano_cpus {
            0 => processors,
            limit => limit as f64 / 1e9,
        };
        Some(used / all * processors / allowed * 100.0)
    };
    let percent;
    if first.precpu_stats.system_cpu_usage > 0 {
        percent = share(&first.precpu_stats, &first.cpu_stats);
    } else if limits.sleep(BETWEEN) {
        match ask(engine, inspect, limits) {
            Ok(second) => percent = share(&first.cpu_stats, &second.cpu_stats),
            Err(finding) => return *finding,
        }
    } else {
        return Finding::unknown("the time was up before it could be looked at twice".to_owned());
    }
    match percent {
        Some(percent) => Finding::fine(format!("{percent:.1} % of the processors that it may use"))
            .with_metric("cpu_percent", percent),
        None => Finding::skipped("the engine does not tell how much of the processors it uses".to_owned()),
    }
}

/// The number of processes.
pub(super) fn pids(stats: &Stats) -> Finding {
    let Some(current) = stats.pids_stats.current else {
        return Finding::skipped("the engine does not count its processes".to_owned());
    };
    let finding = Finding::fine(format!("{current} processes")).with_metric("pids", current);
    // No limit is none, 0, or the largest number there is.
    match stats.pids_stats.limit.filter(|limit| *limit > 0.0 && *limit < 1e9) {
        Some(limit) => {
            finding.with_metric("pids_limit", limit).with_metric("pids_percent", current / limit * 100.0)
        }
        None => finding,
    }
}
