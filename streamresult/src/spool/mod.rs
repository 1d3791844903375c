//! Bytes that wait: in memory while they are few, in a temporary file beyond.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use subunit::{part, part_mut};

use crate::positional::PositionalFile;

/// Bytes of one buffer that stay in memory, unless said otherwise.
pub(crate) const IN_MEMORY: usize = 1 << 20;
/// Bytes of all buffers together that stay in memory, unless said otherwise.
pub(crate) const IN_MEMORY_TOTAL: usize = 8 << 20;
/// The temporary file is given out in blocks of this many bytes, which is what file systems give out: where a million
/// tests have a few lines each, the file is not much longer than these.
const BLOCK: usize = 4 << 10;
/// So much is read and written at a time, where blocks follow each other.
const PIECE: usize = 64 << 10;
/// A buffer of at most this many bytes is not worth a block of the file.
const SMALL: usize = 1 << 10;
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
    file: Option<PositionalFile>,
    /// Where the file is made, if it is not to be in the folder of temporary files.
    folder: Option<PathBuf>,
    /// Blocks of the file that are free again.
    free: Vec<u32>,
    /// How many blocks the file has.
    blocks: u32,
    in_memory: usize,
    /// So many bytes of one buffer, and of all, stay in memory.
    limits: (usize, usize),
    /// With more than this in memory, room is made: the limit of all, or more where small buffers fill it.
    sweep_beyond: usize,
    /// Whether the file takes no more.
    is_full: bool,
    /// Why it took no more, the first time.
    failure: Option<String>,
    /// How many bytes were not taken for that.
    left_out: u64,
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
        Spool {
            file: None,
            folder: None,
            free: Vec::new(),
            blocks: 0,
            in_memory: 0,
            limits: (one, all),
            sweep_beyond: all,
            is_full: false,
            failure: None,
            left_out: 0,
        }
    }

    /// The same, with its file in this folder.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Spool { folder: Some(folder.to_owned()), ..self }
    }

    /// Adds bytes at the end of a buffer. It is moved to the file where it is longer than one may be, or all together
    /// are.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be written. What it did not take stays in memory, and so does what comes later:
    /// [`takes`](Spool::takes) says how long that is within the limits.
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

    /// Adds bytes at the end of a buffer, which is moved to the file where it is longer than one may be. Whether all
    /// together are too long is for [`is_over`](Spool::is_over) and [`make_room`](Spool::make_room).
    #[inline]
    pub(crate) fn add(&mut self, to: &mut Spooled, bytes: &[u8]) {
        to.tail.extend_from_slice(bytes);
        to.counted += bytes.len();
        self.in_memory += bytes.len();
        if to.counted > self.limits.0 {
            // What the file does not take stays in memory, and `failure` says why.
            let _ = self.write_out(to);
        }
    }

    /// Whether so much is in memory that room has to be made.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.in_memory > self.sweep_beyond
    }

    /// Moves buffers to the file, the longest first, until half of what may be in memory is there. Small ones stay.
    #[cold]
    pub(crate) fn make_room<'b>(&mut self, buffers: impl Iterator<Item = &'b mut Spooled>) {
        let (_, all) = self.limits;
        let mut long: Vec<&mut Spooled> = buffers.filter(|buffer| buffer.counted > SMALL).collect();
        long.sort_unstable_by_key(|buffer| std::cmp::Reverse(buffer.counted));
        for buffer in long {
            if self.in_memory <= all / 2 || self.write_out(buffer).is_err() {
                break;
            }
        }
        // Where small ones fill it, this is not done again for each of them.
        self.sweep_beyond = all.max(self.in_memory.saturating_mul(2));
    }

    /// Whether there is room for this many bytes more of a buffer: always, unless the file takes no more. Then there
    /// is as much as all may have in memory, and a little for each.
    #[inline]
    #[must_use]
    pub fn takes(&self, buffer: &Spooled, more: usize) -> bool {
        !self.is_full || self.takes_in_memory(buffer, more)
    }

    #[cold]
    fn takes_in_memory(&self, buffer: &Spooled, more: usize) -> bool {
        let (_, all) = self.limits;
        buffer.counted.saturating_add(more) <= SMALL || self.in_memory.saturating_add(more) <= all
    }

    /// Notes that this many bytes were left out, because [`takes`](Spool::takes) did not hold for them.
    pub fn leave_out(&mut self, count: usize) {
        self.left_out += count as u64;
    }

    /// How many bytes were left out for want of room.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Why the file could not be written, and where it was to be, if that has ever happened.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Empties a buffer.
    pub fn clear(&mut self, buffer: &mut Spooled) {
        self.in_memory -= buffer.counted;
        self.sweep_beyond = self.sweep_beyond.min(self.limits.1.max(self.in_memory.saturating_mul(2)));
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
                let at = usize::try_from(at.saturating_sub(buffer.spilled)).unwrap_or(usize::MAX);
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
        let mut piece = vec![0; usize::try_from(in_file).unwrap_or(PIECE).min(PIECE)];
        let (mut at, end) = (part.start, part.start + in_file);
        while at < end {
            let len = usize::try_from(end - at).unwrap_or(PIECE).min(piece.len());
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
                self.is_full = false;
            }
        }
    }

    /// Moves what a buffer holds in memory to the file. What the file does not take stays in memory.
    #[cold]
    fn write_out(&mut self, buffer: &mut Spooled) -> io::Result<()> {
        if self.is_full && self.free.is_empty() {
            // It is not asked again for each piece.
            let message = self.failure.clone().unwrap_or_default();
            return Err(io::Error::new(io::ErrorKind::StorageFull, message));
        }
        let mut tail = std::mem::take(&mut buffer.tail);
        let mut written = 0;
        let result = loop {
            let rest = part(&tail, written..);
            // Where there is no room for many, there may be for one.
            let many = self.write_blocks(buffer, rest).unwrap_or_default();
            match if many > 0 { Ok(many) } else { self.write_block(buffer, rest) } {
                Ok(0) => break Ok(()),
                Ok(len) => written += len,
                Err(error) => break Err(self.note_no_room(&error)),
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

    /// Writes whole blocks that follow each other, if the buffer's last one is full and none is free.
    fn write_blocks(&mut self, buffer: &mut Spooled, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE) / BLOCK;
        if count == 0 || buffer.spilled % BLOCK as u64 != 0 || !self.free.is_empty() {
            return Ok(0);
        }
        let (first, len) = (self.blocks, count * BLOCK);
        self.file()?.write_all_at(part(bytes, ..len), place(first, 0))?;
        self.blocks += count as u32;
        buffer.blocks.extend(first..self.blocks);
        buffer.spilled += len as u64;
        Ok(len)
    }

    /// Writes as many of these bytes as fit in the block where the buffer's last ones are, or in a new one.
    fn write_block(&mut self, buffer: &mut Spooled, bytes: &[u8]) -> io::Result<usize> {
        let within = (buffer.spilled % BLOCK as u64) as usize;
        let bytes = bytes.get(..BLOCK - within).unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(0);
        }
        let begun = (buffer.spilled < buffer.blocks.len() as u64 * BLOCK as u64)
            .then(|| buffer.blocks.last().copied())
            .flatten();
        // Blocks that were given back have their room on the disk.
        let (block, is_new) = match begun.or_else(|| self.free.pop()) {
            Some(block) => (block, false),
            None => (self.blocks, true),
        };
        let written = self.file().and_then(|file| file.write_all_at(bytes, place(block, within)));
        match (&written, begun.is_some()) {
            (Ok(()), false) => {
                self.blocks += u32::from(is_new);
                buffer.blocks.push(block);
            }
            (Err(_), false) if !is_new => self.free.push(block),
            _ => {}
        }
        written?;
        buffer.spilled += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn file(&mut self) -> io::Result<&PositionalFile> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(PositionalFile::new(temporary_file(self.folder.as_deref())?))),
        }
    }

    /// Reads from the file, at most to the end of blocks that follow each other.
    fn read_block(&self, buffer: &Spooled, at: u64, left: u64, into: &mut [u8]) -> io::Result<usize> {
        let within = (at % BLOCK as u64) as usize;
        let wanted = left.min(into.len() as u64) as usize;
        let mut blocks = part(&buffer.blocks, (at / BLOCK as u64) as usize..).iter();
        let (Some(file), Some(&block)) = (self.file.as_ref(), blocks.next()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let mut len = BLOCK - within;
        let mut following = blocks.zip(block + 1..).take_while(|(other, next)| *other == next);
        while len < wanted && following.next().is_some() {
            len += BLOCK;
        }
        let len = len.min(wanted);
        let Some(into) = into.get_mut(..len) else { return Ok(0) };
        file.read_exact_at(into, place(block, within))?;
        Ok(len)
    }

    fn note_no_room(&mut self, error: &io::Error) -> io::Error {
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let message = format!("cannot keep what has to wait in {}: {error}", folder.display());
        self.is_full = true;
        self.failure.get_or_insert_with(|| message.clone());
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

    /// The bytes of a part, as far as there is one; they are borrowed where they are in memory.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn part<'a>(&'a self, part: Range<u64>, spool: &Spool) -> io::Result<Cow<'a, [u8]>> {
        let end = part.end.min(self.len());
        let start = part.start.min(end);
        if start >= self.spilled {
            let place = |at: u64| usize::try_from(at - self.spilled).unwrap_or(usize::MAX);
            return Ok(Cow::Borrowed(subunit::part(&self.tail, place(start)..place(end))));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        spool.copy(self, start..end, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    /// The last bytes, which are in memory: for appending to them, after which [`Spool::settle`] has to be called.
    #[inline]
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// How many bytes were added by [`tail`](Spooled::tail) and not settled yet.
    #[inline]
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.tail.len() - self.counted
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

impl Seek for SpoolReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.buffer.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a place before the first byte was asked for")
        })?;
        Ok(self.at)
    }
}

/// Where a byte of a block is in the file.
fn place(block: u32, within: usize) -> u64 {
    u64::from(block) * BLOCK as u64 + within as u64
}

#[cfg(feature = "spill")]
fn temporary_file(folder: Option<&Path>) -> io::Result<File> {
    folder.map_or_else(tempfile::tempfile, tempfile::tempfile_in)
}

#[cfg(not(feature = "spill"))]
fn temporary_file(_: Option<&Path>) -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this program makes no temporary files (feature `spill`)"))
}
