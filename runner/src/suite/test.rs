//! A test of a suite: what it is called, and how its runner is told of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A test that can be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// The id that results have.
    pub id: String,
    /// What its runner is told.
    pub select: String,
    /// What the tests of one process have in common.
    pub together: String,
    /// What results of its process have before their names.
    pub within: String,
}

/// A test that its runner knows by its id.
impl From<&str> for Test {
    fn from(id: &str) -> Self {
        Test { id: id.to_owned(), select: id.to_owned(), ..Test::default() }
    }
}

/// The tests of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// All of them, each id once.
    pub all: Vec<Test>,
    /// How long it took to list them, which is how long a worker takes to start.
    pub took: Duration,
    /// What else the listing said when it failed though it named tests: some may be missing.
    pub failure: Option<String>,
    /// What stands between one of them and what is within it.
    pub subtests: Option<String>,
    /// Whether they are files: results are those of the tests in them.
    pub are_files: bool,
}

impl Tests {
    /// These tests, each once.
    #[must_use]
    pub fn new(tests: Vec<Test>, took: Duration) -> Self {
        let mut seen = HashSet::new();
        let all = tests.into_iter().filter(|test| seen.insert(test.id.clone())).collect();
        Tests { all, took, ..Tests::default() }
    }

    /// The ids of all tests, in their order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.all.iter().map(|test| test.id.clone()).collect()
    }

    /// Those of these ids.
    #[must_use]
    pub fn of(&self, ids: &[String]) -> Vec<Test> {
        let known: HashMap<&str, &Test> = self.all.iter().map(|test| (test.id.as_str(), test)).collect();
        ids.iter().filter_map(|id| known.get(id.as_str()).map(|test| (*test).clone())).collect()
    }
}

/// The test that a result is of: itself, or the nearest one that it is within.
pub fn owner<'i>(id: &'i str, subtests: Option<&str>, is_test: impl Fn(&str) -> bool) -> Option<&'i str> {
    if is_test(id) {
        return Some(id);
    }
    let before = |(at, _): (usize, &str)| id.get(..at);
    id.rmatch_indices(subtests.filter(|between| !between.is_empty())?)
        .filter_map(before)
        .find(|id| is_test(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_of_the_test_that_it_is_within() {
        let check = |id, subtests, expected| {
            let tests = ["p.T", "p.T/a", "t/a b.t"];
            assert_eq!(owner(id, subtests, |id| tests.contains(&id)), expected, "{id}");
        };
        check("p.T", None, Some("p.T"));
        check("p.T/a/b", Some("/"), Some("p.T/a"));
        check("p.T/c", Some("/"), Some("p.T"));
        check("p.T/c", None, None);
        check("p.Tx/c", Some("/"), None);
        check("t/a b.t/1", Some("/"), Some("t/a b.t"));
    }
}
