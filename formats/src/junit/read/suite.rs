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
    pub(crate) shown: Shown,
    /// Its properties, a line each.
    pub(crate) properties: Vec<u8>,
}

/// The counts of a suite's attributes.
#[derive(Clone, Copy, Debug, Default)]
struct Declared {
    tests: u64,
    failures: u64,
    errors: u64,
}

/// What was seen in a suite and the suites within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) tests: u64,
    /// Suites count as tests of the suite around them to some writers.
    suites: u64,
    /// Failures and errors, of which a case may have several.
    pub(crate) failures: u64,
}

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
                // What Catch2 says, whose `tests` are assertions.
                "hostname" => counts_assertions = value == "tbd",
                _ => {}
            }
            Ok(())
        })?;
        if counts_assertions {
            suite.declared.tests = 0;
        }
        Ok(suite)
    }

    /// Adds what was seen in a suite within this one.
    pub(crate) fn add(&mut self, inner: &Suite) {
        let Shown { tests, suites, failures } = &mut self.shown;
        *tests = tests.saturating_add(inner.shown.tests);
        *suites = suites.saturating_add(inner.shown.suites + 1);
        *failures = failures.saturating_add(inner.shown.failures);
    }

    /// What is missing, by the suite's own counts.
    pub(crate) fn missing(&self) -> Option<String> {
        let Declared { tests, failures, errors } = self.declared;
        let Shown { tests: cases, suites, failures: failed } = self.shown;
        if failures.saturating_add(errors) > failed {
            let counted = failures.saturating_add(errors);
            return Some(format!(
                "failures and errors that the suite counts: {counted}, in its cases: {failed}\n"
            ));
        }
        (tests > cases.saturating_add(suites))
            .then(|| format!("tests that the suite counts: {tests}, cases: {cases}\n"))
    }

    /// Takes its own counts for what was seen.
    pub(crate) fn shown_as_declared(&mut self) {
        let Declared { tests, failures, errors } = self.declared;
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

    fn check(attributes: &str, shown: Shown, expected: Option<&str>) {
        let mut suite = Suite::new(&Tag::new(&format!("testsuite {attributes}"))).unwrap();
        suite.shown = shown;
        let found = suite.missing();
        assert_eq!(found.as_deref().map(str::trim_end), expected);
    }

    #[test]
    fn a_suite_that_counts_more_than_it_shows_says_so() {
        let shown = |tests, suites, failures| Shown { tests, suites, failures };
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
}
