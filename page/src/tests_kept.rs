//! All tests of a run, in few bytes each.

use std::collections::HashSet;
use std::time::Duration;

use formats::span::Span;
use streamresult::{Outcome, Record, place_of};
use subunit::Timestamp;

use crate::interned::Interned;
use crate::state::State;

/// Reasons and lists of files are cut to this many characters.
const LONGEST_NOTE: usize = 300;

/// A test: its texts are numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Test {
    pub(crate) state: State,
    id_start: usize,
    id_end: usize,
    /// Where it ran: its route, and the worker that its tags name.
    pub(crate) lane: u32,
    tags: u32,
    note: u32,
    pub(crate) began: Option<Timestamp>,
    pub(crate) took: Option<Duration>,
    pub(crate) has_warned: bool,
}

/// All tests of a run, in the order in which they ended.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    pub(crate) all: Vec<Test>,
    ids: String,
    pub(crate) lanes: Interned,
    tags: Interned,
    notes: Interned,
    /// The first and the last time that any test had.
    span: Span,
}

impl Tests {
    /// Keeps a test; `note` is its reason, or the names of its files.
    pub(crate) fn push(&mut self, record: &Record<'_>, note: &str) -> Test {
        let id_start = self.ids.len();
        self.ids.push_str(record.test_id());
        let tags: Vec<&str> = record.tags().iter().collect();
        let lane = place_of(record.route_code(), tags.iter().copied());
        let test = Test {
            state: State::of(record),
            id_start,
            id_end: self.ids.len(),
            lane: self.lanes.number(&lane),
            tags: self.tags.number(&tags.join("\0")),
            note: self.notes.number(&cut(note)),
            began: record.first(),
            took: record.duration(),
            has_warned: record.outcome() == Outcome::Success && tags.contains(&"warning"),
        };
        self.span.add_record(record);
        self.all.push(test);
        test
    }

    /// Takes away announcements of tests that ran, and gives those that never finished the time that they had. Tells
    /// where each test stands now.
    pub(crate) fn settle(&mut self) -> Vec<usize> {
        let ids = &self.ids;
        let id = |test: &Test| ids.get(test.id_start..test.id_end).unwrap_or_default();
        let ran = self.all.iter().filter(|test| test.state != State::Exists).map(id);
        let mut seen: HashSet<&str> = ran.collect();
        let (mut places, mut kept) = (Vec::with_capacity(self.all.len()), 0);
        self.all.retain(|test| {
            let is_kept = test.state != State::Exists || seen.insert(id(test));
            places.push(kept);
            kept += usize::from(is_kept);
            is_kept
        });
        if let Some(end) = self.span.last() {
            for test in self.all.iter_mut().filter(|test| test.state == State::Unfinished) {
                test.took = test.began.map(|began| end.saturating_since(began));
            }
        }
        places
    }

    pub(crate) fn id(&self, test: &Test) -> &str {
        self.ids.get(test.id_start..test.id_end).unwrap_or_default()
    }

    pub(crate) fn lane(&self, test: &Test) -> &str {
        self.lanes.get(test.lane)
    }

    pub(crate) fn tags(&self, test: &Test) -> impl Iterator<Item = &str> {
        self.tags.get(test.tags).split('\0').filter(|tag| !tag.is_empty())
    }

    pub(crate) fn note(&self, test: &Test) -> &str {
        self.notes.get(test.note)
    }

    /// When the run began, where any test has a time.
    pub(crate) fn start(&self) -> Option<Timestamp> {
        self.span.first()
    }

    /// How long it took from the first time to the last.
    pub(crate) fn length(&self) -> Duration {
        self.span.length().unwrap_or_default()
    }

    /// How long after the beginning of the run a test began.
    pub(crate) fn offset(&self, test: &Test) -> Option<Duration> {
        Some(test.began?.saturating_since(self.start()?))
    }
}

fn cut(note: &str) -> String {
    match note.char_indices().nth(LONGEST_NOTE) {
        Some((at, _)) => format!("{}…", note.get(..at).unwrap_or_default()),
        None => note.to_owned(),
    }
}

/// The part of an id that its neighbours share, with the separator behind it.
pub(crate) fn split_id(id: &str) -> (&str, &str) {
    let head = id.find(['[', '(', '{', ' ', '<', '=']).and_then(|at| id.get(..at)).unwrap_or(id);
    let after = |separator: &str| head.rfind(separator).map(|at| at + separator.len());
    let at = after("::").or_else(|| after("/")).or_else(|| after(".")).unwrap_or(0);
    id.split_at_checked(at).unwrap_or(("", id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_the_front_of_their_ids() {
        let check = |id, expected| assert_eq!(split_id(id), expected);
        check("tests/unit/test_wal.py::test_gap[a/b]", ("tests/unit/test_wal.py::", "test_gap[a/b]"));
        check("pkg.mod.Class.test_a", ("pkg.mod.Class.", "test_a"));
        check("github.com/x/y.TestA/sub", ("github.com/x/y.TestA/", "sub"));
        check("bounce{hard=true}", ("", "bounce{hard=true}"));
        check("", ("", ""));
        check("a::", ("a::", ""));
    }
}
