//! Judges the state of a container, aspect by aspect.

use std::time::{Duration, SystemTime};

use formats::human::show_long;
use probe::Finding;

use super::inspect::{Health, Inspect, State};
use super::time::seconds_before;

/// A container that was restarted and runs for no longer than this keeps falling over, in seconds.
pub(super) const FLAPPING: f64 = 60.0;
/// The exit code of a process that was killed.
pub(super) const KILLED: i64 = 137;

/// Whether it runs.
pub(super) fn running(inspect: &Inspect, now: SystemTime) -> Finding {
    let state = &inspect.state;
    if state.is_running() {
        return Finding::fine(format!("it runs {}", inspect.config.image));
    }
    let how = if state.paused {
        "it is paused".to_owned()
    } else if state.restarting {
        format!(
            "it is being restarted, for the {}th time; it ended with {}",
            inspect.restart_count, state.exit_code
        )
    } else {
        let ago = seconds_before(now, &state.finished_at)
            .map_or_else(String::new, |ago| format!(", {} ago", shown(ago)));
        format!("it does not run: {}, exit code {}{ago}{}", state.status, state.exit_code, error(state))
    };
    Finding::broken(how)
}

fn error(state: &State) -> String {
    if state.error.is_empty() { String::new() } else { format!(": {}", state.error) }
}

/// What its own health check says.
pub(super) fn health(inspect: &Inspect, now: SystemTime) -> Finding {
    let state = &inspect.state;
    let check = inspect.config.healthcheck.clone().filter(|check| check.is_set());
    let health = state.health.as_ref().filter(|health| !matches!(health.status.as_str(), "" | "none"));
    let Some(health) = health else {
        return Finding::skipped("it has no health check".to_owned());
    };
    if !state.is_running() {
        // The last word of a container that has ended stays what it was.
        return Finding::broken(format!("it does not run; its health was `{}` last", health.status));
    }
    let check = check.unwrap_or_default();
    let age = health.log.last().and_then(|probe| seconds_before(now, &probe.end));
    let uptime = seconds_before(now, &state.started_at).unwrap_or_default();
    let is_old = age.unwrap_or(uptime - check.start()) > check.patience();
    let finding = match health.status.as_str() {
        "healthy" if is_old => Finding::warning(format!(
            "it was healthy {} ago, and was not looked at since: the engine runs no health checks",
            shown(age.unwrap_or(uptime))
        )),
        "healthy" => Finding::fine("it is healthy".to_owned()),
        "starting" if is_old => Finding::warning(format!(
            "it has been starting for {}, and is not looked at: the engine runs no health checks",
            shown(uptime)
        )),
        "starting" => Finding::warning(format!("it has been starting for {}", shown(uptime))),
        other => Finding::broken(format!("it is {other}, {}", last_words(health))),
    };
    let finding = finding.with_metric("failing_streak", f64::from(health.failing_streak));
    age.into_iter()
        .fold(with_log(finding, health), |finding, age| finding.with_metric("health_age_seconds", age))
}

fn last_words(health: &Health) -> String {
    health.log.last().map_or_else(
        || "and says nothing".to_owned(),
        |probe| {
            let output = probe.output.lines().next().unwrap_or_default();
            format!("the last look ended with {}: {output}", probe.exit_code)
        },
    )
}

fn with_log(finding: Finding, health: &Health) -> Finding {
    let lines = health
        .log
        .iter()
        .map(|probe| format!("{} exit code {}\n{}\n", probe.end, probe.exit_code, probe.output));
    finding.with_text("health.log", lines.collect())
}

/// Whether it keeps falling over.
pub(super) fn restarts(inspect: &Inspect, now: SystemTime) -> Finding {
    let count = inspect.restart_count;
    let uptime = seconds_before(now, &inspect.state.started_at);
    let is_flapping = inspect.state.restarting || uptime.is_some_and(|uptime| uptime < FLAPPING);
    let finding = if count > 0 && is_flapping {
        Finding::broken(format!(
            "it falls over again and again: {count} restarts, the last one {} ago, exit code {}",
            shown(uptime.unwrap_or_default()),
            inspect.state.exit_code
        ))
    } else {
        Finding::fine(format!("it was restarted {count} times"))
    };
    finding.with_metric("restarts", count as f64)
}

/// Whether it was ended for want of memory.
pub(super) fn oom(inspect: &Inspect) -> Finding {
    let state = &inspect.state;
    let limit = inspect.host_config.memory;
    if state.oom_killed {
        return Finding::broken(format!("it was ended for want of memory: it may use {}", megabytes(limit)));
    }
    // Some engines do not learn who sent the signal.
    if !state.running && state.exit_code == KILLED && limit > 0 {
        return Finding::broken(format!(
            "it was killed (exit code {KILLED}), probably for want of memory: it may use {}",
            megabytes(limit)
        ));
    }
    Finding::fine("it was not ended for want of memory".to_owned())
}

fn megabytes(bytes: u64) -> String {
    if bytes == 0 { "all there is".to_owned() } else { format!("{:.0} MB", bytes as f64 / 1e6) }
}

/// Since when it runs.
pub(super) fn uptime(inspect: &Inspect, now: SystemTime) -> Finding {
    match seconds_before(now, &inspect.state.started_at) {
        Some(uptime) if inspect.state.running => {
            Finding::fine(format!("it has run for {}", shown(uptime))).with_metric("uptime_seconds", uptime)
        }
        _ => Finding::broken(format!("it does not run: {}{}", inspect.state.status, error(&inspect.state))),
    }
}

/// Seconds in words.
pub(super) fn shown(seconds: f64) -> String {
    show_long(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use probe::Level;

    use super::*;

    type Judge = fn(&Inspect) -> Finding;

    /// 1970-01-12T13:46:40Z.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    fn check(judge: Judge, inspect: &str, word: &str, reason: &str) {
        let finding = judge(&serde_json::from_str(inspect).unwrap());
        let found = match &finding.level {
            Level::Fine => "fine",
            Level::Warning(_) => "warning",
            Level::Broken(_) => "broken",
            Level::Skipped(_) => "skipped",
            other => panic!("{other:?}"),
        };
        let why = finding.level.reason().unwrap_or_default();
        assert!(found == word && why.contains(reason), "{found}: {why}");
    }

    #[test]
    fn what_the_engine_calls_running_may_not_run() {
        let judge: Judge = |inspect| running(inspect, now());
        check(judge, r#"{"State": {"Status": "running", "Running": true}}"#, "fine", "");
        check(judge, r#"{"State": {"Running": true, "Paused": true}}"#, "broken", "it is paused");
        let restarting =
            r#"{"RestartCount": 5, "State": {"Running": true, "Restarting": true, "ExitCode": 3}}"#;
        check(judge, restarting, "broken", "restarted, for the 5th time; it ended with 3");
        check(
            judge,
            r#"{"State": {"Running": true, "Dead": true, "Status": "dead"}}"#,
            "broken",
            "does not run: dead",
        );
        check(judge, "{}", "broken", "does not run");
    }

    #[test]
    fn the_last_word_of_one_that_ended_is_not_its_health() {
        let judge: Judge = |inspect| health(inspect, now());
        let state = |more: &str| format!(r#"{{"State": {{{more}}}}}"#);
        check(
            judge,
            &state(r#""Status": "exited", "Health": {"Status": "healthy"}"#),
            "broken",
            "`healthy` last",
        );
        let looked = |time: &str| {
            let log = format!(r#"[{{"End": "1970-01-12T{time}Z", "ExitCode": 0}}]"#);
            state(&format!(r#""Running": true, "Health": {{"Status": "healthy", "Log": {log}}}"#))
        };
        check(judge, &looked("13:46:30"), "fine", "");
        check(judge, &looked("13:00:00"), "warning", "the engine runs no health checks");
        check(
            judge,
            &state(r#""Running": true, "Health": {"Status": "unhealthy"}"#),
            "broken",
            "it is unhealthy",
        );
        check(judge, &state(r#""Running": true"#), "skipped", "no health check");
    }

    #[test]
    fn a_kill_where_memory_is_limited_is_want_of_memory() {
        check(oom, r#"{"State": {"OOMKilled": true}}"#, "broken", "for want of memory");
        let killed = r#"{"State": {"ExitCode": 137}, "HostConfig": {"Memory": 16000000}}"#;
        check(oom, killed, "broken", "probably for want of memory: it may use 16 MB");
        check(oom, r#"{"State": {"ExitCode": 137}}"#, "fine", "");
        check(
            oom,
            r#"{"State": {"Running": true, "ExitCode": 137}, "HostConfig": {"Memory": 1}}"#,
            "fine",
            "",
        );
    }

    #[test]
    fn restarts_count_while_they_go_on() {
        let judge: Judge = |inspect| restarts(inspect, now());
        let started = |count: u32, time: &str| {
            format!(
                r#"{{"RestartCount": {count}, "State": {{"Running": true, "StartedAt": "1970-01-12T{time}Z"}}}}"#
            )
        };
        check(judge, &started(5, "13:46:35"), "broken", "5 restarts, the last one 5.0 s ago");
        check(judge, &started(5, "12:00:00"), "fine", "");
        check(judge, &started(0, "13:46:35"), "fine", "");
    }
}
