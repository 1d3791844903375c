//! What cannot be written yet: long streams of bytes, in one temporary file.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes of all streams together that wait in memory.
const WAITING: usize = 4 << 20;
/// Bytes of one stream that wait in memory, when there are few.
const TAIL: usize = 64 << 10;
const SHORTEST_TAIL: usize = 1 << 10;

/// The file that streams share.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    file: Option<File>,
    len: u64,
    streams: usize,
}

/// Bytes in order, some of them in the spool. One who appends to `tail` calls [`Spool::settle`] now and then.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Where the bytes before `tail` are.
    chunks: Vec<Chunk>,
    spooled: u64,
    pub(crate) tail: Vec<u8>,
}

/// Bytes that lie together: up to the next chunk's start.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// The place in the stream.
    start: u64,
    /// The place in the file.
    at: u64,
}

impl Stream {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.spooled + self.tail.len() as u64
    }
}

impl Spool {
    /// A new stream.
    pub(crate) fn stream(&mut self) -> Stream {
        self.streams += 1;
        Stream::default()
    }

    /// Moves bytes to the file when many wait.
    #[inline]
    pub(crate) fn settle(&mut self, stream: &mut Stream) -> io::Result<()> {
        let limit = (WAITING / self.streams.max(1)).clamp(SHORTEST_TAIL, TAIL);
        if stream.tail.len() < limit { Ok(()) } else { self.write_out(stream).map_err(no_room) }
    }

    fn write_out(&mut self, stream: &mut Stream) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all_at(&stream.tail, self.len)?;
        let follows =
            stream.chunks.last().is_some_and(|last| last.at + (stream.spooled - last.start) == self.len);
        if !follows {
            stream.chunks.push(Chunk { start: stream.spooled, at: self.len });
        }
        self.len += stream.tail.len() as u64;
        stream.spooled += stream.tail.len() as u64;
        stream.tail.clear();
        stream.tail.shrink_to(TAIL);
        Ok(())
    }

    /// Writes a part of a stream to `output`.
    pub(crate) fn copy(&self, stream: &Stream, range: Range<u64>, output: &mut dyn Write) -> io::Result<()> {
        let mut buffer =
            vec![0; (range.end.min(stream.spooled).saturating_sub(range.start) as usize).min(TAIL)];
        let mut at = range.start;
        while at < range.end.min(stream.spooled) {
            let place = self.place(stream, at, range.end)?;
            let len = (place.end - place.start).min(buffer.len() as u64) as usize;
            let part = buffer.get_mut(..len).unwrap_or_default();
            self.read(part, place.start)?;
            output.write_all(part)?;
            at += len as u64;
        }
        let from = at.saturating_sub(stream.spooled) as usize;
        let to = range.end.saturating_sub(stream.spooled) as usize;
        output.write_all(stream.tail.get(from..to).unwrap_or_default())
    }

    /// Where in the file the bytes from `at` on are, as far as they lie together, and up to `end`.
    fn place(&self, stream: &Stream, at: u64, end: u64) -> io::Result<Range<u64>> {
        let after = stream.chunks.partition_point(|chunk| chunk.start <= at);
        let next = stream.chunks.get(after).map_or(stream.spooled, |chunk| chunk.start).min(end);
        let chunk =
            after.checked_sub(1).and_then(|at| stream.chunks.get(at)).ok_or(io::ErrorKind::UnexpectedEof)?;
        let start = chunk.at + (at - chunk.start);
        Ok(start..start + (next - at))
    }

    fn read(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?.read_exact_at(into, at)
    }
}

fn no_room(error: io::Error) -> io::Error {
    let folder = std::env::temp_dir();
    io::Error::new(error.kind(), format!("cannot keep the report in {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_every_stream_comes_back() {
        let mut spool = Spool::default();
        let mut streams: Vec<Stream> = (0..3).map(|_| spool.stream()).collect();
        let mut expected = vec![Vec::new(); 3];
        for number in 0..60_000_u32 {
            let which = (number as usize * 7) % 3;
            let piece = vec![number as u8; number as usize % 50];
            streams[which].tail.extend(&piece);
            expected[which].extend(piece);
            spool.settle(&mut streams[which]).unwrap();
        }
        for (stream, expected) in streams.iter().zip(&expected) {
            assert!(stream.chunks.len() > 2 && !stream.tail.is_empty());
            for (from, to) in
                [(0, expected.len()), (100, 200_000), (65_000, 66_000), (expected.len() - 10, expected.len())]
            {
                let mut found = Vec::new();
                spool.copy(stream, from as u64..to as u64, &mut found).unwrap();
                assert!(found == expected[from..to], "{from}..{to}");
            }
        }
    }

    #[test]
    fn few_bytes_need_no_file() {
        let mut spool = Spool::default();
        let mut stream = spool.stream();
        stream.tail.extend(b"abc");
        spool.settle(&mut stream).unwrap();
        let mut found = Vec::new();
        spool.copy(&stream, 1..3, &mut found).unwrap();
        assert_eq!((&*found, spool.file.is_none()), (&b"bc"[..], true));
    }
}
