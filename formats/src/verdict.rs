//! A run in one line.

use std::fmt;

use streamresult::{Outcome, Summary};

/// What became of a run, in one line: `7 tests: 6 passed, 1 failed`.
///
/// ```
/// use formats::VerdictLine;
/// use streamresult::{StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let mut summary = Summary::new();
/// summary.status(&Event::status("boot", Status::Success))?;
/// summary.status(&Event::status("login", Status::Fail))?;
/// assert_eq!(VerdictLine(&summary).to_string(), "2 tests: 1 passed, 1 failed");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VerdictLine<'a>(
    /// The accounting of the run.
    pub &'a Summary,
);

const PASSED: &str = "passed";

impl fmt::Display for VerdictLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VerdictLine(summary) = self;
        let total = summary.total();
        write!(formatter, "{total} test{}", if total == 1 { "" } else { "s" })?;
        let mut separator = ": ";
        for (count, words) in self.counts() {
            if count > 0 {
                write!(formatter, "{separator}{count} {words}")?;
                separator = ", ";
            }
            if words == PASSED && summary.flaky() > 0 {
                write!(formatter, " ({} flaky)", summary.flaky())?;
            }
        }
        Ok(())
    }
}

impl VerdictLine<'_> {
    fn counts(&self) -> [(u64, &'static str); 9] {
        let VerdictLine(summary) = self;
        let global: u64 = subunit::Status::ALL
            .into_iter()
            .filter(|status| status.is_failure())
            .map(|status| summary.global(status))
            .sum();
        [
            (summary.count(Outcome::Success), PASSED),
            (summary.count(Outcome::Fail), "failed"),
            (summary.count(Outcome::UxSuccess), "passed unexpectedly"),
            (summary.unfinished(), "unfinished"),
            (summary.count(Outcome::XFail), "failed as expected"),
            (summary.count(Outcome::Skip), "skipped"),
            (summary.announced(), "announced but not run"),
            (
                global,
                if global == 1 { "failure of the run as a whole" } else { "failures of the run as a whole" },
            ),
            (summary.damaged(), if summary.damaged() == 1 { "damaged packet" } else { "damaged packets" }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use streamresult::StreamResult;
    use subunit::{Event, Status};

    use super::*;

    fn check(statuses: &[Status], expected: &str) {
        let mut summary = Summary::new();
        for (number, status) in statuses.iter().enumerate() {
            summary.status(&Event::status(&format!("test {number}"), *status)).unwrap();
        }
        summary.stop_run().unwrap();
        assert_eq!(VerdictLine(&summary).to_string(), expected);
    }

    #[test]
    fn a_test_that_passed_when_it_was_tried_again_is_flaky() {
        let told = |tags: &[&str]| {
            let mut summary = Summary::new();
            let event = Event { tags: tags.into(), ..Event::status("a", Status::InProgress) };
            summary.status(&event).unwrap();
            summary.status(&Event::status("a", Status::Success)).unwrap();
            VerdictLine(&summary).to_string()
        };
        assert_eq!(told(&["flaky"]), "1 test: 1 passed (1 flaky)");
        assert_eq!(told(&["x", "attempt-2"]), "1 test: 1 passed (1 flaky)");
        assert_eq!(told(&["attempt-1"]), "1 test: 1 passed");
    }

    #[test]
    fn only_what_there_is_is_told() {
        check(&[], "0 tests");
        check(&[Status::Success], "1 test: 1 passed");
        check(&[Status::Exists], "0 tests: 1 announced but not run");
        check(
            &[Status::Success, Status::Fail, Status::InProgress],
            "3 tests: 1 passed, 1 failed, 1 unfinished",
        );
        let others = [Status::UxSuccess, Status::XFail, Status::Skip];
        check(&others, "3 tests: 1 passed unexpectedly, 1 failed as expected, 1 skipped");
    }
}
