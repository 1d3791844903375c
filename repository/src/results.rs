//! The results of a run: a row a test, sorted by id, in blocks that are found without reading the others.
//!
//! ```text
//! blocks     zstd frames of rows; ids share their front with the one before
//! directory  a zstd frame: the number of rows; for each block its first id, its length, its length unpacked
//! footer     where the directory is, its length, its length unpacked, a magic number
//! ```

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use zstd::bulk::{Compressor, Decompressor};

use subunit::part;

use crate::error::{Error, Result, at};
use crate::row::{self, Facts, Row};
use crate::seekable::compressor;
use crate::sort::Sorted;
use crate::wire::{put, take};

/// A block is closed when it has this many bytes, unpacked.
const BLOCK: usize = 16 * 1024;
/// No block or directory that we write is longer, unpacked, than this and its longest id.
const LIMIT: u64 = 1 << 30;
/// Ends a file of which no row has marks, which older versions can read.
const MAGIC: [u8; 8] = *b"SURESUL1";
/// Ends any other.
const MAGIC_OF_MARKS: [u8; 8] = *b"SURESUL2";
const FOOTER: usize = 24;

/// Writes all rows. The answer is their number.
pub(crate) fn write(mut rows: Sorted, file: &File) -> io::Result<u64> {
    let mut writer = Writer::new(BufWriter::new(file))?;
    while let Some(row) = rows.next()? {
        writer.push(&row)?;
    }
    writer.finish()
}

struct Writer<W> {
    out: W,
    at: u64,
    rows: u64,
    has_marks: bool,
    compressor: Compressor<'static>,
    block: Vec<u8>,
    first_id: Vec<u8>,
    last_id: Vec<u8>,
    before: Facts,
    directory: Vec<u8>,
}

impl<W: Write> Writer<W> {
    fn new(out: W) -> io::Result<Self> {
        Ok(Writer {
            out,
            at: 0,
            rows: 0,
            has_marks: false,
            compressor: compressor()?,
            block: Vec::new(),
            first_id: Vec::new(),
            last_id: Vec::new(),
            before: Facts::ZERO,
            directory: Vec::new(),
        })
    }

    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.block.is_empty() {
            self.first_id.clear();
            self.first_id.extend_from_slice(row.id);
            self.last_id.clear();
            self.before = Facts::ZERO;
        }
        row::encode(row, &self.last_id, &self.before, &mut self.block);
        self.last_id.clear();
        self.last_id.extend_from_slice(row.id);
        self.before = row::carry(&self.before, &row.facts);
        self.has_marks |= row.facts.marks.are_any();
        self.rows += 1;
        if self.block.len() < BLOCK { Ok(()) } else { self.end_block() }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = self.compressor.compress(&self.block)?;
        self.out.write_all(&packed)?;
        put(&mut self.directory, self.first_id.len() as u64);
        self.directory.extend_from_slice(&self.first_id);
        put(&mut self.directory, packed.len() as u64);
        put(&mut self.directory, self.block.len() as u64);
        self.at += packed.len() as u64;
        self.block.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.end_block()?;
        let mut directory = Vec::with_capacity(self.directory.len() + 10);
        put(&mut directory, self.rows);
        directory.append(&mut self.directory);
        let packed = self.compressor.compress(&directory)?;
        self.out.write_all(&packed)?;
        self.out.write_all(&self.at.to_le_bytes())?;
        self.out.write_all(&(packed.len() as u32).to_le_bytes())?;
        self.out.write_all(&(directory.len() as u32).to_le_bytes())?;
        self.out.write_all(if self.has_marks { &MAGIC_OF_MARKS } else { &MAGIC })?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// The results of a run, opened.
#[derive(Debug)]
pub(crate) struct Results {
    file: File,
    path: PathBuf,
    blocks: Vec<Block>,
    /// The first ids of all blocks.
    ids: Vec<u8>,
    rows: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    at: u64,
    len: usize,
    raw_len: usize,
    /// Where its first id ends in `ids`; it begins where the one before ends.
    id_end: usize,
}

impl Results {
    /// Opens a file; `None` when there is none.
    pub(crate) fn open(path: &Path) -> Result<Option<Results>> {
        match File::open(path) {
            Ok(file) => Results::of(file, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at("read", path)(error)),
        }
    }

    /// Reads the directory of a file of results.
    pub(crate) fn of(file: File, path: &Path) -> Result<Results> {
        let len = file.metadata().map_err(at("read", path))?.len();
        let mut results =
            Results { file, path: path.to_owned(), blocks: Vec::new(), ids: Vec::new(), rows: 0 };
        let footer_at = len.checked_sub(FOOTER as u64).ok_or_else(|| results.damaged("it is too short"))?;
        let mut footer = [0; FOOTER];
        results.read(&mut footer, footer_at)?;
        let (numbers, magic) = footer.split_at(FOOTER - MAGIC.len());
        if magic != MAGIC && magic != MAGIC_OF_MARKS {
            return Err(results.damaged("its end is missing"));
        }
        let number = |range| le_number(part(numbers, range));
        let (start, packed, raw) = (number(0..8), number(8..12), number(12..16));
        if start.checked_add(packed) != Some(footer_at) {
            return Err(results.damaged("its directory does not end where it should"));
        }
        let block = Block { at: start, len: packed as usize, raw_len: raw as usize, id_end: 0 };
        let directory = results.unpack(block)?;
        results.read_directory(&directory, start)?;
        Ok(results)
    }

    fn read_directory(&mut self, mut directory: &[u8], data_end: u64) -> Result<()> {
        self.rows = take(&mut directory).ok_or_else(|| self.damaged("its directory is damaged"))?;
        let mut at = 0_u64;
        while !directory.is_empty() {
            let entry = take_entry(&mut directory).filter(|(_, len, raw)| *len < LIMIT && *raw < LIMIT);
            let Some((id, len, raw_len)) = entry else {
                return Err(self.damaged("its directory is damaged"));
            };
            self.ids.extend_from_slice(id);
            let id_end = self.ids.len();
            self.blocks.push(Block { at, len: len as usize, raw_len: raw_len as usize, id_end });
            at += len;
        }
        if at == data_end { Ok(()) } else { Err(self.damaged("its directory does not fit its blocks")) }
    }

    /// All rows.
    pub(crate) fn iter(&self) -> Rows<'_> {
        self.rows_from(0)
    }

    /// Reads all rows, to see whether they are whole.
    pub(crate) fn check(&self) -> Result<()> {
        let (mut rows, mut count) = (self.iter(), 0);
        while rows.next()?.is_some() {
            count += 1;
        }
        if count == self.rows {
            Ok(())
        } else {
            Err(self.damaged("it has another number of rows than it says"))
        }
    }

    /// Calls a function with the rows of a test.
    pub(crate) fn find(&self, id: &[u8], mut found: impl FnMut(&Row<'_>)) -> Result<()> {
        let after = self.count_blocks_before(id);
        let mut rows = self.rows_from(after.saturating_sub(1));
        while let Some(row) = rows.next()? {
            match row.id.cmp(id) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => found(&row),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(())
    }

    /// Whether there is a test whose id begins like this.
    pub(crate) fn has_any(&self, prefix: &[u8]) -> Result<bool> {
        let mut rows = self.rows_from(self.count_blocks_before(prefix).saturating_sub(1));
        while let Some(row) = rows.next()? {
            if row.id >= prefix {
                return Ok(row.id.starts_with(prefix));
            }
        }
        Ok(false)
    }

    /// How many blocks begin with a lesser id.
    fn count_blocks_before(&self, id: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.first_id(middle) < id { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn first_id(&self, block: usize) -> &[u8] {
        let end = |at: usize| self.blocks.get(at).map_or(0, |block| block.id_end);
        let start = block.checked_sub(1).map_or(0, end);
        part(&self.ids, start..end(block))
    }

    fn rows_from(&self, block: usize) -> Rows<'_> {
        Rows { results: self, next: block, raw: Vec::new(), at: 0, id: Vec::new(), before: Facts::ZERO }
    }

    fn read(&self, into: &mut [u8], from: u64) -> Result<()> {
        self.file.read_exact_at(into, from).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("it is cut short"),
            _ => at("read", &self.path)(error),
        })
    }

    fn unpack(&self, block: Block) -> Result<Vec<u8>> {
        let mut packed = vec![0; block.len];
        self.read(&mut packed, block.at)?;
        if block.raw_len as u64 > LIMIT {
            return Err(self.damaged("a block is too long"));
        }
        match decompress(&packed, block.raw_len) {
            Ok(raw) if raw.len() == block.raw_len => Ok(raw),
            Ok(_) => Err(self.damaged("a block has another length than the directory says")),
            Err(error) => Err(self.damaged(&error.to_string())),
        }
    }

    fn damaged(&self, what: &str) -> Error {
        Error::damaged(&self.path, what)
    }
}

/// Unpacks a block. What it takes is kept: making it anew would take longer than a block.
fn decompress(packed: &[u8], len: usize) -> io::Result<Vec<u8>> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress(packed, len)
    })
}

fn le_number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The first id of a block, its length, and its length unpacked.
fn take_entry<'a>(directory: &mut &'a [u8]) -> Option<(&'a [u8], u64, u64)> {
    let len = usize::try_from(take(directory)?).ok()?;
    let (id, rest) = directory.split_at_checked(len)?;
    *directory = rest;
    Some((id, take(directory)?, take(directory)?))
}

/// Goes through rows in order.
pub(crate) struct Rows<'a> {
    results: &'a Results,
    next: usize,
    raw: Vec<u8>,
    at: usize,
    id: Vec<u8>,
    before: Facts,
}

impl Rows<'_> {
    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        if self.at == self.raw.len() {
            let Some(&block) = self.results.blocks.get(self.next) else { return Ok(None) };
            self.raw = self.results.unpack(block)?;
            self.next += 1;
            (self.at, self.before) = (0, Facts::ZERO);
            self.id.clear();
        }
        let mut input = part(&self.raw, self.at..);
        let Some((route, facts)) = row::decode(&mut input, &mut self.id, &self.before) else {
            return Err(self.results.damaged("a row is damaged"));
        };
        self.at = self.raw.len() - input.len();
        self.before = row::carry(&self.before, &facts);
        Ok(Some(Row { id: &self.id, route, facts }))
    }
}

#[cfg(test)]
mod tests {
    use streamresult::{Extent, Outcome};

    use super::*;
    use crate::row::Kind;
    use crate::sort::Sorter;

    fn results(tests: u64) -> Results {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path());
        for number in 0..tests {
            let id = format!("suite.test_{number:06}");
            let facts = Facts {
                kind: Kind::Outcome(Outcome::Success),
                extent: Extent { start: number, end: number + 1 },
                ..Facts::ZERO
            };
            for route in [None, Some(&b"w"[..])] {
                sorter.push(&Row { id: id.as_bytes(), route, facts }).unwrap();
            }
        }
        let file = tempfile::tempfile().unwrap();
        assert_eq!(write(sorter.finish().unwrap(), &file).unwrap(), 2 * tests);
        Results::of(file, Path::new("results")).unwrap()
    }

    fn check_all(tests: u64) {
        let results = results(tests);
        assert_eq!(results.rows, 2 * tests);
        let mut rows = results.iter();
        for number in 0..2 * tests {
            let row = rows.next().unwrap().unwrap();
            assert_eq!(row.id, format!("suite.test_{:06}", number / 2).as_bytes());
            assert_eq!((row.route.is_some(), row.facts.extent.start), (number % 2 == 1, number / 2));
        }
        assert_eq!(rows.next().unwrap(), None);
    }

    #[test]
    fn all_rows_are_read_back() {
        for tests in [0, 1, 10_000] {
            check_all(tests);
        }
    }

    #[test]
    fn a_test_is_found_wherever_blocks_end() {
        let results = results(10_000);
        assert!(results.blocks.len() > 5);
        for number in 0..10_000 {
            let mut offsets = Vec::new();
            let id = format!("suite.test_{number:06}");
            results.find(id.as_bytes(), |row| offsets.push(row.facts.extent.start)).unwrap();
            assert_eq!(offsets, [number, number]);
        }
        for id in ["", "suite.test_0000001", "z"] {
            results.find(id.as_bytes(), |_| panic!("{id} is not there")).unwrap();
        }
    }

    #[test]
    fn damage_is_an_error_and_never_another_result() {
        let good = results(40);
        let mut bytes = vec![0; good.file.metadata().unwrap().len() as usize];
        good.file.read_exact_at(&mut bytes, 0).unwrap();
        for at in 0..bytes.len() {
            let mut file = tempfile::tempfile().unwrap();
            bytes[at] ^= 0x10;
            file.write_all(&bytes).unwrap();
            bytes[at] ^= 0x10;
            let read = Results::of(file, Path::new("results")).and_then(|results| count(&results));
            assert!(matches!(read, Err(Error::Damaged { .. }) | Ok(80)), "{at}");
        }
    }

    fn count(results: &Results) -> Result<u64> {
        let mut rows = results.iter();
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}
