//! What a suite counts, and whether what is in it adds up to that.
//!
//! A suite whose attributes tell of a failure that none of its cases has lost something, and must not come out green.
//! But tools count differently, and a run that its own tool calls green must not come out red for that. So a count is
//! compared with all that it may mean: cases; cases and the suites among them; attempts, of which Surefire counts each
//! one, also of a test that passed in the end; assertions (doctest, Catch2); subtests (pytest); a case that both failed
//! and broke. Only what none of these explains is missing.

/// The counts of a suite's attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: Option<u64>,
    /// Tests that Ant does not count among the others: their assumptions did not hold.
    aborted: u64,
    /// Whether `tests` and `failures` are assertions.
    counts_assertions: bool,
    /// Whether tests that passed in the end are counted by themselves.
    counts_flakes: bool,
}

/// What was seen in a suite and the suites within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) tests: u64,
    /// Suites count as tests of the suite around them to some writers.
    pub(crate) suites: u64,
    /// Failures and errors, of which a case may have several.
    pub(crate) failures: u64,
    /// Tests that were skipped or failed as expected.
    pub(crate) skipped: u64,
    /// Attempts besides those that the cases are about, all of which failed.
    pub(crate) attempts: u64,
    /// Assertions that the cases count.
    pub(crate) assertions: u64,
    /// Cases that say they ran in the way of doctest and Catch2, which also say no result.
    pub(crate) bare_runs: u64,
}

/// What a suite counts and does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// This many tests, which it counts as skipped.
    Skipped(u64),
    /// Tests or failures: what is said of them.
    Lost(String),
}

impl Declared {
    /// Takes an attribute, if it is a count; an error is one that is not a number of tests.
    pub(crate) fn take(&mut self, key: &str, value: &str) -> Result<bool, ()> {
        let place = match key {
            "tests" => &mut self.tests,
            "failures" => &mut self.failures,
            "errors" => &mut self.errors,
            "skipped" | "skip" | "skips" | "ignored" => self.skipped.get_or_insert(0),
            "aborted" => &mut self.aborted,
            "flakes" => {
                self.counts_flakes = true;
                return Ok(true);
            }
            // Not one of the format's: where it is no number it is something else.
            "failed" => {
                self.failures = self.failures.max(number(value).unwrap_or(0));
                return Ok(number(value).is_some());
            }
            _ => return Ok(false),
        };
        *place = match number(value) {
            Some(number) => number,
            None if value.trim().is_empty() => 0,
            None => return Err(()),
        };
        Ok(true)
    }

    /// Takes what is known of the tool: its tests are assertions.
    pub(crate) fn are_assertions(&mut self) {
        self.counts_assertions = true;
    }

    /// What is missing. Of skipped tests, the innermost of the suites around it that counts them knows how many there
    /// are: Mocha's reporter says it of the whole report, and writes no case for them.
    pub(crate) fn missing<'a>(
        &'a self,
        shown: &'a Shown,
        counts_parts: bool,
        outer: impl Iterator<Item = (&'a Declared, &'a Shown)>,
    ) -> Option<Missing> {
        if let Some(counted) = self.lost_failures(shown) {
            let failed = shown.failures;
            return Some(Missing::Lost(format!(
                "failures and errors that the suite counts: {counted}, in its cases: {failed}\n"
            )));
        }
        let Shown { tests: cases, suites, attempts, .. } = *shown;
        let count = self.tests.saturating_sub(cases.saturating_add(suites).saturating_add(attempts));
        let is_in_parts = counts_parts || self.counts_assertions || self.are_bare_runs(shown);
        match count {
            // Where there is no case at all, Ant counts what was aborted, and nothing else.
            0 if cases == 0 && self.tests == 0 && self.aborted > shown.skipped => {
                Some(Missing::Skipped(self.aborted - shown.skipped))
            }
            0 => None,
            _ if is_in_parts && cases > 0 || self.tests <= shown.assertions => None,
            _ if count <= self.skipped_without_case(shown, outer) => Some(Missing::Skipped(count)),
            _ => {
                Some(Missing::Lost(format!("tests that the suite counts: {}, cases: {cases}\n", self.tests)))
            }
        }
    }

    /// How many failures and errors it counts, where nothing explains them.
    fn lost_failures(&self, shown: &Shown) -> Option<u64> {
        let Shown { failures, attempts, assertions, .. } = *shown;
        // A Surefire that counts flaky tests by themselves does not count them among the failures.
        let are_counted = !self.counts_flakes || failures > 0;
        let explained = failures.saturating_add(if are_counted { attempts } else { 0 });
        let counts_assertions = self.counts_assertions || self.are_bare_runs(shown) || assertions > 0;
        // One case may count as a failure and as an error, and each of its assertions as one.
        let is_explained = self.failures.max(self.errors) <= explained || counts_assertions && explained > 0;
        (!is_explained).then(|| self.failures.saturating_add(self.errors))
    }

    /// Whether this looks like what doctest writes where it does not say its version: each case ran, and none has been
    /// skipped, which it has no word for.
    fn are_bare_runs(&self, shown: &Shown) -> bool {
        self.skipped.is_none() && shown.bare_runs > 0 && shown.bare_runs == shown.tests
    }

    fn skipped_without_case<'a>(
        &'a self,
        shown: &'a Shown,
        outer: impl Iterator<Item = (&'a Declared, &'a Shown)>,
    ) -> u64 {
        let mut skipped = 0_u64;
        for (declared, shown) in std::iter::once((self, shown)).chain(outer) {
            skipped = skipped.saturating_add(shown.skipped);
            if let Some(counted) = declared.skipped {
                return counted.saturating_add(declared.aborted).saturating_sub(skipped);
            }
        }
        0
    }
}

impl Shown {
    /// Adds what was seen in a suite within this one.
    pub(crate) fn add(&mut self, inner: &Shown) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.tests, inner.tests);
        add(&mut self.suites, inner.suites + 1);
        add(&mut self.failures, inner.failures);
        add(&mut self.skipped, inner.skipped);
        add(&mut self.attempts, inner.attempts);
        add(&mut self.assertions, inner.assertions);
        add(&mut self.bare_runs, inner.bare_runs);
    }

    /// Adds what a suite within this one counts beyond what it shows: what is around it counts the same.
    pub(crate) fn add_declared(&mut self, declared: &Declared, shown: &Shown) {
        self.tests = self.tests.saturating_add(declared.tests.saturating_sub(shown.tests));
        if declared.counts_assertions || declared.are_bare_runs(shown) {
            self.assertions = self.assertions.saturating_add(declared.tests);
        }
    }

    /// Takes what a suite counts for what was seen in it: what is around it counts the same, and need not say so again.
    pub(crate) fn is_as(&mut self, declared: &Declared) {
        self.tests = self.tests.max(declared.tests);
        self.failures = self.failures.max(declared.failures.saturating_add(declared.errors));
    }
}

/// A number of tests: `3`, `1,234`, `3.0`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = whole.strip_prefix('+').unwrap_or(whole).split(',').collect();
    let is_whole = fraction.bytes().all(|byte| byte == b'0');
    digits.parse().ok().filter(|_| is_whole && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(attributes: &[(&str, &str)]) -> Declared {
        let mut declared = Declared::default();
        for (key, value) in attributes {
            assert_eq!(declared.take(key, value), Ok(true), "{key}={value}");
        }
        declared
    }

    fn check(attributes: &[(&str, &str)], shown: Shown, expected: Option<&str>) {
        let lost = expected.map(|what| Missing::Lost(format!("{what}\n")));
        assert_eq!(declared(attributes).missing(&shown, false, std::iter::empty()), lost, "{attributes:?}");
    }

    fn shown(tests: u64, suites: u64, failures: u64) -> Shown {
        Shown { tests, suites, failures, ..Shown::default() }
    }

    const LOST_FAILURE: Option<&str> = Some("failures and errors that the suite counts: 1, in its cases: 0");

    #[test]
    fn a_suite_that_counts_more_than_it_shows_says_so() {
        check(&[], shown(3, 0, 1), None);
        check(&[("tests", "3"), ("failures", "1"), ("errors", "0")], shown(3, 0, 1), None);
        check(&[("tests", "3"), ("failures", "1")], shown(3, 0, 2), None);
        check(&[("tests", "3")], shown(2, 1, 0), None);
        check(&[("failures", "")], shown(0, 0, 0), None);
        check(&[("tests", "3")], shown(2, 0, 0), Some("tests that the suite counts: 3, cases: 2"));
        check(&[("errors", "1")], shown(1, 0, 0), LOST_FAILURE);
        check(&[("failed", "1")], shown(1, 0, 0), LOST_FAILURE);
        check(
            &[("failures", "3"), ("errors", "1")],
            shown(4, 0, 2),
            Some("failures and errors that the suite counts: 4, in its cases: 2"),
        );
    }

    #[test]
    fn attempts_explain_tests_and_failures() {
        let flaky = Shown { attempts: 1, ..shown(1, 0, 0) };
        check(&[("tests", "2"), ("failures", "1")], flaky, None);
        check(&[("tests", "2"), ("errors", "1")], flaky, None);
        check(&[("tests", "3")], flaky, Some("tests that the suite counts: 3, cases: 1"));
        check(&[("failures", "0"), ("flakes", "1")], flaky, None);
        check(&[("failures", "1"), ("flakes", "1")], flaky, LOST_FAILURE);
        let failed = Shown { attempts: 2, ..shown(1, 0, 1) };
        check(&[("tests", "3"), ("failures", "3")], failed, None);
        let counted = "failures and errors that the suite counts: 2, in its cases: 0";
        check(&[("failures", "2")], flaky, Some(counted));
    }

    #[test]
    fn a_case_may_count_twice_or_by_its_assertions() {
        check(&[("failures", "1"), ("errors", "1")], shown(1, 0, 1), None);
        check(&[("tests", "7"), ("failures", "4")], Shown { assertions: 7, ..shown(2, 0, 1) }, None);
        check(
            &[("failures", "4")],
            Shown { assertions: 7, ..shown(2, 0, 0) },
            Some("failures and errors that the suite counts: 4, in its cases: 0"),
        );
        let bare = Shown { bare_runs: 2, ..shown(2, 0, 0) };
        check(&[("tests", "9"), ("failures", "0")], bare, None);
        check(&[("tests", "9"), ("failures", "1")], bare, LOST_FAILURE);
        check(&[("tests", "9"), ("skipped", "0")], bare, Some("tests that the suite counts: 9, cases: 2"));
    }

    fn check_skipped(inner: &[(&str, &str)], outer: &[(&str, &str)], shown: Shown, expected: Missing) {
        let (outer, none) = (declared(outer), Shown::default());
        let found = declared(inner).missing(&shown, false, std::iter::once((&outer, &none)));
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn tests_that_are_only_counted_as_skipped_are_skipped() {
        let lost = || Missing::Lost("tests that the suite counts: 3, cases: 1\n".to_owned());
        check_skipped(&[("tests", "3"), ("skipped", "1")], &[], shown(2, 0, 0), Missing::Skipped(1));
        check_skipped(&[("tests", "3")], &[("skipped", "2")], shown(1, 0, 0), Missing::Skipped(2));
        check_skipped(&[("tests", "3"), ("skipped", "1")], &[], shown(1, 0, 0), lost());
        check_skipped(
            &[("tests", "3"), ("skipped", "2")],
            &[],
            Shown { skipped: 1, ..shown(1, 0, 0) },
            lost(),
        );
        check_skipped(&[("tests", "3"), ("skipped", "0")], &[("skipped", "2")], shown(1, 0, 0), lost());
        check_skipped(&[("tests", "0"), ("aborted", "1")], &[], shown(0, 0, 0), Missing::Skipped(1));
    }

    #[test]
    fn a_suite_may_count_parts_of_its_tests() {
        let missing =
            |cases| declared(&[("tests", "3")]).missing(&shown(cases, 0, 0), true, std::iter::empty());
        assert_eq!(missing(1), None);
        assert!(matches!(missing(0), Some(Missing::Lost(_))));
    }

    #[test]
    fn what_is_not_a_number_of_tests_is_an_error() {
        for value in ["-1", "x", "1.5", "0x1", "1e3", "NaN"] {
            assert_eq!(Declared::default().take("failures", value), Err(()), "{value}");
        }
        assert_eq!(Declared::default().take("failed", "false"), Ok(false));
        assert_eq!(Declared::default().take("name", "3"), Ok(false));
        for (value, expected) in [("3", 3), (" 1,234 ", 1234), ("3.0", 3), ("+1", 1)] {
            assert_eq!(number(value), Some(expected));
        }
    }
}
