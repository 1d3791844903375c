//! Bytes that wait: in memory while they are few, in a temporary file beyond.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes of one buffer that stay in memory.
pub(crate) const IN_MEMORY: usize = 1 << 20;
/// Bytes of all buffers together that stay in memory.
const IN_MEMORY_TOTAL: usize = 8 << 20;
/// The temporary file is given out in blocks of this many bytes.
const BLOCK: usize = 64 << 10;
/// An empty buffer keeps this much room.
const KEPT: usize = 16 << 10;

/// The temporary file that the buffers of one owner share, and what they hold in memory.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    file: Option<File>,
    /// Blocks of the file that are free again.
    free: Vec<u32>,
    /// How many blocks the file has.
    blocks: u32,
    in_memory: usize,
}

/// Bytes in order of arrival. It must be cleared by the [`Spill`] that it was filled by.
#[derive(Debug, Default)]
pub(crate) struct SpillBuf {
    /// Where the first bytes are in the file, if they are there.
    blocks: Vec<u32>,
    spilled: u64,
    /// The bytes after those.
    tail: Vec<u8>,
}

impl Spill {
    /// Adds bytes at the end of a buffer.
    pub(crate) fn append(&mut self, to: &mut SpillBuf, bytes: &[u8]) -> io::Result<()> {
        to.tail.extend_from_slice(bytes);
        self.in_memory += bytes.len();
        if to.tail.len() > IN_MEMORY || self.in_memory > IN_MEMORY_TOTAL {
            self.write_out(to)
        } else {
            Ok(())
        }
    }

    /// Empties a buffer.
    pub(crate) fn clear(&mut self, buffer: &mut SpillBuf) {
        self.in_memory -= buffer.tail.len();
        buffer.tail.clear();
        buffer.tail.shrink_to(KEPT);
        if !buffer.blocks.is_empty() {
            self.give_back(buffer);
        }
    }

    /// Frees the blocks of a buffer, and the disk when they were the last.
    #[cold]
    fn give_back(&mut self, buffer: &mut SpillBuf) {
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
    fn write_out(&mut self, buffer: &mut SpillBuf) -> io::Result<()> {
        let mut tail = std::mem::take(&mut buffer.tail);
        let mut written = 0;
        let result = loop {
            match self.write_block(buffer, tail.get(written..).unwrap_or_default()) {
                Ok(0) => break Ok(()),
                Ok(len) => written += len,
                Err(error) => break Err(no_room(error)),
            }
        };
        self.in_memory -= written;
        if result.is_err() {
            tail.drain(..written);
            buffer.tail = tail;
        }
        result
    }

    /// Writes as many of these bytes as fit in the block where the buffer's last ones are, or in a new one.
    fn write_block(&mut self, buffer: &mut SpillBuf, bytes: &[u8]) -> io::Result<usize> {
        let within = (buffer.spilled % BLOCK as u64) as usize;
        let bytes = bytes.get(..BLOCK - within).unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(0);
        }
        let full = buffer.blocks.len() as u64 * BLOCK as u64;
        if buffer.spilled == full {
            buffer.blocks.push(self.block());
        }
        let block = buffer.blocks.last().copied().unwrap_or_default();
        self.write_at(place(block, within), bytes)?;
        buffer.spilled += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn block(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.blocks += 1;
            self.blocks - 1
        })
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }
}

impl SpillBuf {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.spilled + self.tail.len() as u64
    }

    /// The bytes, if all are in memory.
    pub(crate) fn in_memory(&self) -> Option<&[u8]> {
        self.blocks.is_empty().then_some(self.tail.as_slice())
    }

    /// Reads the bytes from the first on; `spill` is the one that they were added by.
    pub(crate) fn reader<'a>(&'a self, spill: &'a Spill) -> SpillReader<'a> {
        SpillReader { buffer: self, spill, at: 0 }
    }
}

/// Reads a [`SpillBuf`].
#[derive(Clone, Debug)]
pub(crate) struct SpillReader<'a> {
    buffer: &'a SpillBuf,
    spill: &'a Spill,
    at: u64,
}

impl Read for SpillReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match self.buffer.spilled.checked_sub(self.at) {
            Some(left) if left > 0 => self.read_block(into, left)?,
            _ => {
                let at = (self.at - self.buffer.spilled) as usize;
                self.buffer.tail.get(at..).unwrap_or_default().read(into)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl SpillReader<'_> {
    /// Reads from the file, at most to the end of a block.
    fn read_block(&self, into: &mut [u8], left: u64) -> io::Result<usize> {
        let within = (self.at % BLOCK as u64) as usize;
        let len = left.min((BLOCK - within) as u64).min(into.len() as u64) as usize;
        let block = self.buffer.blocks.get((self.at / BLOCK as u64) as usize);
        let (Some(mut file), Some(&block)) = (self.spill.file.as_ref(), block) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        file.seek(SeekFrom::Start(place(block, within)))?;
        let Some(into) = into.get_mut(..len) else { return Ok(0) };
        file.read_exact(into)?;
        Ok(len)
    }
}

/// Where a byte of a block is in the file.
fn place(block: u32, within: usize) -> u64 {
    u64::from(block) * BLOCK as u64 + within as u64
}

fn no_room(error: io::Error) -> io::Error {
    let place = std::env::temp_dir();
    io::Error::new(error.kind(), format!("cannot keep an attachment in {}: {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that differ from place to place.
    fn pattern(len: usize, seed: u8) -> Vec<u8> {
        (0..len).map(|at| (at / 251) as u8 ^ (at as u8) ^ seed).collect()
    }

    fn read(buffer: &SpillBuf, spill: &Spill) -> Vec<u8> {
        let mut bytes = Vec::new();
        buffer.reader(spill).read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn check(pieces: &[usize], in_memory: bool) {
        let mut spill = Spill::default();
        let mut buffer = SpillBuf::default();
        let mut expected = Vec::new();
        for (seed, &len) in pieces.iter().enumerate() {
            let piece = pattern(len, seed as u8);
            spill.append(&mut buffer, &piece).unwrap();
            expected.extend(piece);
        }
        assert_eq!(buffer.len(), expected.len() as u64);
        assert_eq!(buffer.in_memory().is_some(), in_memory);
        assert!(read(&buffer, &spill) == expected);
        spill.clear(&mut buffer);
        assert_eq!((buffer.len(), spill.in_memory), (0, 0));
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
        let mut spill = Spill::default();
        let mut buffers: Vec<SpillBuf> = Vec::new();
        for seed in 0..100 {
            let mut buffer = SpillBuf::default();
            spill.append(&mut buffer, &pattern(300_000, seed)).unwrap();
            buffers.push(buffer);
            assert!(spill.in_memory <= IN_MEMORY_TOTAL);
        }
        for (seed, buffer) in buffers.iter().enumerate() {
            assert!(read(buffer, &spill) == pattern(300_000, seed as u8));
        }
        buffers.iter_mut().for_each(|buffer| spill.clear(buffer));
        assert_eq!((spill.in_memory, spill.blocks), (0, 0));
    }

    #[test]
    fn blocks_are_used_again() {
        let mut spill = Spill::default();
        let mut first = SpillBuf::default();
        spill.append(&mut first, &pattern(2 * IN_MEMORY, 1)).unwrap();
        let blocks = spill.blocks;
        for seed in 0..5 {
            let mut second = SpillBuf::default();
            spill.append(&mut second, &pattern(2 * IN_MEMORY, seed)).unwrap();
            assert!(read(&second, &spill) == pattern(2 * IN_MEMORY, seed));
            spill.clear(&mut second);
        }
        assert_eq!(spill.blocks, 2 * blocks);
        assert!(read(&first, &spill) == pattern(2 * IN_MEMORY, 1));
    }
}
