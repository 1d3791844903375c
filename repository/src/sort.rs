//! Sorts the rows of a run in bounded memory: what is too much goes to a temporary file, in sorted segments
//! that are merged at the end.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use streamresult::{Spool, Spooled};
use subunit::{part, part_mut, split_part};

use crate::row::{Facts, Row};

/// How many bytes of rows are kept in memory.
const MEMORY: usize = 4 << 20;
/// How many bytes of sorted rows are written at a time.
const PIECE: usize = 64 << 10;
/// How many bytes all segments together are read ahead, and the least for each.
const READ_AHEAD: usize = 1 << 20;
const LEAST_AHEAD: usize = 4096;

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    memory: usize,
    /// Ids and route codes.
    text: Vec<u8>,
    rows: Vec<BufferedRow>,
    spilled: Spilled,
    /// Where each sorted segment of them ends.
    ends: Vec<u64>,
}

/// Rows that are in the temporary file.
#[derive(Debug)]
struct Spilled {
    spool: Spool,
    rows: Spooled,
}

/// A row whose id and route code are in the text, in this order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferedRow {
    at: u32,
    id: u32,
    route: Option<u32>,
    facts: Facts,
}

impl BufferedRow {
    fn row<'a>(&self, text: &'a [u8]) -> Row<'a> {
        let (at, id) = (self.at as usize, self.id as usize);
        let id_end = at + id;
        let route = self.route.map(|len| part(text, id_end..id_end + len as usize));
        Row { id: part(text, at..id_end), route, facts: self.facts }
    }
}

impl Sorter {
    pub(crate) fn new(folder: &Path) -> Self {
        Sorter::with_memory(folder, MEMORY)
    }

    fn with_memory(folder: &Path, memory: usize) -> Self {
        let spool = Spool::with_limits(PIECE, PIECE).in_folder(folder);
        let spilled = Spilled { spool, rows: Spooled::default() };
        Sorter { memory, text: Vec::new(), rows: Vec::new(), spilled, ends: Vec::new() }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let kept = BufferedRow {
            at: self.text.len() as u32,
            id: row.id.len() as u32,
            route: row.route.map(|route| route.len() as u32),
            facts: row.facts,
        };
        self.text.extend_from_slice(row.id);
        self.text.extend_from_slice(row.route.unwrap_or_default());
        self.rows.push(kept);
        if self.text.len() + self.rows.len() * size_of::<BufferedRow>() < self.memory {
            Ok(())
        } else {
            self.spill()
        }
    }

    /// All rows, sorted.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if self.ends.is_empty() {
            self.sort();
            return Ok(Sorted::Memory { text: self.text, rows: self.rows.into_iter() });
        }
        self.spill()?;
        let Sorter { spilled, ends, .. } = self;
        merge(spilled, &ends)
    }

    fn sort(&mut self) {
        let text = &self.text;
        self.rows.sort_by(|one, other| one.row(text).order(&other.row(text)));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let Spilled { spool, rows } = &mut self.spilled;
        for kept in &self.rows {
            push_row(&kept.row(&self.text), rows.tail());
            spool.settle(rows)?;
        }
        self.ends.push(rows.len());
        self.text.clear();
        self.rows.clear();
        Ok(())
    }
}

/// Rows in their order.
#[derive(Debug)]
pub(crate) enum Sorted {
    Memory { text: Vec<u8>, rows: std::vec::IntoIter<BufferedRow> },
    Merged(Box<Merged>),
}

/// The segments to merge; the one with the first row is taken out.
#[derive(Debug)]
pub(crate) struct Merged {
    heads: BinaryHeap<SegmentHead>,
    current: Option<SegmentHead>,
}

impl Sorted {
    /// The next row.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row<'_>>> {
        match self {
            Sorted::Memory { text, rows } => Ok(rows.next().map(|kept| kept.row(text))),
            Sorted::Merged(merged) => merged.next(),
        }
    }
}

impl Merged {
    fn next(&mut self) -> io::Result<Option<Row<'_>>> {
        if let Some(mut head) = self.current.take()
            && head.advance()?
        {
            self.heads.push(head);
        }
        self.current = self.heads.pop();
        Ok(self.current.as_ref().map(SegmentHead::row))
    }
}

fn merge(spilled: Spilled, ends: &[u64]) -> io::Result<Sorted> {
    let spilled = Arc::new(spilled);
    let ahead = (READ_AHEAD / ends.len().max(1)).max(LEAST_AHEAD);
    let mut heads = BinaryHeap::new();
    for (&at, &end) in [0].iter().chain(ends).zip(ends) {
        let segment = SortedSegment { spilled: Arc::clone(&spilled), at, end };
        let reader = BufReader::with_capacity(ahead, segment);
        let mut head = SegmentHead { reader, text: Vec::new(), id: 0, has_route: false, facts: Facts::ZERO };
        if head.advance()? {
            heads.push(head);
        }
    }
    Ok(Sorted::Merged(Box::new(Merged { heads, current: None })))
}

/// A sorted segment of the temporary file.
#[derive(Debug)]
struct SortedSegment {
    spilled: Arc<Spilled>,
    at: u64,
    end: u64,
}

impl Read for SortedSegment {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let Spilled { spool, rows } = &*self.spilled;
        let count = spool.read_at(rows, self.at, part_mut(into, ..room))?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The first row of a segment that was not given yet.
#[derive(Debug)]
struct SegmentHead {
    reader: BufReader<SortedSegment>,
    text: Vec<u8>,
    id: usize,
    has_route: bool,
    facts: Facts,
}

impl SegmentHead {
    fn row(&self) -> Row<'_> {
        let (id, route) = split_part(&self.text, self.id);
        Row { id, route: self.has_route.then_some(route), facts: self.facts }
    }

    /// Reads the next row, if there is one.
    fn advance(&mut self) -> io::Result<bool> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut lens = [0; 9];
        self.reader.read_exact(&mut lens)?;
        let [a, b, c, d, e, f, g, h, facts] = lens;
        let (id, route) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        (self.id, self.has_route) = (id as usize, route != NO_ROUTE);
        self.text.resize(self.id + if self.has_route { route as usize } else { 0 }, 0);
        self.reader.read_exact(&mut self.text)?;
        let mut encoded = [0; u8::MAX as usize];
        let encoded = part_mut(&mut encoded, ..usize::from(facts));
        self.reader.read_exact(encoded)?;
        let read = crate::row::decode(&mut &*encoded, &mut Vec::new(), &Facts::ZERO);
        let Some((_, facts)) = read else { return Err(io::ErrorKind::InvalidData.into()) };
        self.facts = facts;
        Ok(true)
    }
}

/// The first in order is the greatest, as the heap gives the greatest.
impl Ord for SegmentHead {
    fn cmp(&self, other: &Self) -> Ordering {
        other.row().order(&self.row())
    }
}

impl PartialOrd for SegmentHead {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SegmentHead {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SegmentHead {}

const NO_ROUTE: u32 = u32::MAX;

/// Appends a row: three lengths, the text, and the facts as a row without text.
fn push_row(row: &Row<'_>, out: &mut Vec<u8>) {
    let mut facts = Vec::with_capacity(64);
    crate::row::encode(&Row { id: b"", route: None, ..*row }, b"", &Facts::ZERO, &mut facts);
    let route = row.route.map_or(NO_ROUTE, |route| route.len() as u32);
    out.extend_from_slice(&(row.id.len() as u32).to_le_bytes());
    out.extend_from_slice(&route.to_le_bytes());
    out.push(facts.len() as u8);
    out.extend_from_slice(row.id);
    out.extend_from_slice(row.route.unwrap_or_default());
    out.extend_from_slice(&facts);
}

#[cfg(test)]
mod tests {
    use streamresult::{Extent, Outcome};

    use super::*;
    use crate::row::Kind;

    fn at(start: u64) -> Extent {
        Extent { start, end: start + 1 }
    }

    fn check_sorted(memory: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_memory(folder.path(), memory);
        let routes = [Some("w/1"), None, Some(""), Some("w")];
        let mut expected = Vec::new();
        for number in 0_u64..1000 {
            let id = format!("test_{}", number * 7919 % 500);
            let route = routes[number as usize % 4];
            let facts = Facts { kind: Kind::Outcome(Outcome::Fail), extent: at(number), ..Facts::ZERO };
            let row = Row { id: id.as_bytes(), route: route.map(str::as_bytes), facts };
            sorter.push(&row).unwrap();
            expected.push((id, route, number));
        }
        expected.sort();
        let mut sorted = sorter.finish().unwrap();
        for (id, route, offset) in expected {
            let row = sorted.next().unwrap().unwrap();
            let found = (row.id, row.route, row.facts.extent.start);
            assert_eq!(found, (id.as_bytes(), route.map(str::as_bytes), offset));
        }
        assert_eq!(sorted.next().unwrap(), None);
    }

    #[test]
    fn rows_come_in_order_however_little_memory_there_is() {
        for memory in [MEMORY, 20_000, 1000, 1] {
            check_sorted(memory);
        }
    }
}
