//! Bytes that wait: in memory while they are few, in a temporary file beyond.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use subunit::{part, part_mut};

/// Bytes of one buffer that stay in memory, unless said otherwise.
pub(crate) const IN_MEMORY: usize = 1 << 20;
/// Bytes of all buffers together that stay in memory, unless said otherwise.
const IN_MEMORY_TOTAL: usize = 8 << 20;
/// The temporary file is given out in blocks of this many bytes.
const BLOCK: usize = 64 << 10;
/// An empty buffer keeps this much room.
const KEPT: usize = 16 << 10;

/// What cannot be used yet: any number of buffers, which stay in memory while they are short and few, and share one
/// temporary file beyond. The file is made when it is needed, and gone with the spool.
///
/// ```
/// use std::io::Read;
/// use streamresult::{Spool, Spooled};
///
/// let mut spool = Spool::default();
/// let (mut one, mut other) = (Spooled::default(), Spooled::default());
/// spool.append(&mut one, b"what is ")?;
/// spool.append(&mut other, &vec![b'x'; 3 << 20])?;
/// spool.append(&mut one, b"long")?;
/// assert_eq!(one.in_memory(), Some(&b"what is long"[..]));
/// assert_eq!((other.in_memory(), other.len()), (None, 3 << 20));
/// let mut text = String::new();
/// one.reader(&spool).read_to_string(&mut text)?;
/// assert_eq!(text, "what is long");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Spool {
    file: Option<File>,
    /// Where the file is made, if it is not to be in the folder of temporary files.
    folder: Option<PathBuf>,
    /// Blocks of the file that are free again.
    free: Vec<u32>,
    /// How many blocks the file has.
    blocks: u32,
    in_memory: usize,
    /// So many bytes of one buffer, and of all, stay in memory.
    limits: (usize, usize),
}

/// Bytes in order of arrival: one buffer of a [`Spool`], to which all of its bytes have to be given. A clone of it is
/// not made: what it has in the file is its own.
#[derive(Debug, Default)]
pub struct Spooled {
    /// Where the first bytes are in the file, if they are there.
    blocks: Vec<u32>,
    spilled: u64,
    /// The bytes after those.
    tail: Vec<u8>,
    /// How many of them the spool knows of.
    counted: usize,
}

impl Default for Spool {
    /// A spool that keeps 1 MiB of each buffer in memory, and 8 MiB of all.
    fn default() -> Self {
        Spool::with_limits(IN_MEMORY, IN_MEMORY_TOTAL)
    }
}

impl Spool {
    /// A spool that keeps at most this many bytes of each buffer, and of all of them together, in memory.
    #[must_use]
    pub fn with_limits(one: usize, all: usize) -> Self {
        Spool { file: None, folder: None, free: Vec::new(), blocks: 0, in_memory: 0, limits: (one, all) }
    }

    /// The same, with its file in this folder.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Spool { folder: Some(folder.to_owned()), ..self }
    }

    /// Adds bytes at the end of a buffer.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be written. What it did not take stays in memory.
    #[inline]
    pub fn append(&mut self, to: &mut Spooled, bytes: &[u8]) -> io::Result<()> {
        to.tail.extend_from_slice(bytes);
        self.settle(to)
    }

    /// Takes note of what was added to a buffer by [`tail`](Spooled::tail), and lets go of memory.
    ///
    /// # Errors
    ///
    /// See [`append`](Spool::append).
    #[inline]
    pub fn settle(&mut self, buffer: &mut Spooled) -> io::Result<()> {
        self.in_memory += buffer.tail.len() - buffer.counted;
        buffer.counted = buffer.tail.len();
        let (one, all) = self.limits;
        if buffer.counted > one || self.in_memory > all { self.write_out(buffer) } else { Ok(()) }
    }

    /// Empties a buffer.
    pub fn clear(&mut self, buffer: &mut Spooled) {
        self.in_memory -= buffer.counted;
        buffer.counted = 0;
        buffer.tail.clear();
        buffer.tail.shrink_to(KEPT);
        if !buffer.blocks.is_empty() {
            self.give_back(buffer);
        }
    }

    /// Reads from the place `at` of a buffer on, and says how many bytes there were: none at its end.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn read_at(&self, buffer: &Spooled, at: u64, into: &mut [u8]) -> io::Result<usize> {
        match buffer.spilled.checked_sub(at) {
            Some(left) if left > 0 => self.read_block(buffer, at, left, into),
            _ => {
                let at = usize::try_from(at - buffer.spilled).unwrap_or(usize::MAX);
                buffer.tail.get(at..).unwrap_or_default().read(into)
            }
        }
    }

    /// Writes a part of a buffer to `output`, as far as there is one.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read, or writing fails.
    pub fn copy<W: Write + ?Sized>(
        &self,
        buffer: &Spooled,
        part: Range<u64>,
        output: &mut W,
    ) -> io::Result<()> {
        let in_file = part.end.min(buffer.spilled).saturating_sub(part.start);
        let mut piece = vec![0; usize::try_from(in_file).unwrap_or(BLOCK).min(BLOCK)];
        let (mut at, end) = (part.start, part.start + in_file);
        while at < end {
            let len = usize::try_from(end - at).unwrap_or(BLOCK).min(piece.len());
            let count = self.read_at(buffer, at, part_mut(&mut piece, ..len))?;
            output.write_all(subunit::part(&piece, ..count))?;
            at += count as u64;
        }
        let place = |at: u64| usize::try_from(at.saturating_sub(buffer.spilled)).unwrap_or(usize::MAX);
        let rest = place(at)..place(part.end).min(buffer.tail.len());
        output.write_all(buffer.tail.get(rest).unwrap_or_default())
    }

    /// Frees the blocks of a buffer, and the disk when they were the last.
    #[cold]
    fn give_back(&mut self, buffer: &mut Spooled) {
        self.free.append(&mut buffer.blocks);
        buffer.blocks = Vec::new();
        buffer.spilled = 0;
        if self.free.len() == self.blocks as usize {
            // An empty file is a courtesy to the disk; the blocks are used again in any case.
            if let Some(Ok(())) = self.file.as_ref().map(|file| file.set_len(0)) {
                self.free = Vec::new();
                self.blocks = 0;
            }
        }
    }

    /// Moves what a buffer holds in memory to the file. What the file does not take stays in memory.
    #[cold]
    fn write_out(&mut self, buffer: &mut Spooled) -> io::Result<()> {
        let mut tail = std::mem::take(&mut buffer.tail);
        let mut written = 0;
        let result = loop {
            match self.write_block(buffer, part(&tail, written..)) {
                Ok(0) => break Ok(()),
                Ok(len) => written += len,
                Err(error) => break Err(self.no_room(&error)),
            }
        };
        self.in_memory -= written;
        if result.is_err() {
            tail.drain(..written);
            (buffer.counted, buffer.tail) = (tail.len(), tail);
        } else {
            buffer.counted = 0;
        }
        result
    }

    /// Writes as many of these bytes as fit in the block where the buffer's last ones are, or in a new one.
    fn write_block(&mut self, buffer: &mut Spooled, bytes: &[u8]) -> io::Result<usize> {
        let within = (buffer.spilled % BLOCK as u64) as usize;
        let bytes = bytes.get(..BLOCK - within).unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(0);
        }
        self.file()?;
        let full = buffer.blocks.len() as u64 * BLOCK as u64;
        if buffer.spilled == full {
            buffer.blocks.push(self.block());
        }
        let block = buffer.blocks.last().copied().unwrap_or_default();
        write_all_at(self.file()?, bytes, place(block, within))?;
        buffer.spilled += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn block(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.blocks += 1;
            self.blocks - 1
        })
    }

    fn file(&mut self) -> io::Result<&File> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(match &self.folder {
                Some(folder) => tempfile::tempfile_in(folder)?,
                None => tempfile::tempfile()?,
            })),
        }
    }

    /// Reads from the file, at most to the end of a block.
    fn read_block(&self, buffer: &Spooled, at: u64, left: u64, into: &mut [u8]) -> io::Result<usize> {
        let within = (at % BLOCK as u64) as usize;
        let len = left.min((BLOCK - within) as u64).min(into.len() as u64) as usize;
        let block = buffer.blocks.get((at / BLOCK as u64) as usize);
        let (Some(file), Some(&block)) = (self.file.as_ref(), block) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let Some(into) = into.get_mut(..len) else { return Ok(0) };
        read_exact_at(file, into, place(block, within))?;
        Ok(len)
    }

    fn no_room(&self, error: &io::Error) -> io::Error {
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let message = format!("cannot keep what has to wait in {}: {error}", folder.display());
        io::Error::new(error.kind(), message)
    }
}

impl Spooled {
    /// How many bytes there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.spilled + self.tail.len() as u64
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if all are in memory.
    #[inline]
    #[must_use]
    pub fn in_memory(&self) -> Option<&[u8]> {
        self.blocks.is_empty().then_some(self.tail.as_slice())
    }

    /// The last bytes, which are in memory: for appending to them, after which [`Spool::settle`] has to be called.
    #[inline]
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// Reads the bytes from the first on; `spool` is the one that they were given to.
    #[must_use]
    pub fn reader<'a>(&'a self, spool: &'a Spool) -> SpoolReader<'a> {
        SpoolReader { buffer: self, spool, at: 0 }
    }
}

/// Reads a [`Spooled`] from its beginning.
#[derive(Clone, Debug)]
pub struct SpoolReader<'a> {
    buffer: &'a Spooled,
    spool: &'a Spool,
    at: u64,
}

impl SpoolReader<'_> {
    /// The same, from this many bytes behind the beginning on.
    #[must_use]
    pub fn starting_at(self, at: u64) -> Self {
        SpoolReader { at, ..self }
    }
}

impl Read for SpoolReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.spool.read_at(self.buffer, self.at, into)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Where a byte of a block is in the file.
fn place(block: u32, within: usize) -> u64 {
    u64::from(block) * BLOCK as u64 + within as u64
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_exact_at(file: &File, into: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, at)
}

#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, into: &mut [u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    file.read_exact(into)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that differ from place to place.
    fn pattern(len: usize, seed: u8) -> Vec<u8> {
        (0..len).map(|at| (at / 251) as u8 ^ (at as u8) ^ seed).collect()
    }

    fn read(buffer: &Spooled, spool: &Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        buffer.reader(spool).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn check(pieces: &[usize], in_memory: bool) {
        let mut spool = Spool::default();
        let mut buffer = Spooled::default();
        let mut expected = Vec::new();
        for (seed, &len) in pieces.iter().enumerate() {
            let piece = pattern(len, seed as u8);
            spool.append(&mut buffer, &piece).unwrap();
            expected.extend(piece);
        }
        assert_eq!(buffer.len(), expected.len() as u64);
        assert_eq!(buffer.in_memory().is_some(), in_memory);
        assert!(read(&buffer, &spool) == expected);
        spool.clear(&mut buffer);
        assert_eq!((buffer.len(), spool.in_memory), (0, 0));
    }

    #[test]
    fn bytes_come_back_from_memory_and_from_the_file() {
        check(&[], true);
        check(&[5, 0, 100], true);
        check(&[IN_MEMORY], true);
        check(&[IN_MEMORY + 1], false);
        check(&[IN_MEMORY, 1, 10, BLOCK, 7], false);
        check(&[3 * IN_MEMORY + 17, 900_000, 900_000], false);
    }

    #[test]
    fn memory_is_bounded_for_all_buffers_together() {
        let mut spool = Spool::default();
        let mut buffers: Vec<Spooled> = Vec::new();
        for seed in 0..100 {
            let mut buffer = Spooled::default();
            spool.append(&mut buffer, &pattern(300_000, seed)).unwrap();
            buffers.push(buffer);
            assert!(spool.in_memory <= IN_MEMORY_TOTAL);
        }
        for (seed, buffer) in buffers.iter().enumerate() {
            assert!(read(buffer, &spool) == pattern(300_000, seed as u8));
        }
        buffers.iter_mut().for_each(|buffer| spool.clear(buffer));
        assert_eq!((spool.in_memory, spool.blocks), (0, 0));
    }

    #[test]
    fn blocks_are_used_again() {
        let mut spool = Spool::default();
        let mut first = Spooled::default();
        spool.append(&mut first, &pattern(2 * IN_MEMORY, 1)).unwrap();
        let blocks = spool.blocks;
        for seed in 0..5 {
            let mut second = Spooled::default();
            spool.append(&mut second, &pattern(2 * IN_MEMORY, seed)).unwrap();
            assert!(read(&second, &spool) == pattern(2 * IN_MEMORY, seed));
            spool.clear(&mut second);
        }
        assert_eq!(spool.blocks, 2 * blocks);
        assert!(read(&first, &spool) == pattern(2 * IN_MEMORY, 1));
    }

    #[test]
    fn every_part_of_every_buffer_comes_back() {
        let mut spool = Spool::with_limits(5000, 12_000);
        let mut buffers: Vec<Spooled> = (0..3).map(|_| Spooled::default()).collect();
        let mut expected = vec![Vec::new(); 3];
        for number in 0..60_000_u32 {
            let which = (number as usize * 7) % 3;
            let piece = vec![number as u8; number as usize % 50];
            buffers[which].tail().extend(&piece);
            expected[which].extend(piece);
            spool.settle(&mut buffers[which]).unwrap();
        }
        for (buffer, expected) in buffers.iter().zip(&expected) {
            assert!(buffer.blocks.len() > 2 && !buffer.tail.is_empty());
            for (from, to) in
                [(0, expected.len()), (100, 200_000), (65_000, 66_000), (expected.len() - 10, expected.len())]
            {
                let mut found = Vec::new();
                spool.copy(buffer, from as u64..to as u64, &mut found).unwrap();
                assert!(found == expected[from..to], "{from}..{to}");
            }
        }
    }

    #[test]
    fn the_file_is_where_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::with_limits(0, 0).in_folder(&folder.path().join("none"));
        let mut buffer = Spooled::default();
        let error = spool.append(&mut buffer, b"abc").unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
        assert_eq!(buffer.in_memory(), Some(&b"abc"[..]), "nothing is lost");
        let mut spool = Spool::with_limits(0, 0).in_folder(folder.path());
        let mut buffer = Spooled::default();
        spool.append(&mut buffer, b"abc").unwrap();
        assert_eq!((buffer.in_memory(), read(&buffer, &spool)), (None, b"abc".to_vec()));
    }
}
