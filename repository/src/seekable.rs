//! Zstandard's seekable format: independent frames, and a table of them in a skippable frame at the end. Every
//! zstd reads it; whoever knows the table reads from anywhere.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;

use subunit::part;
use zstd::bulk::{Compressor, Decompressor};

/// How much of the stream is in a frame.
pub(crate) const FRAME: usize = 256 * 1024;
const LEVEL: i32 = 3;
const SKIPPABLE: u32 = 0x184D_2A5E;
const TABLE: u32 = 0x8F92_EAB1;
/// The skippable frame's header: its magic number and its length.
const HEADER: u64 = 8;
/// What ends the table: the number of frames, a byte of flags, a magic number.
const FOOTER: u64 = 9;
/// The flag of a table with checksums.
const CHECKSUMS: u8 = 1 << 7;

/// A compressor whose frames have checksums.
pub(crate) fn compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

/// Compresses all of `input`, and says how many bytes it was.
pub(crate) fn compress(mut input: impl Read, mut output: impl Write) -> io::Result<u64> {
    let mut compressor = compressor()?;
    let mut raw = Vec::with_capacity(FRAME);
    let mut frame = Vec::with_capacity(zstd::zstd_safe::compress_bound(FRAME));
    let mut table = Vec::new();
    let mut total = 0;
    loop {
        raw.clear();
        input.by_ref().take(FRAME as u64).read_to_end(&mut raw)?;
        if raw.is_empty() {
            break;
        }
        frame.clear();
        compressor.compress_to_buffer(&raw, &mut frame)?;
        output.write_all(&frame)?;
        table.extend((frame.len() as u32).to_le_bytes());
        table.extend((raw.len() as u32).to_le_bytes());
        total += raw.len() as u64;
    }
    write_table(&table, &mut output)?;
    Ok(total)
}

fn write_table(table: &[u8], output: &mut impl Write) -> io::Result<()> {
    let frames = (table.len() / 8) as u32;
    output.write_all(&SKIPPABLE.to_le_bytes())?;
    output.write_all(&(table.len() as u32 + FOOTER as u32).to_le_bytes())?;
    output.write_all(table)?;
    output.write_all(&frames.to_le_bytes())?;
    output.write_all(&[0])?;
    output.write_all(&TABLE.to_le_bytes())
}

/// Reads a file in the seekable format, from anywhere.
pub(crate) struct Seekable {
    file: File,
    frames: Vec<Frame>,
    decompressor: Decompressor<'static>,
    compressed: Vec<u8>,
    /// The frame of which the bytes are in `raw`.
    current: Option<usize>,
    raw: Vec<u8>,
    position: u64,
}

/// Where a frame is in the file and in the stream.
#[derive(Clone, Copy, Debug)]
struct Frame {
    at: u64,
    len: u32,
    raw_at: u64,
    raw_len: u32,
}

impl Seekable {
    /// Reads the table.
    pub(crate) fn open(file: File) -> io::Result<Self> {
        let frames = read_table(&file)?;
        let decompressor = Decompressor::new()?;
        let (compressed, raw) = (Vec::new(), Vec::new());
        Ok(Seekable { file, frames, decompressor, compressed, current: None, raw, position: 0 })
    }

    /// Goes on at this byte of the stream.
    pub(crate) fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// The rest of the frame that has the next byte; empty at the end.
    fn rest(&mut self) -> io::Result<&[u8]> {
        let after = self.frames.partition_point(|frame| frame.raw_at <= self.position);
        let Some((index, frame)) = after.checked_sub(1).and_then(|at| Some((at, *self.frames.get(at)?)))
        else {
            return Ok(&[]);
        };
        let skip = self.position - frame.raw_at;
        if skip >= u64::from(frame.raw_len) {
            return Ok(&[]);
        }
        if self.current != Some(index) {
            self.load(frame)?;
            self.current = Some(index);
        }
        Ok(part(&self.raw, skip as usize..))
    }

    fn load(&mut self, frame: Frame) -> io::Result<()> {
        self.current = None;
        self.compressed.resize(frame.len as usize, 0);
        self.file.read_exact_at(&mut self.compressed, frame.at)?;
        self.raw.clear();
        self.raw.reserve(frame.raw_len as usize);
        let unpacked = self.decompressor.decompress_to_buffer(&self.compressed, &mut self.raw);
        let len = unpacked.map_err(|error| bad(&error.to_string()))?;
        if len == frame.raw_len as usize {
            Ok(())
        } else {
            Err(bad("a frame has another length than the table says"))
        }
    }
}

impl Read for Seekable {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.rest()?;
        let count = rest.read(into)?;
        self.position += count as u64;
        Ok(count)
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads the table at the end of a file, and believes nothing that does not fit.
fn read_table(file: &File) -> io::Result<Vec<Frame>> {
    let len = file.metadata()?.len();
    let footer_at = len.checked_sub(FOOTER).ok_or_else(|| bad("too short"))?;
    let mut footer = [0; FOOTER as usize];
    file.read_exact_at(&mut footer, footer_at)?;
    let [a, b, c, d, flags, magic @ ..] = footer;
    if u32::from_le_bytes(magic) != TABLE {
        return Err(bad("the end is missing"));
    }
    let count = u64::from(u32::from_le_bytes([a, b, c, d]));
    let entry = if flags & CHECKSUMS == 0 { 8 } else { 12 };
    let table_at = footer_at.checked_sub(count * entry).ok_or_else(|| bad("the table is too long"))?;
    let data_end = table_at.checked_sub(HEADER).ok_or_else(|| bad("the table is too long"))?;
    let mut table = vec![0; (count * entry) as usize];
    file.read_exact_at(&mut table, table_at)?;
    let mut frames = Vec::with_capacity(count as usize);
    let (mut at, mut raw_at) = (0, 0);
    for entry in table.chunks_exact(entry as usize) {
        let [a, b, c, d, e, f, g, h, ..] = *entry else { continue };
        let (len, raw_len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        if raw_len == 0 {
            return Err(bad("a frame is empty"));
        }
        if raw_len as usize > FRAME || len as usize > zstd::zstd_safe::compress_bound(FRAME) {
            return Err(bad("a frame is longer than any we write"));
        }
        frames.push(Frame { at, len, raw_at, raw_len });
        at += u64::from(len);
        raw_at += u64::from(raw_len);
    }
    if at == data_end { Ok(frames) } else { Err(bad("the table does not fit the frames")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at / 7 % 251) as u8).collect()
    }

    fn compressed(raw: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(compress(raw, &mut file).unwrap(), raw.len() as u64);
        file
    }

    fn check_round_trip(len: usize) {
        let raw = stream(len);
        let mut seekable = Seekable::open(compressed(&raw)).unwrap();
        let mut read = Vec::new();
        seekable.read_to_end(&mut read).unwrap();
        assert!(read == raw);
    }

    #[test]
    fn what_is_compressed_is_read_back() {
        for len in [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 5] {
            check_round_trip(len);
        }
    }

    #[test]
    fn reading_starts_anywhere() {
        let raw = stream(3 * FRAME);
        let mut seekable = Seekable::open(compressed(&raw)).unwrap();
        for at in [2 * FRAME + 9, 0, FRAME - 1, 3 * FRAME - 1] {
            seekable.seek(at as u64);
            let mut byte = [0];
            seekable.read_exact(&mut byte).unwrap();
            assert_eq!(byte[0], raw[at]);
        }
        seekable.seek(4 * FRAME as u64);
        assert_eq!(seekable.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn any_zstd_reads_the_file() {
        let raw = stream(FRAME + 100);
        let mut file = Vec::new();
        compress(&*raw, &mut file).unwrap();
        assert!(zstd::stream::decode_all(&*file).unwrap() == raw);
    }

    #[test]
    fn a_cut_file_is_refused() {
        let file = compressed(&stream(FRAME * 2));
        let len = file.metadata().unwrap().len();
        for cut in [1, 8, 9, 20, len - 1, len] {
            file.set_len(len - cut).unwrap();
            assert!(Seekable::open(file.try_clone().unwrap()).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let raw = stream(5000);
        let file = compressed(&raw);
        let len = file.metadata().unwrap().len();
        for at in 0..len {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 4], at).unwrap();
            let mut read = Vec::new();
            let outcome =
                Seekable::open(file.try_clone().unwrap()).and_then(|mut all| all.read_to_end(&mut read));
            // The skippable frame's header alone is not looked at.
            assert!(outcome.is_err() || read == raw, "{at}");
            file.write_all_at(&byte, at).unwrap();
        }
    }
}
