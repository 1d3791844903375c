//! The rows of each test of a run, and what they decide.

use streamresult::{Outcome, is_damage};

use crate::error::Result;
use crate::results::{Results, Rows};
use crate::row::{Facts, Kind, Row};

/// What a run decides about a test. One that fails as expected does what it should. Any failure outweighs a pass: a test that passed when it was tried again
/// is not a test that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Passes,
    Fails(Facts),
}

/// A test, as an id and a route code.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestKey {
    pub(crate) id: Vec<u8>,
    pub(crate) route: Option<Vec<u8>>,
}

impl TestKey {
    fn set(&mut self, row: &Row<'_>) {
        self.id.clear();
        self.id.extend_from_slice(row.id);
        match (row.route, &mut self.route) {
            (Some(route), Some(kept)) => {
                kept.clear();
                kept.extend_from_slice(route);
            }
            (route, kept) => *kept = route.map(<[u8]>::to_vec),
        }
    }

    fn is_of(&self, row: &Row<'_>) -> bool {
        self.id == row.id && self.route.as_deref() == row.route
    }
}

/// The rows of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) key: TestKey,
    pub(crate) decision: Option<Decision>,
    /// Whether it ran: more than announced.
    pub(crate) has_run: bool,
    /// Whether it was announced.
    pub(crate) is_announced: bool,
    /// Whether it can be run by its id.
    pub(crate) is_runnable: bool,
}

impl Group {
    fn begin(&mut self, row: &Row<'_>) {
        self.key.set(row);
        (self.decision, self.has_run) = (None, false);
        (self.is_announced, self.is_runnable) = (false, false);
        self.add(&row.facts);
    }

    fn add(&mut self, facts: &Facts) {
        let Kind::Outcome(outcome) = facts.kind else { return };
        self.has_run |= outcome != Outcome::Exists;
        self.is_announced |= outcome == Outcome::Exists;
        self.is_runnable |= !facts.marks.not_runnable;
        // Damage is not a test: the run as a whole fails.
        if is_damage(&self.key.id, outcome) {
            return;
        }
        if outcome.is_failure() {
            self.decision = Some(Decision::Fails(*facts));
        } else if matches!(outcome, Outcome::Success | Outcome::XFail) && self.decision.is_none() {
            self.decision = Some(Decision::Passes);
        }
    }
}

/// Goes through the tests of a run, in order.
pub(crate) struct Groups<'a> {
    rows: Rows<'a>,
    current: Group,
    /// The group of which the first row was read.
    next: Group,
    has_next: bool,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(results: &'a Results) -> Result<Self> {
        let mut rows = results.iter();
        let mut next = Group::default();
        let mut has_next = false;
        if let Some(row) = rows.next()? {
            next.begin(&row);
            has_next = true;
        }
        Ok(Groups { rows, current: Group::default(), next, has_next })
    }

    /// The next test.
    pub(crate) fn next(&mut self) -> Result<Option<&Group>> {
        if !self.has_next {
            return Ok(None);
        }
        std::mem::swap(&mut self.current, &mut self.next);
        self.has_next = false;
        while let Some(row) = self.rows.next()? {
            if self.current.key.is_of(&row) {
                self.current.add(&row.facts);
            } else {
                self.next.begin(&row);
                self.has_next = true;
                break;
            }
        }
        Ok(Some(&self.current))
    }
}
