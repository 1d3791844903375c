//! What changed between two runs.

use std::cmp::Ordering;
use std::time::Duration;

use streamresult::Outcome;

use super::TestResult;
use crate::error::Result;
use crate::repository::Repository;
use crate::results::{Results, Rows};
use crate::run_id::RunRef;

/// What became of a test in a run, wherever it ran in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Side {
    /// How it ended; where it ran several times, the worst: any failure before any pass before the others.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    pub flaky: bool,
    /// How long it took, all times together.
    pub duration: Option<Duration>,
}

/// A test in two runs, in at least one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparedTest<'a> {
    /// The test's id.
    pub test_id: &'a str,
    /// In the run that is compared with.
    pub before: Option<Side>,
    /// In the other.
    pub after: Option<Side>,
}

/// What changed about a test. Closed: these are all the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It fails now, and did not before.
    Broken,
    /// It failed before, and does not now.
    Fixed,
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// Its outcome changed in any other way.
    Other,
    /// Nothing changed, except perhaps the duration.
    Same,
}

impl ComparedTest<'_> {
    /// What changed.
    #[must_use]
    pub fn change(&self) -> Change {
        let (before, after) = match (self.before, self.after) {
            (Some(before), Some(after)) => (before.outcome, after.outcome),
            (None, _) => return Change::New,
            (_, None) => return Change::Gone,
        };
        match (before.is_failure(), after.is_failure()) {
            (false, true) => Change::Broken,
            (true, false) => Change::Fixed,
            _ if before == after => Change::Same,
            _ => Change::Other,
        }
    }

    /// How many times as long it took, where it took any time in both runs.
    #[must_use]
    pub fn slowdown(&self) -> Option<f64> {
        let (before, after) = (self.before?.duration?, self.after?.duration?);
        (!before.is_zero()).then(|| after.as_secs_f64() / before.as_secs_f64())
    }
}

impl Repository {
    /// Calls a function with each test of two runs, in order of their ids. Where a test ran is not compared:
    /// workers take other tests in each run.
    ///
    /// # Errors
    ///
    /// When one of the runs is not there or under way, or cannot be read.
    pub fn diff(
        &self,
        before: impl Into<RunRef>,
        after: impl Into<RunRef>,
        mut function: impl FnMut(&ComparedTest<'_>),
    ) -> Result<()> {
        let (before, after) = (self.run(before)?, self.run(after)?);
        let before = self.with_results(before.id, |_, results| results.check())?.1;
        let after = self.with_results(after.id, |_, results| results.check())?.1;
        let (mut before, mut after) = (Sides::new(&before)?, Sides::new(&after)?);
        let (mut old, mut new) = (before.next()?, after.next()?);
        loop {
            let order = match (&old, &new) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let from_old = if order.is_le() { std::mem::replace(&mut old, before.next()?) } else { None };
            let from_new = if order.is_ge() { std::mem::replace(&mut new, after.next()?) } else { None };
            let Some((id, _)) = from_old.as_ref().or(from_new.as_ref()) else { continue };
            let side = |from: &Option<(String, Side)>| from.as_ref().map(|(_, side)| *side);
            function(&ComparedTest { test_id: id, before: side(&from_old), after: side(&from_new) });
        }
    }
}

/// The tests of a run, one at a time, whatever their routes.
pub(super) struct Sides<'a> {
    rows: Rows<'a>,
    next: Option<(String, Side)>,
}

impl<'a> Sides<'a> {
    pub(super) fn new(results: &'a Results) -> Result<Self> {
        let mut sides = Sides { rows: results.iter(), next: None };
        sides.next()?;
        Ok(sides)
    }

    pub(super) fn next(&mut self) -> Result<Option<(String, Side)>> {
        let mut current = self.next.take();
        while let Some(row) = self.rows.next()? {
            let Some(result) = TestResult::of(&row) else { continue };
            let side = Side { outcome: result.outcome, flaky: result.flaky, duration: result.duration };
            match &mut current {
                Some((id, known)) if id == result.test_id => known.join(side),
                _ => {
                    self.next = Some((result.test_id.to_owned(), side));
                    break;
                }
            }
        }
        Ok(current)
    }
}

impl Side {
    fn join(&mut self, other: Side) {
        if severity(other.outcome) > severity(self.outcome) {
            self.outcome = other.outcome;
        }
        self.flaky |= other.flaky;
        self.duration = match (self.duration, other.duration) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }
}

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 6,
        Outcome::UxSuccess => 5,
        Outcome::Unfinished => 4,
        Outcome::Success => 3,
        Outcome::XFail => 2,
        Outcome::Skip => 1,
        Outcome::Exists => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: Option<Outcome>, after: Option<Outcome>, expected: Change) {
        let side = |outcome| Side { outcome, flaky: false, duration: None };
        let compared = ComparedTest { test_id: "a", before: before.map(side), after: after.map(side) };
        assert_eq!(compared.change(), expected);
    }

    #[test]
    fn a_failure_that_was_none_is_broken() {
        use Outcome::{Fail, Skip, Success, Unfinished, UxSuccess, XFail};
        check(Some(Success), Some(Fail), Change::Broken);
        check(Some(Skip), Some(Unfinished), Change::Broken);
        check(None, Some(UxSuccess), Change::New);
        check(Some(Fail), Some(Success), Change::Fixed);
        check(Some(Fail), Some(Skip), Change::Fixed);
        check(Some(UxSuccess), Some(XFail), Change::Fixed);
        check(Some(Success), Some(Skip), Change::Other);
        check(Some(Fail), Some(Unfinished), Change::Other);
        check(Some(XFail), Some(XFail), Change::Same);
        check(None, Some(Success), Change::New);
        check(Some(Fail), None, Change::Gone);
    }
}
