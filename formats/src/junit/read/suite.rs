//! A suite: what its attributes say, and what its cases add up to.

use subunit::Timestamp;

use super::error::Failure;
use super::tag::Tag;
use super::time;

/// A suite that is being read.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    pub(crate) name: String,
    /// The property `route`, which our writer sets.
    pub(crate) route: Option<String>,
    /// When the next case begins, where the suite says when it began.
    pub(crate) clock: Option<Timestamp>,
    declared: Declared,
    /// Whether parts of a test are counted as tests, too.
    counts_parts: bool,
    pub(crate) shown: Shown,
    /// Its properties, one on each line.
    pub(crate) properties: Vec<u8>,
}

/// The counts of a suite's attributes.
#[derive(Clone, Copy, Debug, Default)]
struct Declared {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: Option<u64>,
}

/// What was seen in a suite and the suites within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) tests: u64,
    /// Suites count as tests of the suite around them to some writers.
    suites: u64,
    /// Failures and errors, of which a case may have several.
    pub(crate) failures: u64,
    /// Tests that were skipped or failed as expected.
    pub(crate) skipped: u64,
}

/// What a suite counts and does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// This many tests, which it counts as skipped.
    Skipped(u64),
    /// Tests or failures: what is said of them.
    Lost(String),
}

/// What pytest calls its report, and its suite unless told to call it something else.
const PYTEST: [&str; 2] = ["pytest tests", "pytest"];

impl Suite {
    pub(crate) fn new(tag: &Tag<'_>) -> Result<Self, Failure> {
        let mut suite = Suite::default();
        let mut counts_assertions = false;
        tag.each(|key, value| {
            let count = || value.trim().parse::<u64>().unwrap_or(0);
            match key {
                "name" => super::id::push(&crate::junit::names::cut(&value), &mut suite.name),
                "timestamp" => suite.clock = time::timestamp(&value),
                "tests" => suite.declared.tests = count(),
                "failures" => suite.declared.failures = count(),
                "errors" => suite.declared.errors = count(),
                "skipped" | "skip" => suite.declared.skipped = Some(count()),
                // What Catch2 says, whose `tests` are assertions.
                "hostname" => counts_assertions = value == "tbd",
                _ => {}
            }
            Ok(())
        })?;
        if counts_assertions {
            suite.declared.tests = 0;
        }
        suite.counts_parts = PYTEST.contains(&&*suite.name);
        Ok(suite)
    }

    /// Takes over what the suite or report around this one says of how it counts.
    pub(crate) fn is_within(&mut self, outer: &Suite) {
        self.route.clone_from(&outer.route);
        self.counts_parts |= outer.counts_parts;
    }

    /// Adds what was seen in a suite within this one.
    pub(crate) fn add(&mut self, inner: &Suite) {
        let Shown { tests, suites, failures, skipped } = &mut self.shown;
        *tests = tests.saturating_add(inner.shown.tests);
        *suites = suites.saturating_add(inner.shown.suites + 1);
        *failures = failures.saturating_add(inner.shown.failures);
        *skipped = skipped.saturating_add(inner.shown.skipped);
    }

    /// What is missing, by the suite's own counts. Of skipped tests, the innermost of the suites around it that counts
    /// them knows how many there are: Mocha's reporter says it of the whole report, and writes no case for them.
    pub(crate) fn missing(&self, outer: &[Suite]) -> Option<Missing> {
        let Declared { tests, failures, errors, .. } = self.declared;
        let Shown { tests: cases, suites, failures: failed, .. } = self.shown;
        if failures.saturating_add(errors) > failed {
            let counted = failures.saturating_add(errors);
            return Some(Missing::Lost(format!(
                "failures and errors that the suite counts: {counted}, in its cases: {failed}\n"
            )));
        }
        let count = tests.saturating_sub(cases.saturating_add(suites));
        match count {
            0 => None,
            // pytest counts each subtest that passed.
            _ if self.counts_parts && cases > 0 => None,
            _ if count <= self.skipped_without_case(outer) => Some(Missing::Skipped(count)),
            _ => Some(Missing::Lost(format!("tests that the suite counts: {tests}, cases: {cases}\n"))),
        }
    }

    fn skipped_without_case(&self, outer: &[Suite]) -> u64 {
        let mut shown = 0_u64;
        for suite in std::iter::once(self).chain(outer.iter().rev()) {
            shown = shown.saturating_add(suite.shown.skipped);
            if let Some(counted) = suite.declared.skipped {
                return counted.saturating_sub(shown);
            }
        }
        0
    }

    /// Takes its own counts for what was seen.
    pub(crate) fn shown_as_declared(&mut self) {
        let Declared { tests, failures, errors, .. } = self.declared;
        self.shown.tests = self.shown.tests.max(tests);
        self.shown.failures = self.shown.failures.max(failures.saturating_add(errors));
    }

    /// Takes a property: the one that our writer sets says where the suite ran.
    pub(crate) fn take_property(&mut self, name: &str, value: &str) {
        if name == "route" && value.len() <= 1024 {
            let mut route = String::new();
            super::id::push(value, &mut route);
            self.route = Some(route);
        } else {
            super::case::add_property(name, value, &mut self.properties);
        }
    }

    /// What to call it where a test is named after it.
    pub(crate) fn id(&self) -> &str {
        if self.name.is_empty() { "(suite without a name)" } else { &self.name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_within(outer: &str, attributes: &str, shown: Shown, expected: Option<Missing>) {
        let suite = |attributes: &str| Suite::new(&Tag::new(&format!("testsuite {attributes}"))).unwrap();
        let outer = suite(outer);
        let mut suite = suite(attributes);
        suite.is_within(&outer);
        suite.shown = shown;
        assert_eq!(suite.missing(&[outer]), expected);
    }

    fn check(attributes: &str, shown: Shown, expected: Option<&str>) {
        let lost = expected.map(|what| Missing::Lost(format!("{what}\n")));
        check_within("", attributes, shown, lost);
    }

    fn shown(tests: u64, suites: u64, failures: u64) -> Shown {
        Shown { tests, suites, failures, skipped: 0 }
    }

    #[test]
    fn a_suite_that_counts_more_than_it_shows_says_so() {
        check("", shown(3, 0, 1), None);
        check("tests='3' failures='1' errors='0'", shown(3, 0, 1), None);
        check("tests='3' failures='1'", shown(3, 0, 2), None);
        check("tests='3'", shown(2, 1, 0), None);
        check("tests='x' failures=''", shown(0, 0, 0), None);
        check("tests='20' hostname='tbd'", shown(2, 0, 0), None);
        check("tests='3'", shown(2, 0, 0), Some("tests that the suite counts: 3, cases: 2"));
        check(
            "failures='1' errors='1'",
            shown(3, 0, 1),
            Some("failures and errors that the suite counts: 2, in its cases: 1"),
        );
    }

    #[test]
    fn tests_that_are_only_counted_as_skipped_are_skipped() {
        let skipped = |count| Some(Missing::Skipped(count));
        check_within("", "tests='3' skipped='1'", shown(2, 0, 0), skipped(1));
        check_within("skipped='2'", "tests='3'", shown(1, 0, 0), skipped(2));
        let lost = "tests that the suite counts: 3, cases: 1";
        check("tests='3' skipped='1'", shown(1, 0, 0), Some(lost));
        check("tests='3' skipped='2'", Shown { skipped: 1, ..shown(1, 0, 0) }, Some(lost));
        let lost = Some(Missing::Lost(format!("{lost}\n")));
        check_within("skipped='2'", "tests='3' skipped='0'", shown(1, 0, 0), lost);
    }

    #[test]
    fn pytest_counts_subtests() {
        check("name='pytest' tests='3'", shown(1, 0, 0), None);
        check_within("name='pytest tests'", "name='mine' tests='3'", shown(1, 0, 0), None);
        let lost = "tests that the suite counts: 3, cases: 0";
        check("name='pytest' tests='3'", shown(0, 0, 0), Some(lost));
        let lost = "failures and errors that the suite counts: 1, in its cases: 0";
        check("name='pytest' tests='3' failures='1'", shown(1, 0, 0), Some(lost));
    }
}
