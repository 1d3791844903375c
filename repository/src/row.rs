//! One row of a run's results, and the order that rows are in.

use std::cmp::Ordering;

use streamresult::{Extent, Outcome};
use subunit::{Timestamp, part};

use crate::wire::{put, take, unzigzag, zigzag};

/// What a row is about. The numbers are those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Outcome(Outcome),
    /// Events that came after the test had finished.
    Late,
}

impl Kind {
    const LATE: u8 = Outcome::ALL.len() as u8;

    fn number(self) -> u8 {
        match self {
            Kind::Outcome(outcome) => outcome as u8,
            Kind::Late => Kind::LATE,
        }
    }

    fn of(number: u8) -> Option<Kind> {
        if number == Kind::LATE {
            return Some(Kind::Late);
        }
        Outcome::ALL.get(usize::from(number)).copied().map(Kind::Outcome)
    }
}

/// What a row says beside whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) start: Option<Timestamp>,
    /// In nanoseconds.
    pub(crate) duration: Option<u64>,
    /// Where in the stream it is, from its first packet to its last.
    pub(crate) extent: Extent,
    pub(crate) marks: Marks,
}

/// What is unusual about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// It cannot be run by its id alone.
    pub(crate) not_runnable: bool,
    /// Its tags say that it failed before it passed.
    pub(crate) flaky: bool,
}

impl Marks {
    const NOT_RUNNABLE: u8 = 1;
    const FLAKY: u8 = 1 << 1;

    /// Whether rows with these marks are of the second version of the file.
    pub(crate) fn are_any(self) -> bool {
        self != Marks::default()
    }

    fn number(self) -> u8 {
        let mark = |there: bool, mark: u8| if there { mark } else { 0 };
        mark(self.not_runnable, Marks::NOT_RUNNABLE) | mark(self.flaky, Marks::FLAKY)
    }

    fn of(number: u8) -> Marks {
        Marks { not_runnable: number & Marks::NOT_RUNNABLE != 0, flaky: number & Marks::FLAKY != 0 }
    }
}

impl Facts {
    /// The facts before the first row of a block.
    pub(crate) const ZERO: Facts = Facts {
        kind: Kind::Late,
        start: None,
        duration: None,
        extent: Extent { start: 0, end: 0 },
        marks: Marks { not_runnable: false, flaky: false },
    };
}

/// A row, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) route: Option<&'a [u8]>,
    pub(crate) facts: Facts,
}

impl Row<'_> {
    /// Rows are in order of id, then of route code, then as their tests ended.
    pub(crate) fn order(&self, other: &Row<'_>) -> Ordering {
        self.id.cmp(other.id).then_with(|| self.route.cmp(&other.route)).then(self.end().cmp(&other.end()))
    }

    fn end(&self) -> (u64, u64) {
        (self.facts.extent.end, self.facts.extent.start)
    }
}

const KIND: u8 = 0x0F;
const HAS_ROUTE: u8 = 1 << 4;
const HAS_START: u8 = 1 << 5;
const HAS_DURATION: u8 = 1 << 6;
const HAS_MARKS: u8 = 1 << 7;

const SECOND: i64 = 1_000_000_000;

fn nanoseconds(time: Timestamp) -> i64 {
    i64::from(time.seconds()) * SECOND + i64::from(time.nanoseconds())
}

fn timestamp(nanoseconds: i64) -> Option<Timestamp> {
    let seconds = u32::try_from(nanoseconds.div_euclid(SECOND)).ok()?;
    Timestamp::new(seconds, nanoseconds.rem_euclid(SECOND) as u32)
}

/// The parts of an encoded row that do not depend on others. The id goes first, and shares its front with the
/// one before.
pub(crate) fn encode(row: &Row<'_>, before_id: &[u8], before: &Facts, out: &mut Vec<u8>) {
    let facts = &row.facts;
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    out.push(
        facts.kind.number()
            | flag(row.route.is_some(), HAS_ROUTE)
            | flag(facts.start.is_some(), HAS_START)
            | flag(facts.duration.is_some(), HAS_DURATION)
            | flag(facts.marks.are_any(), HAS_MARKS),
    );
    out.extend(facts.marks.are_any().then(|| facts.marks.number()));
    let shared = row.id.iter().zip(before_id).take_while(|(a, b)| a == b).count();
    put(out, shared as u64);
    put_bytes(out, part(row.id, shared..));
    if let Some(route) = row.route {
        put_bytes(out, route);
    }
    if let Some(start) = facts.start {
        let before = before.start.map_or(0, nanoseconds);
        put(out, zigzag(nanoseconds(start).wrapping_sub(before)));
    }
    if let Some(duration) = facts.duration {
        put(out, duration);
    }
    put(out, zigzag(facts.extent.start.wrapping_sub(before.extent.start) as i64));
    put(out, facts.extent.len());
}

fn take_byte(input: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = input.split_first()?;
    *input = rest;
    Some(byte)
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take(input)?).ok()?;
    let (bytes, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(bytes)
}

/// Reads a row after others: `id` is that of the one before and becomes this one's. `None` for what
/// [`encode`] cannot have written.
pub(crate) fn decode<'a>(
    input: &mut &'a [u8],
    id: &mut Vec<u8>,
    before: &Facts,
) -> Option<(Option<&'a [u8]>, Facts)> {
    let (&head, rest) = input.split_first()?;
    *input = rest;
    let kind = Kind::of(head & KIND)?;
    let marks = if head & HAS_MARKS == 0 { Marks::default() } else { Marks::of(take_byte(input)?) };
    let shared = usize::try_from(take(input)?).ok().filter(|shared| *shared <= id.len())?;
    id.truncate(shared);
    id.extend_from_slice(take_bytes(input)?);
    let route = if head & HAS_ROUTE == 0 { None } else { Some(take_bytes(input)?) };
    let start = match head & HAS_START {
        0 => None,
        _ => {
            let before = before.start.map_or(0, nanoseconds);
            Some(timestamp(before.wrapping_add(unzigzag(take(input)?)))?)
        }
    };
    let duration = if head & HAS_DURATION == 0 { None } else { Some(take(input)?) };
    let at = before.extent.start.wrapping_add(unzigzag(take(input)?) as u64);
    let extent = Extent { start: at, end: at.checked_add(take(input)?)? };
    Some((route, Facts { kind, start, duration, extent, marks }))
}

/// What the next row is encoded against: times are kept over rows that have none.
pub(crate) fn carry(before: &Facts, facts: &Facts) -> Facts {
    Facts { start: facts.start.or(before.start), ..*facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kind: Kind, start: Option<u32>, offset: u64) -> Facts {
        let start = start.map(|seconds| Timestamp::new(seconds, 999_999_999).unwrap());
        Facts {
            kind,
            start,
            duration: start.map(|_| u64::MAX),
            extent: Extent { start: offset, end: offset.saturating_add(7) },
            marks: Marks { not_runnable: offset == 300, flaky: offset == 5 },
        }
    }

    fn check_round_trip(rows: &[Row<'_>]) {
        let mut out = Vec::new();
        let (mut id, mut before) = (&b""[..], Facts::ZERO);
        for row in rows {
            encode(row, id, &before, &mut out);
            (id, before) = (row.id, carry(&before, &row.facts));
        }
        let mut input = &out[..];
        let (mut id, mut before) = (Vec::new(), Facts::ZERO);
        for row in rows {
            let (route, facts) = decode(&mut input, &mut id, &before).unwrap();
            assert_eq!(Row { id: &id, route, facts }, *row);
            before = carry(&before, &facts);
        }
        assert!(input.is_empty());
    }

    #[test]
    fn rows_are_read_back() {
        let pass = Kind::Outcome(Outcome::Success);
        check_round_trip(&[
            Row { id: b"", route: None, facts: facts(pass, None, 0) },
            Row { id: b"a.b", route: Some(b""), facts: facts(pass, Some(u32::MAX), u64::MAX) },
            Row { id: b"a.c", route: Some(b"w/1"), facts: facts(Kind::Late, Some(0), 5) },
            Row { id: b"a.c", route: Some(b"w/1"), facts: facts(Kind::Late, None, 4) },
            Row { id: b"a.cd", route: None, facts: facts(Kind::Outcome(Outcome::Unfinished), Some(1), 0) },
        ]);
    }

    #[test]
    fn a_cut_row_is_none() {
        let row = Row { id: b"abc", route: Some(b"r"), facts: facts(Kind::Late, Some(9), 300) };
        let mut out = Vec::new();
        encode(&row, b"", &Facts::ZERO, &mut out);
        for cut in 0..out.len() {
            assert_eq!(decode(&mut &out[..cut], &mut Vec::new(), &Facts::ZERO), None);
        }
    }
}
