//! From a finding to a result: thresholds, known outages, and what earlier runs found.

use std::time::SystemTime;

use subunit::Status;

use super::{Finding, Level, Metric, MetricUnit, Range, Settings, StateFile, Thresholds, WarningAs, rounded};

/// The outcome of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) status: Status,
    pub(super) tags: Vec<&'static str>,
    pub(super) reason: Option<String>,
}

impl Judged {
    fn new(status: Status, tags: &[&'static str], reason: &str) -> Self {
        Judged { status, tags: tags.to_vec(), reason: Some(reason.to_owned()) }
    }

    fn fine() -> Self {
        Judged { status: Status::Success, tags: Vec::new(), reason: None }
    }
}

/// Judges a finding: its level and its numbers, then what is expected.
pub(super) fn judge(id: &str, finding: &Finding, settings: &Settings) -> Judged {
    let judged = judge_level(finding, settings);
    let known = settings.expect_fail.iter().find(|known| known.holds(id, SystemTime::now()));
    let Some(known) = known else { return judged };
    let expected = format!("expected to fail: {}", known.reason);
    match judged.status {
        Status::Fail if !judged.tags.contains(&"interrupted") => {
            let reason = format!("{}\n{expected}", judged.reason.unwrap_or_default());
            Judged { status: Status::XFail, tags: judged.tags, reason: Some(reason) }
        }
        Status::Success => {
            let reason = format!("it works, but was {expected}");
            Judged { status: Status::UxSuccess, tags: judged.tags, reason: Some(reason) }
        }
        _ => judged,
    }
}

fn judge_level(finding: &Finding, settings: &Settings) -> Judged {
    match &finding.level {
        Level::Fine => {
            let judged = judge_numbers(&finding.metrics, settings);
            let summary = finding.summary.as_deref().unwrap_or_default();
            // What was found has the names: which routes, whose certificate.
            let reason = judged
                .reason
                .map(|reason| if summary.is_empty() { reason } else { format!("{summary}; {reason}") });
            Judged { reason, ..judged }
        }
        Level::Broken(reason) => Judged::new(Status::Fail, &[], closed(reason)),
        Level::Unknown(reason) => Judged::new(Status::Fail, &["unknown", "infrastructure"], closed(reason)),
        Level::Skipped(reason) => Judged::new(Status::Skip, &[], closed(reason)),
        Level::Interrupted(reason) => Judged::new(Status::Fail, &["interrupted"], reason),
        Level::Warning(reason) => match judge_numbers(&finding.metrics, settings) {
            Judged { status: Status::Fail, tags, reason: Some(more) } => {
                Judged { status: Status::Fail, tags, reason: Some(format!("{reason}\n{more}")) }
            }
            _ => warning(closed(reason), settings),
        },
    }
}

/// The reason without a colon at its end, behind which nothing came: it is put together of what others said.
fn closed(reason: &str) -> &str {
    reason.trim_end().trim_end_matches(':')
}

fn warning(reason: &str, settings: &Settings) -> Judged {
    let fails = settings.warning_as == WarningAs::Fail;
    Judged::new(if fails { Status::Fail } else { Status::Success }, &["warning"], reason)
}

fn judge_numbers(metrics: &[Metric], settings: &Settings) -> Judged {
    let thresholds = &settings.thresholds;
    let alerts = |range: &dyn Fn(&Metric) -> Option<Range>, word: &str| {
        let alert = |metric: &Metric| {
            let range = range(metric).filter(|range| range.alerts(metric.value))?;
            Some(format!("{} is outside of the {word} range {range}", show(metric, thresholds)))
        };
        let lines: Vec<_> = metrics.iter().filter_map(alert).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    };
    let critical = alerts(&|metric| thresholds.critical_of(metric), "critical");
    let over = alerts(&|metric| thresholds.warning_of(metric), "warning");
    match (critical, over) {
        (Some(reason), _) => Judged::new(Status::Fail, &[], &reason),
        (None, Some(reason)) => warning(&reason, settings),
        (None, None) => Judged::fine(),
    }
}

fn show(metric: &Metric, thresholds: &Thresholds) -> String {
    let symbol = thresholds.unit_of(metric).map_or("", MetricUnit::symbol);
    format!("{} = {} {symbol}", metric.name, rounded(metric.value)).trim_end().to_owned()
}

/// The outcome where a failure or a recovery counts only after several in a row.
pub(super) fn settle(id: &str, judged: Judged, settings: &Settings, state: &mut StateFile) -> Judged {
    let is_bad = match judged.status {
        Status::Fail if !judged.tags.contains(&"interrupted") => true,
        Status::Success => false,
        _ => return judged,
    };
    let run = state.count(id, is_bad);
    let (status, tag, wanted, what) = match (is_bad, run.was_bad) {
        (true, false) => (Status::Success, "failing", settings.fail_after, "failures that make a failure"),
        (false, true) => (Status::Fail, "recovering", settings.recover_after, "successes that end a failure"),
        _ => return judged,
    };
    if run.in_a_row >= wanted {
        state.turn(id, is_bad);
        return judged;
    }
    let reason = judged.reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let reason = format!("{} of {wanted} {what}{reason}", run.in_a_row);
    let mut tags = judged.tags;
    tags.push(tag);
    Judged { status, tags, reason: Some(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, KINDS};

    fn check(args: &[&str], finding: &Finding, status: Status, tags: &[&str], reason: Option<&str>) {
        let settings = Settings::new(&testing::args(args), KINDS).unwrap();
        let judged = judge("fake.it.alive", finding, &settings);
        assert_eq!((judged.status, judged.tags.as_slice(), judged.reason.as_deref()), (status, tags, reason));
    }

    fn measured(value: f64) -> Finding {
        Finding::fine("up".to_owned()).with_metric("load", value)
    }

    #[test]
    fn numbers_outside_of_their_ranges_are_warnings_or_failures() {
        let ranges = ["-w", "load=1", "-c", "load=2"];
        check(&ranges, &measured(1.0), Status::Success, &[], None);
        let reason = "up; load = 1.5 is outside of the warning range 1";
        check(&ranges, &measured(1.5), Status::Success, &["warning"], Some(reason));
        check(
            &[&ranges[..], &["--warning-as=fail"]].concat(),
            &measured(1.5),
            Status::Fail,
            &["warning"],
            Some(reason),
        );
        check(
            &ranges,
            &measured(3.0),
            Status::Fail,
            &[],
            Some("up; load = 3 is outside of the critical range 2"),
        );
    }

    #[test]
    fn levels_have_their_tags() {
        let check = |finding: Finding, status, tags: &[&str]| check(&[], &finding, status, tags, Some("x"));
        check(Finding::broken("x".to_owned()), Status::Fail, &[]);
        check(Finding::broken("x: ".to_owned()), Status::Fail, &[]);
        check(Finding::unknown("x".to_owned()), Status::Fail, &["unknown", "infrastructure"]);
        check(Finding::skipped("x".to_owned()), Status::Skip, &[]);
        check(Finding::warning("x".to_owned()), Status::Success, &["warning"]);
    }

    #[test]
    fn known_outages_are_expected_and_their_end_is_news() {
        let known = ["--expect-fail", "*.alive=moving"];
        let broken = Finding::broken("down".to_owned());
        check(&known, &broken, Status::XFail, &[], Some("down\nexpected to fail: moving"));
        check(
            &known,
            &measured(0.0),
            Status::UxSuccess,
            &[],
            Some("it works, but was expected to fail: moving"),
        );
    }

    #[test]
    fn failures_and_recoveries_count_when_they_last() {
        let folder = tempfile::tempdir().unwrap();
        let args = testing::args(&["--fail-after=2", "--recover-after=2"]);
        let settings = Settings::new(&args, KINDS).unwrap();
        let (mut state, _) = StateFile::open(&folder.path().join("state"));
        let mut run = |finding: Finding| {
            let judged = settle("id", judge("id", &finding, &settings), &settings, &mut state);
            (judged.status, judged.tags, judged.reason.unwrap_or_default())
        };
        let (good, bad) = (|| Finding::fine(String::new()), || Finding::broken("down".to_owned()));
        let first = "1 of 2 failures that make a failure: down".to_owned();
        assert_eq!(run(bad()), (Status::Success, vec!["failing"], first.clone()));
        assert_eq!(run(good()).0, Status::Success);
        assert_eq!(run(bad()), (Status::Success, vec!["failing"], first));
        assert_eq!(run(bad()), (Status::Fail, vec![], "down".to_owned()));
        let back = "1 of 2 successes that end a failure".to_owned();
        assert_eq!(run(good()), (Status::Fail, vec!["recovering"], back));
        assert_eq!(run(good()), (Status::Success, vec![], String::new()));
    }

    #[test]
    fn numbers_without_a_kind_have_ranges_of_their_own() {
        let warning = Range::parse("1:", MetricUnit::Percent).ok();
        let metric = Metric { unit: Some(MetricUnit::Percent), warning, ..Metric::new("battery", 0.5) };
        let finding = Finding { metrics: vec![metric], ..Finding::fine(String::new()) };
        let reason = "battery = 0.5 % is outside of the warning range 1:";
        check(&[], &finding, Status::Success, &["warning"], Some(reason));
    }
}
