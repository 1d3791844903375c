//! What a helper answered, and the finding that follows from it.

use std::fmt::Write as _;
use std::time::Duration;

use formats::human::show_duration;
use process::helper::{Helped, Record, Stuck};
use process::{Asked, Cause, Ending, Exit};

use super::value;
use crate::{Finding, Level, Metric, failure};

/// How many operations are shown as evidence: the last ones.
const SHOWN: usize = 40;

/// What a helper answered before it ended.
#[derive(Clone, Debug)]
pub struct Answer {
    shown: String,
    limit: Duration,
    values: Vec<(String, String)>,
    operations: Vec<Record>,
    /// How it ended, and why.
    pub ending: Ending,
    stuck: Option<Stuck>,
}

impl Answer {
    pub(super) fn new(shown: String, limit: Duration, records: Vec<Record>, helped: Helped) -> Self {
        let (mut values, mut operations) = (Vec::new(), Vec::new());
        for record in records {
            match record {
                Record::Value { name, text } => values.push((name, text)),
                other => operations.push(other),
            }
        }
        Answer { shown, limit, values, operations, ending: helped.ending, stuck: helped.stuck }
    }

    /// The values of this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(other, _)| other == name).map(|(_, text)| text.as_str())
    }

    /// Whether the helper came to its end by itself and removed all it made.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.ending.is_success() && self.values(value::LEFT).next().is_none()
    }

    /// The finding that follows from it.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let mut finding = self.judged();
        finding.metrics = self.values(value::METRIC).filter_map(metric).collect();
        let samples = self.values(value::SAMPLE).map(|line| format!("{line}\n")).collect();
        let left = self.values(value::LEFT).map(|line| format!("{line}\n")).collect();
        let fine = finding.level == Level::Fine;
        let mut finding = finding.with_text("samples.csv", samples).with_text("left-behind.txt", left);
        for (name, text) in self.evidence() {
            finding = finding.with_text(name, text);
        }
        if !fine {
            finding = finding.with_text("operations.txt", self.history());
        }
        if let Some(asked) = &self.ending.asked {
            finding = finding.with_text("proc-state.txt", self.states(asked));
        }
        finding
    }

    /// The texts of evidence, by their names.
    fn evidence(&self) -> Vec<(&str, String)> {
        let mut files: Vec<(&str, String)> = Vec::new();
        for (name, line) in self.values(value::EVIDENCE).filter_map(|text| text.split_once(' ')) {
            match files.iter_mut().find(|(other, _)| *other == name) {
                Some((_, text)) => *text += &format!("{line}\n"),
                None => files.push((name, format!("{line}\n"))),
            }
        }
        files
    }

    fn judged(&self) -> Finding {
        match (self.ending.cause, &self.stuck) {
            (Cause::Interrupted, _) => Finding::new(Level::Interrupted(format!(
                "a signal ended the check while it was at {}",
                self.operation()
            ))),
            (Cause::Stopped, Some(stuck)) => Finding {
                is_hung: true,
                ..Finding::broken(format!(
                    "{} hangs on {}: no answer for {} (an operation may take {}); {}",
                    stuck.operation,
                    self.shown,
                    show_duration(stuck.elapsed),
                    show_duration(self.limit),
                    fate(&self.ending.exit)
                ))
            },
            (Cause::TimedOut, _) => Finding {
                is_hung: self.ending.exit.is_abandoned(),
                ..Finding::broken(format!(
                    "the time for the test was up while it was at {} on {}: too slow, though no operation took \
                     longer than it may",
                    self.operation(),
                    self.shown
                ))
            },
            _ => self.judged_by_itself(),
        }
    }

    fn judged_by_itself(&self) -> Finding {
        let failed = self.operations.iter().find_map(|record| match record {
            Record::Failed { operation, errno, message, .. } => Some((operation, *errno, message)),
            _ => None,
        });
        if let Some((operation, errno, message)) = failed {
            return failure(operation, &self.shown, errno, message);
        }
        if !self.ending.exit.success() {
            let (operation, outcome) = (self.operation(), &self.ending.exit);
            return Finding::unknown(format!("the probe ended while it was at {operation}: {outcome}"));
        }
        let first = |name| self.values(name).next().map(str::to_owned);
        if let Some(reason) = first(value::BROKEN) {
            return Finding::broken(reason);
        }
        if let Some(reason) = first(value::UNKNOWN) {
            return Finding::unknown(reason);
        }
        if let Some(reason) = first(value::SKIP) {
            return Finding::skipped(reason);
        }
        if let Some(reason) = first(value::WARNING) {
            return Finding::warning(reason);
        }
        Finding { summary: first(value::SUMMARY), ..Finding::new(Level::Fine) }
    }

    fn operation(&self) -> &str {
        let begun = self.operations.iter().rev().find_map(|record| match record {
            Record::Begin(operation) => Some(operation.as_str()),
            _ => None,
        });
        let stuck = self.stuck.as_ref().map(|stuck| stuck.operation.as_str());
        stuck.or(begun).unwrap_or("its start")
    }

    fn states(&self, asked: &Asked) -> String {
        let mut text = format!("at the time limit, before any signal: {}", asked.state);
        if let Exit::Abandoned(state) = &self.ending.exit {
            let _infallible = write!(text, "\nwhen it was left behind: {state}");
        }
        text
    }

    fn history(&self) -> String {
        let mut text = String::new();
        for record in self.operations.iter().skip(self.operations.len().saturating_sub(SHOWN)) {
            let _infallible = match record {
                Record::Begin(operation) => writeln!(text, "{operation} …"),
                Record::Done { operation, elapsed } => {
                    writeln!(text, "{operation}: done in {}", show_duration(*elapsed))
                }
                Record::Failed { operation, elapsed, message, .. } => {
                    writeln!(text, "{operation}: failed after {}: {message}", show_duration(*elapsed))
                }
                Record::Value { .. } => Ok(()),
            };
        }
        text
    }
}

fn metric(text: &str) -> Option<Metric> {
    let (name, number) = text.split_once(' ')?;
    Some(Metric::new(name, number.parse().ok()?))
}

/// What became of a helper that was at an operation for too long.
fn fate(outcome: &Exit) -> String {
    match outcome {
        Exit::Abandoned(state) => format!(
            "the probe cannot be ended and is left behind ({}); it goes away when it is answered or cut off",
            state.summary()
        ),
        Exit::Exited(_) => "the probe came back when it was asked to end".to_owned(),
        Exit::Signalled { .. } => "the probe could be killed".to_owned(),
    }
}
