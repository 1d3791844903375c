//! Sorts the rows of a run in bounded memory: what is too much goes to a temporary file, in sorted stretches
//! that are merged at the end.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::row::{Facts, Row};

/// How many bytes of rows are kept in memory.
const MEMORY: usize = 4 << 20;
/// How many bytes all stretches together are read ahead, and the least for each.
const READ_AHEAD: usize = 1 << 20;
const LEAST_AHEAD: usize = 4096;

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    /// Where the temporary file goes.
    folder: PathBuf,
    memory: usize,
    /// Ids and route codes.
    text: Vec<u8>,
    rows: Vec<Kept>,
    spilled: Option<File>,
    stretches: Vec<(u64, u64)>,
}

/// A row whose id, then its route code, are in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    at: u32,
    id: u32,
    route: Option<u32>,
    facts: Facts,
}

impl Kept {
    fn row<'a>(&self, text: &'a [u8]) -> Row<'a> {
        let (at, id) = (self.at as usize, self.id as usize);
        let id_end = at + id;
        let route = self.route.map(|len| text.get(id_end..id_end + len as usize).unwrap_or_default());
        Row { id: text.get(at..id_end).unwrap_or_default(), route, facts: self.facts }
    }
}

impl Sorter {
    pub(crate) fn new(folder: &Path) -> Self {
        Sorter::with_memory(folder, MEMORY)
    }

    fn with_memory(folder: &Path, memory: usize) -> Self {
        let (text, rows, stretches) = (Vec::new(), Vec::new(), Vec::new());
        Sorter { folder: folder.to_owned(), memory, text, rows, spilled: None, stretches }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let kept = Kept {
            at: self.text.len() as u32,
            id: row.id.len() as u32,
            route: row.route.map(|route| route.len() as u32),
            facts: row.facts,
        };
        self.text.extend_from_slice(row.id);
        self.text.extend_from_slice(row.route.unwrap_or_default());
        self.rows.push(kept);
        if self.text.len() + self.rows.len() * size_of::<Kept>() < self.memory {
            Ok(())
        } else {
            self.spill()
        }
    }

    /// All rows, sorted.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if self.spilled.is_some() {
            self.spill()?;
        } else {
            self.sort();
        }
        let Sorter { text, rows, spilled, stretches, .. } = self;
        let Some(file) = spilled else {
            return Ok(Sorted::Memory { text, rows: rows.into_iter() });
        };
        drop((text, rows));
        merge(file, &stretches)
    }

    fn sort(&mut self) {
        let text = &self.text;
        self.rows.sort_by(|one, other| one.row(text).order(&other.row(text)));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let file = match &self.spilled {
            Some(file) => file,
            None => self.spilled.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let mut out = BufWriter::new(file);
        let mut len = 0;
        for kept in &self.rows {
            len += write_row(&kept.row(&self.text), &mut out)?;
        }
        out.flush()?;
        let start = self.stretches.last().map_or(0, |(_, end)| *end);
        self.stretches.push((start, start + len));
        self.text.clear();
        self.rows.clear();
        Ok(())
    }
}

/// Rows in their order.
#[derive(Debug)]
pub(crate) enum Sorted {
    Memory { text: Vec<u8>, rows: std::vec::IntoIter<Kept> },
    Merged(Box<Merged>),
}

/// The stretches, of which the one with the first row is taken out.
#[derive(Debug)]
pub(crate) struct Merged {
    heads: BinaryHeap<Head>,
    current: Option<Head>,
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
        Ok(self.current.as_ref().map(Head::row))
    }
}

fn merge(file: File, stretches: &[(u64, u64)]) -> io::Result<Sorted> {
    let file = Arc::new(file);
    let ahead = (READ_AHEAD / stretches.len().max(1)).max(LEAST_AHEAD);
    let mut heads = BinaryHeap::new();
    for &(at, end) in stretches {
        let reader = BufReader::with_capacity(ahead, Stretch { file: Arc::clone(&file), at, end });
        let mut head = Head { reader, text: Vec::new(), id: 0, has_route: false, facts: Facts::ZERO };
        if head.advance()? {
            heads.push(head);
        }
    }
    Ok(Sorted::Merged(Box::new(Merged { heads, current: None })))
}

/// Part of the temporary file.
#[derive(Debug)]
struct Stretch {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Stretch {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let count = self.file.read_at(into.get_mut(..room).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The first row of a stretch that was not given yet.
#[derive(Debug)]
struct Head {
    reader: BufReader<Stretch>,
    text: Vec<u8>,
    id: usize,
    has_route: bool,
    facts: Facts,
}

impl Head {
    fn row(&self) -> Row<'_> {
        let (id, route) = self.text.split_at_checked(self.id).unwrap_or_default();
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
        let encoded = encoded.get_mut(..usize::from(facts)).unwrap_or_default();
        self.reader.read_exact(encoded)?;
        let read = crate::row::decode(&mut &*encoded, &mut Vec::new(), &Facts::ZERO);
        let Some((_, facts)) = read else { return Err(io::ErrorKind::InvalidData.into()) };
        self.facts = facts;
        Ok(true)
    }
}

/// The first in order is the greatest, as the heap gives the greatest.
impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.row().order(&self.row())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

const NO_ROUTE: u32 = u32::MAX;

/// Writes a row: three lengths, the text, and the facts as a row without text.
fn write_row(row: &Row<'_>, out: &mut impl Write) -> io::Result<u64> {
    let mut facts = Vec::with_capacity(64);
    crate::row::encode(&Row { id: b"", route: None, ..*row }, b"", &Facts::ZERO, &mut facts);
    let route = row.route.map_or(NO_ROUTE, |route| route.len() as u32);
    out.write_all(&(row.id.len() as u32).to_le_bytes())?;
    out.write_all(&route.to_le_bytes())?;
    out.write_all(&[facts.len() as u8])?;
    out.write_all(row.id)?;
    out.write_all(row.route.unwrap_or_default())?;
    out.write_all(&facts)?;
    Ok((9 + row.id.len() + row.route.map_or(0, <[u8]>::len) + facts.len()) as u64)
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
