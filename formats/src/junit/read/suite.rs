//! A suite: what its attributes say, and what its cases add up to.

use subunit::Timestamp;

use super::case::CaseEnd;
use super::counts::{Declared, Missing, Shown};
use super::error::Failure;
use super::tag::Tag;
use super::{time, words};

/// A suite that is being read.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    pub(crate) name: String,
    /// The property `route`, which our writer sets.
    pub(crate) route: Option<String>,
    /// The machine, or what a tool says instead: Playwright has its browsers there.
    pub(crate) hostname: String,
    /// Whether no suite of its name, in suites of theirs, was read before.
    pub(crate) is_new: bool,
    /// Whether it is the report, not a suite in it.
    pub(crate) is_report: bool,
    /// Whether the host names of its suites are what they ran for.
    has_projects: bool,
    /// Whether it is one of node's, all classes of which are called `test`.
    pub(crate) is_of_node: bool,
    /// When the next case begins, where the suite says when it began.
    pub(crate) clock: Option<Timestamp>,
    /// Whether it says when it began, in words that nobody knows: then its cases began at no time.
    pub(crate) is_undated: bool,
    declared: Declared,
    /// What its attributes say of its outcome, where that is a failure: `status="failed"`.
    failed: Option<String>,
    /// Its attributes that cannot be right.
    wrong: Vec<String>,
    /// Whether parts of a test are counted as tests, too.
    counts_parts: bool,
    pub(crate) shown: Shown,
    /// Its properties, one on each line.
    pub(crate) properties: Vec<u8>,
}

/// The attributes of Playwright's report.
const PLAYWRIGHT: [&str; 7] = ["id", "name", "tests", "failures", "skipped", "errors", "time"];

/// A longer name is not one of a machine.
const LONGEST_HOST: usize = 255;

/// What pytest calls its report, and its suite unless told to call it something else.
const PYTEST: [&str; 2] = ["pytest tests", "pytest"];

impl Suite {
    pub(crate) fn new(tag: &Tag<'_>, is_report: bool) -> Result<Self, Failure> {
        let mut suite = Suite { is_report, ..Suite::default() };
        let (mut keys, mut count) = ([false; PLAYWRIGHT.len()], 0);
        let mut has_disabled = false;
        tag.each(|key, value| {
            suite.take(key, &value);
            count += 1;
            has_disabled |= key == "disabled";
            if let Some(at) = PLAYWRIGHT.iter().position(|known| *known == key) {
                keys.get_mut(at).into_iter().for_each(|has| *has = true);
            }
            Ok(())
        })?;
        suite.counts_parts = PYTEST.contains(&&*suite.name);
        suite.has_projects = is_report && count == PLAYWRIGHT.len() && keys.iter().all(|has| *has);
        suite.is_of_node = has_disabled && !suite.hostname.is_empty();
        Ok(suite)
    }

    fn take(&mut self, key: &str, value: &str) {
        match key {
            "name" => super::id::push(&crate::junit::names::cut(value), &mut self.name),
            "timestamp" => {
                self.clock = time::timestamp(value);
                self.is_undated = self.clock.is_none() && !value.trim().is_empty();
                if self.is_undated {
                    self.wrong.push(format!("{key}=\"{}\"", crate::visible::line(value)));
                }
            }
            "doctest_version" => self.declared.are_assertions(),
            // What Catch2 says.
            "hostname" if value == "tbd" => self.declared.are_assertions(),
            "hostname" if value.len() <= LONGEST_HOST => super::id::push(value.trim(), &mut self.hostname),
            "status" | "result" | "outcome" if words::ending(value).is_some_and(CaseEnd::is_failure) => {
                self.failed = Some(format!("{key}=\"{value}\""));
            }
            _ => match self.declared.take(key, value) {
                Ok(false) if words::flag(key, value) == Some(CaseEnd::Fail) => {
                    self.failed = Some(format!("{key}=\"{value}\""));
                }
                Ok(_) => {}
                Err(()) => self.wrong.push(format!("{key}=\"{}\"", crate::visible::line(value))),
            },
        }
    }

    /// Takes over what the suite or report around this one says of how it counts.
    pub(crate) fn is_within(&mut self, outer: &Suite) {
        self.route.clone_from(&outer.route);
        self.counts_parts |= outer.counts_parts;
        self.has_projects |= outer.has_projects;
    }

    /// What its tests ran for, where its host name says so.
    pub(crate) fn project(&self) -> Option<&str> {
        (self.has_projects && !self.hostname.is_empty()).then_some(&self.hostname)
    }

    /// When the next case begins, if this suite says it, or that nobody knows.
    pub(crate) fn dated(&self) -> Option<Option<Timestamp>> {
        if self.is_undated { Some(None) } else { self.clock.map(Some) }
    }

    /// Adds what was seen in a suite within this one.
    pub(crate) fn add(&mut self, inner: &Suite) {
        self.shown.add(&inner.shown);
        self.shown.add_declared(&inner.declared, &inner.shown);
    }

    /// What is missing, by the suite's own counts.
    pub(crate) fn missing(&self, outer: &[Suite]) -> Option<Missing> {
        let outer = outer.iter().rev().map(|suite| (&suite.declared, &suite.shown));
        self.declared.missing(&self.shown, self.counts_parts, outer)
    }

    /// What the suite says of itself that none of its cases does: that it failed.
    pub(crate) fn failed(&self) -> Option<String> {
        let failed = self.failed.as_ref().filter(|_| self.shown.failures == 0)?;
        Some(format!("the suite says that it failed: {failed}\n"))
    }

    /// Which of its attributes cannot be right.
    pub(crate) fn wrong(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wrong)
    }

    /// Takes its own counts for what was seen.
    pub(crate) fn shown_as_declared(&mut self) {
        self.shown.is_as(&self.declared);
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

    fn suite(attributes: &str) -> Suite {
        Suite::new(&Tag::new(&format!("testsuite {attributes}")), false).unwrap()
    }

    fn check_failed(attributes: &str, expected: Option<&str>) {
        let expected = expected.map(|what| format!("the suite says that it failed: {what}\n"));
        assert_eq!(suite(attributes).failed(), expected);
    }

    #[test]
    fn a_suite_may_say_that_it_failed() {
        check_failed("status='passed' success='True' executed='False'", None);
        check_failed("status='Failed'", Some("status=\"Failed\""));
        check_failed("result='timed out'", Some("result=\"timed out\""));
        check_failed("success='False'", Some("success=\"False\""));
        check_failed("status='anything else'", None);
        let mut shown = suite("status='failed'");
        shown.shown.failures = 1;
        assert_eq!(shown.failed(), None);
    }

    #[test]
    fn attributes_that_cannot_be_right_are_kept() {
        assert_eq!(suite("tests='-1' failures='0' errors='x'").wrong(), ["tests=\"-1\"", "errors=\"x\""]);
    }

    fn check_missing(outer: &str, attributes: &str, cases: u64, is_missing: bool) {
        let (outer, mut suite) = (suite(outer), suite(attributes));
        suite.is_within(&outer);
        suite.shown.tests = cases;
        assert_eq!(suite.missing(&[outer]).is_some(), is_missing, "{attributes}");
    }

    #[test]
    fn tools_that_count_something_else_are_known() {
        check_missing("", "tests='20'", 2, true);
        check_missing("", "tests='20' hostname='tbd'", 2, false);
        check_missing("", "tests='20' doctest_version='2.4.9'", 2, false);
        check_missing("", "name='pytest' tests='3'", 1, false);
        check_missing("name='pytest tests'", "name='mine' tests='3'", 1, false);
        check_missing("", "name='pytest' tests='3'", 0, true);
    }
}
