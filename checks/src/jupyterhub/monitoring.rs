//! The numbers that a hub gives for monitoring.

use probe::{Finding, Level, Limits};

use super::hub::{Hub, accepted, unexpected};
use super::metrics::{ACTIVE_USERS, FAILED_SPAWNS, LOOP_INTERVAL, RUNNING_SERVERS};
use crate::network::Evidence as _;

/// Reads the hub's metrics.
pub(super) fn look(hub: &Hub, limits: Limits<'_>) -> Finding {
    let exchange = hub.get("metrics", limits);
    if let Err(finding) = accepted(&exchange) {
        return explained(*finding, hub.token.is_some());
    }
    match exchange.answer() {
        Ok(response) if response.status == 200 => exchange.measure(judge(&response.text())),
        _ => unexpected(&exchange, "the hub gives no metrics"),
    }
}

/// A refusal with what to do: this page does not say it.
fn explained(mut finding: Finding, has_token: bool) -> Finding {
    match &mut finding.level {
        Level::Unknown(reason) if has_token => reason.push_str("; it takes the scope read:metrics"),
        Level::Unknown(_) => {
            finding.level = Level::Skipped("it takes a token with the scope read:metrics".to_owned())
        }
        _ => {}
    }
    finding
}

fn judge(text: &str) -> Finding {
    let Some(servers) =
        sum(text, "jupyterhub_running_servers", "").or_else(|| sum(text, "running_servers", ""))
    else {
        return Finding::broken("among the metrics there is no jupyterhub_running_servers".to_owned());
    };
    let spawns = |status: &str| sum(text, "jupyterhub_server_spawn_duration_seconds_count", status);
    let failed = [r#"status="failure""#, r#"status="error""#].map(spawns);
    let interval = |part: &str| sum(text, &format!("jupyterhub_event_loop_interval_seconds_{part}"), "");
    let mean = interval("sum").zip(interval("count")).filter(|(_, count)| *count > 0.0);
    let numbers = [
        (ACTIVE_USERS, sum(text, "jupyterhub_active_users", r#"period="24h""#)),
        (FAILED_SPAWNS, failed.into_iter().flatten().reduce(|one, other| one + other)),
        (LOOP_INTERVAL, mean.map(|(sum, count)| sum / count)),
    ];
    let finding = Finding::fine(format!("{servers} servers run")).with_metric(RUNNING_SERVERS, servers);
    let found = numbers.into_iter().filter_map(|(name, value)| Some((name, value?)));
    found.fold(finding, |finding, (name, value)| finding.with_metric(name, value))
}

/// The sum of all samples of this name that have this label; `None` where there is none.
fn sum(text: &str, name: &str, label: &str) -> Option<f64> {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_once('}')?,
            None if rest.starts_with(' ') => ("", rest),
            None => return None,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        (labels.contains(label) && value.is_finite()).then_some(value)
    };
    text.lines().filter_map(value).reduce(|one, other| one + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP jupyterhub_running_servers x
# TYPE jupyterhub_running_servers gauge
jupyterhub_running_servers 2.0
jupyterhub_server_spawn_duration_seconds_count{reason="",status="success"} 5.0
jupyterhub_server_spawn_duration_seconds_count{reason="",status="failure"} 1.0
jupyterhub_server_spawn_duration_seconds_count{reason="throttled",status="failure"} 2.0
jupyterhub_server_spawn_duration_seconds_count{reason="",status="error"} 4.0
jupyterhub_event_loop_interval_seconds_count 10.0
jupyterhub_event_loop_interval_seconds_sum 0.5
jupyterhub_active_users{period="24h"} 3.0
jupyterhub_active_users{period="7d"} 9.0
"#;

    #[test]
    fn the_numbers_are_found_among_others() {
        let metrics = judge(PAGE).metrics;
        let found: Vec<_> = metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
        let expected =
            [(RUNNING_SERVERS, 2.0), (ACTIVE_USERS, 3.0), (FAILED_SPAWNS, 7.0), (LOOP_INTERVAL, 0.05)];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_page_of_something_else_is_not_a_success() {
        for page in ["", "up 1\n", "jupyterhub_running_servers\n", "jupyterhub_running_servers{ 1\n"] {
            assert!(judge(page).level.reason().is_some(), "{page}");
        }
    }
}
