//! How runs, counts and times are displayed.

use std::fmt;
use std::time::Duration;

use cli::Verdict;
use formats::text::Tone;
use formats::time;
use repository::{Counts, RunState, Standing, StoredRun};
use subunit::Timestamp;

/// What a command exits with that is about this run.
pub(super) fn verdict(run: &StoredRun) -> Verdict {
    match run.standing() {
        _ if run.state == RunState::Running => Verdict::Incomplete,
        Standing::Failed => Verdict::Failed,
        Standing::Incomplete => Verdict::Incomplete,
        Standing::Empty => Verdict::Nothing,
        Standing::Passed => Verdict::Passed,
    }
}

/// How a run went, in a word or two.
#[must_use]
pub fn standing(run: &StoredRun) -> &'static str {
    match (run.state, run.standing()) {
        (RunState::Running, _) => "running",
        (_, Standing::Failed) => "failed",
        (RunState::Interrupted, Standing::Incomplete) => "interrupted",
        (RunState::Damaged, Standing::Incomplete) => "damaged",
        (_, Standing::Incomplete) => "incomplete",
        (_, Standing::Empty) => "nothing ran",
        (_, Standing::Passed) => "passed",
    }
}

/// The colour of such a word.
pub(super) fn tone(run: &StoredRun) -> Tone {
    match (run.state, run.standing()) {
        (RunState::Running, _) => Tone::Plain,
        (_, Standing::Failed) => Tone::Bad,
        (_, Standing::Passed) => Tone::Good,
        (_, Standing::Incomplete | Standing::Empty) => Tone::Notice,
    }
}

/// `7 tests: 6 passed, 1 failed`, in the words of [`Summary`](streamresult::Summary).
#[derive(Clone, Copy, Debug)]
pub struct CountsLine<'a>(pub &'a Counts);

const PASSED: &str = "passed";

impl fmt::Display for CountsLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CountsLine(counts) = self;
        write!(formatter, "{}", Count(counts.total(), "test", "tests"))?;
        let one_or_many = |count, one, many| if count == 1 { one } else { many };
        let parts = [
            (counts.success, PASSED),
            (counts.fail, "failed"),
            (counts.uxsuccess, "passed unexpectedly"),
            (counts.unfinished, "unfinished"),
            (counts.xfail, "failed as expected"),
            (counts.skip, "skipped"),
            (counts.announced, "announced but not run"),
            (
                counts.global_failures,
                one_or_many(
                    counts.global_failures,
                    "failure of the run as a whole",
                    "failures of the run as a whole",
                ),
            ),
            (counts.damaged, one_or_many(counts.damaged, "damaged packet", "damaged packets")),
        ];
        let mut separator = ": ";
        for (count, words) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(formatter, "{separator}{count} {words}")?;
            if words == PASSED && counts.flaky > 0 {
                write!(formatter, " ({} flaky)", counts.flaky)?;
            }
            separator = ", ";
        }
        Ok(())
    }
}

/// A number of things: `1 test`, `2 tests`.
pub(super) struct Count(pub(super) u64, pub(super) &'static str, pub(super) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.0, if self.0 == 1 { self.1 } else { self.2 })
    }
}

/// A duration in seconds, with all the decimals that it has.
pub(super) fn exact(duration: Option<Duration>) -> String {
    let Some(duration) = duration else { return String::new() };
    let mut text = Vec::new();
    time::push_exact_seconds(duration, &mut text);
    text.push(b's');
    String::from_utf8(text).unwrap_or_default()
}

/// A time to the second, in UTC.
#[must_use]
pub fn moment(time: Option<Timestamp>) -> String {
    time.map_or_else(String::new, |time| time::rfc3339(Timestamp::from_seconds(time.seconds())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_counts(count: impl FnOnce(&mut Counts), expected: &str) {
        let mut counts = Counts::default();
        count(&mut counts);
        assert_eq!(CountsLine(&counts).to_string(), expected);
    }

    #[test]
    fn counts_are_told_as_other_commands_tell_them() {
        check_counts(|_| (), "0 tests");
        check_counts(
            |counts| (counts.success, counts.damaged) = (1, 1),
            "1 test: 1 passed, 1 damaged packet",
        );
        check_counts(
            |counts| {
                (counts.fail, counts.unfinished, counts.announced) = (1, 2, 3);
                counts.global_failures = 2;
            },
            "3 tests: 1 failed, 2 unfinished, 3 announced but not run, 2 failures of the run as a whole",
        );
    }

    #[test]
    fn durations_are_not_rounded() {
        assert_eq!(exact(Some(Duration::from_nanos(1))), "0.000000001s");
        assert_eq!(exact(Some(Duration::from_millis(1500))), "1.500s");
        assert_eq!(exact(None), "");
    }
}
