//! What becomes of an attempt: a status, and why.

use std::io;
use std::time::Duration;

use formats::human::show_duration;
use process::{Cause, Ending, Exit};
use subunit::Status;

use crate::compile::{Results, Task};
use crate::file::task::Expect;
use crate::graph::Outcome;

/// The exit status that means that a test cannot be run here.
const SKIPPED: i32 = 77;
/// How many of the tests that failed are named.
const NAMED: usize = 5;

/// What was found besides how the process ended.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
    /// What was measured, as JSON.
    pub(super) numbers: Option<String>,
    /// The tests within that failed.
    pub(super) failed: Vec<String>,
    /// How many tests there were within.
    pub(super) total: usize,
}

/// The judgement on an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) status: Status,
    pub(super) reasons: Vec<String>,
    pub(super) tags: Vec<&'static str>,
    pub(super) outcome: Outcome,
}

/// Judges an attempt; `None` where a signal ended it, so that nothing is known of it.
pub(super) fn judge(
    task: &Task,
    ending: &io::Result<Ending>,
    limit: Option<&str>,
    findings: &Findings,
) -> Option<Judgement> {
    let mut tags = Vec::new();
    let mut reasons = Vec::new();
    // Only an exit status or a test is a failure that can be expected.
    let is_expectable = limit.is_none() && ending.as_ref().is_ok_and(|ending| exit_code(ending).is_some());
    match ending {
        Err(error) => reasons.push(format!("it could not be run: {error}")),
        Ok(ending) if ending.cause == Cause::Interrupted => return None,
        Ok(ending) => {
            if is_skipped(task, ending, findings) {
                let reasons = vec![format!("exit status {SKIPPED}: it cannot be run here")];
                return Some(Judgement { status: Status::Skip, reasons, tags, outcome: Outcome::Skipped });
            }
            reasons.extend(ended(ending, limit));
            if !ending.left.is_empty() {
                tags.push("leaked");
                reasons.push(format!("it left running, which was ended: {}", ending.left.join(", ")));
            }
        }
    }
    reasons.extend(of_tests(task, findings));
    reasons.extend(findings.wrong.iter().cloned());
    let expect = match task.table.expect {
        Expect::Fail if !is_expectable => Expect::Pass,
        expect => expect,
    };
    Some(expected(expect, reasons, tags))
}

fn is_skipped(task: &Task, ending: &Ending, findings: &Findings) -> bool {
    let says_so = exit_code(ending) == Some(SKIPPED) && findings.total == 0;
    says_so && matches!(task.results, Results::Exit | Results::Output(runner::suite::Format::Auto))
}

/// Why an ending is not well.
fn ended(ending: &Ending, limit: Option<&str>) -> Option<String> {
    let exit = match &ending.exit {
        Exit::Exited(code) => format!("exit status {code}"),
        other => other.to_string(),
    };
    match limit {
        Some(limit) => Some(format!("{limit}, then {exit}")),
        None => (!ending.is_success()).then_some(exit),
    }
}

/// What the tests within say.
fn of_tests(task: &Task, findings: &Findings) -> Option<String> {
    let must_have = match task.results {
        Results::Exit | Results::Output(runner::suite::Format::Auto) => false,
        Results::Output(_) | Results::Junit(_) => true,
    };
    if findings.total == 0 {
        return must_have.then(|| "it told of no tests, though its format is one of tests".to_owned());
    }
    let count = findings.failed.len();
    let named: Vec<&str> = findings.failed.iter().take(NAMED).map(String::as_str).collect();
    let more = if count > NAMED { ", …" } else { "" };
    (count > 0).then(|| format!("{count} of {} tests failed: {}{more}", findings.total, named.join(", ")))
}

fn expected(expect: Expect, mut reasons: Vec<String>, mut tags: Vec<&'static str>) -> Judgement {
    let has_failed = !reasons.is_empty();
    let (status, outcome) = match (expect, has_failed) {
        (Expect::Pass, false) => (Status::Success, Outcome::Passed),
        (Expect::Pass, true) => (Status::Fail, Outcome::Failed),
        (Expect::Fail, true) => (Status::XFail, Outcome::Passed),
        (Expect::Fail, false) => {
            reasons.push("it passed, but it was expected to fail".to_owned());
            (Status::UxSuccess, Outcome::Failed)
        }
        (Expect::Any, false) => (Status::Success, Outcome::Passed),
        (Expect::Any, true) => (Status::XFail, Outcome::Passed),
    };
    if expect == Expect::Any {
        tags.push("expect-any");
    }
    Judgement { status, reasons, tags, outcome }
}

/// The exit status of one that ended by itself.
pub(super) fn exit_code(ending: &Ending) -> Option<i32> {
    match ending.exit {
        Exit::Exited(code) if ending.cause == Cause::Itself => Some(code),
        _ => None,
    }
}

/// Which limit of time it was ended by.
pub(super) fn limit(
    ending: &io::Result<Ending>,
    whole: Option<Duration>,
    idle: Option<Duration>,
) -> Option<String> {
    match ending.as_ref().ok()?.cause {
        Cause::TimedOut => Some(format!("timed out after {}", show_duration(whole.unwrap_or_default()))),
        Cause::Stopped => Some(format!("it said nothing for {}", show_duration(idle.unwrap_or_default()))),
        Cause::Itself | Cause::Interrupted => None,
    }
}
