//! Streams over [`std::io`]: a [`Reader`] of frames and a [`Writer`] of packets.

use std::io::{self, IoSlice, Read, Write};

use crate::chunks::chunks;
use crate::decode::{Decoder, Found, Frame, InputEnd};
use crate::encode::encode;
use crate::error::EncodeError;
use crate::event::Event;
use crate::packet::Packet;
use crate::part::{part, part_mut};
use crate::reroute::RoutePrefix;

/// How much is read or written at a time, unless a packet is longer.
const BUFFER: usize = 64 * 1024;
/// How much of a longer packet is read at a time.
const PIECE: usize = 128 * 1024;
/// The size of a page of memory.
const PAGE: usize = 4096;

/// Reads the frames of a stream.
///
/// [`next_frame`](Reader::next_frame) is all that a program needs if it keeps what it reads. One that hands it on
/// is live: it takes what has come, flushes, and only then waits. That loop is [`each`](Reader::each):
///
/// ```
/// use std::io::{Write, stdout};
///
/// use subunit::io::Reader;
///
/// let stream: &[u8] = b"text \xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// Reader::new(stream).each(
///     &mut stdout(),
///     |out, frame, offset| writeln!(out, "{offset}: {frame:?}"),
///     |out| out.flush(),
/// )?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// The bytes read and not consumed are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// How many bytes complete the packet under way.
    missing: usize,
    eof: bool,
}

impl<R: Read> Reader<R> {
    /// A reader at the start of a stream. It has a buffer of its own.
    pub fn new(inner: R) -> Self {
        let buffer = Vec::new();
        Reader { inner, decoder: Decoder::new(), buffer, start: 0, end: 0, missing: 1, eof: false }
    }

    /// The next frame, or `None` at the end of the stream; waits for it as long as it takes.
    ///
    /// # Errors
    ///
    /// When reading fails. Damage is a [`Frame::Corrupt`], not an error.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        loop {
            let found = self.find(false);
            match found {
                Found::End => return Ok(None),
                Found::NeedMore(_) => self.fill()?,
                _ => return Ok(self.take(found)),
            };
        }
    }

    /// Reads to the end, and never holds back what has come: takes all frames of the bytes that were read, each
    /// with its position in the stream, then flushes, and only then reads on, which may block.
    ///
    /// Both closures are handed `out`, which is where the frames go.
    ///
    /// # Errors
    ///
    /// When reading fails, or a closure does; what came before has been taken then, and was flushed before the read.
    #[inline]
    pub fn each<T, E>(
        &mut self,
        out: &mut T,
        mut take: impl FnMut(&mut T, Frame<'_>, u64) -> Result<(), E>,
        mut flush: impl FnMut(&mut T) -> Result<(), E>,
    ) -> Result<(), E>
    where
        T: ?Sized,
        E: From<io::Error>,
    {
        loop {
            let offset = self.offset();
            if let Some(frame) = self.buffered_frame() {
                take(out, frame, offset)?;
                continue;
            }
            flush(out)?;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next frame of the bytes that were read; `None` when it takes more of them, or at the end.
    #[inline]
    pub fn buffered_frame(&mut self) -> Option<Frame<'_>> {
        let found = self.find(false);
        self.take(found)
    }

    /// The next frame, when waiting for more was in vain: see [`Decoder::give_up`].
    pub fn give_up(&mut self) -> Option<Frame<'_>> {
        let found = self.find(true);
        self.take(found)
    }

    /// Whether bytes were read that are in no frame yet, because the packet they begin is not complete.
    pub fn is_waiting(&self) -> bool {
        self.start < self.end
    }

    /// Reads once, which may block. `false` when the end was reached before, so that no frame can follow.
    ///
    /// # Errors
    ///
    /// When reading fails; an interrupted read is tried again.
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.eof {
            return Ok(false);
        }
        let wanted = self.make_room();
        let room = part_mut(&mut self.buffer, self.end..self.end + wanted);
        let count = loop {
            match self.inner.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += count.min(wanted);
        self.eof = count == 0;
        Ok(true)
    }

    /// The position in the stream of the next frame, in bytes.
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// The source of the stream.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The source of the stream. What is read from it is not part of the stream any more.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The source of the stream; what was read from it and is in no frame yet is lost.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Makes room for the next read and says how much is wanted: what completes a long packet and no more, so
    /// that little is left to move; in pieces that are still in the cache when they are summed; and never much
    /// more than has come, whatever a packet claims.
    fn make_room(&mut self) -> usize {
        let held = self.end - self.start;
        let wanted = self.missing.clamp(BUFFER, PIECE.min(BUFFER.max(held)));
        if held == 0 || self.end + wanted > self.buffer.len() {
            let room = PAGE + held + wanted;
            if room > self.buffer.len() {
                self.buffer.resize(room.max(2 * held), 0);
            }
            let start = self.aligned_start();
            self.buffer.copy_within(self.start..self.end, start);
            (self.start, self.end) = (start, start + held);
        }
        wanted
    }

    /// Where in the buffer the next frame's bytes have the place in their page that they have in a file. Then
    /// the kernel copies pages to pages; other places can take it five times as long.
    fn aligned_start(&self) -> usize {
        (self.decoder.offset() as usize).wrapping_sub(self.buffer.as_ptr().addr()) % PAGE
    }

    #[inline]
    fn find(&mut self, give_up: bool) -> Found {
        let input = part(&self.buffer, self.start..self.end);
        let ending = match (self.eof, give_up) {
            (true, _) => InputEnd::Eof,
            (false, true) => InputEnd::Stalled,
            (false, false) => InputEnd::Open,
        };
        let found = self.decoder.find(input, ending);
        if let Found::NeedMore(missing) = found {
            self.missing = missing;
        }
        found
    }

    #[inline]
    fn take(&mut self, found: Found) -> Option<Frame<'_>> {
        let start = self.start;
        self.start += found.len();
        self.decoder.frame(found, part(&self.buffer, start..self.end))
    }
}

/// Writes packets, buffered. Flush it when nothing more comes for now; dropping it flushes too, also while its thread
/// panics, but cannot tell when that fails.
///
/// ```
/// use subunit::io::Writer;
/// use subunit::{Event, Status};
///
/// let mut writer = Writer::new(Vec::new());
/// writer.write(&Event::status("foo", Status::Exists))?;
/// assert_eq!(writer.into_inner()?, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<W: Write> {
    /// There until `into_inner` takes it.
    inner: Option<W>,
    buffer: Vec<u8>,
    /// Whether the last bytes are text without a newline at its end.
    is_in_line: bool,
    /// Whether the target is being called: a panic that comes out of it leaves this true.
    is_writing: bool,
}

impl<W: Write> Writer<W> {
    /// A writer of a new stream, or of the rest of one.
    pub fn new(inner: W) -> Self {
        Writer {
            inner: Some(inner),
            buffer: Vec::with_capacity(2 * BUFFER),
            is_in_line: false,
            is_writing: false,
        }
    }

    /// Writes an event as a packet, or as several when its file does not fit in one.
    ///
    /// # Errors
    ///
    /// When writing fails, or (as [`EncodeError`]) when the event cannot be written.
    pub fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.is_in_line = false;
        match encode(event, &mut self.buffer) {
            Ok(()) => self.spill(),
            Err(EncodeError::TooLong(_)) => chunks(event)?.try_for_each(|piece| self.write(&piece)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a packet as it is.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write_packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.write_packets(packet.as_bytes())
    }

    /// Writes packets as they are, of which these are all bytes.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write_packets(&mut self, packets: &[u8]) -> io::Result<()> {
        self.is_in_line = false;
        self.append(packets)
    }

    /// Writes a packet with a route code before its own; in several packets where it would get too long.
    ///
    /// # Errors
    ///
    /// When writing fails, or the packet would be too long and has no file that could be cut.
    pub fn write_routed(&mut self, packet: &Packet<'_>, prefix: &mut RoutePrefix) -> io::Result<()> {
        self.is_in_line = false;
        if packet.as_bytes().len() < BUFFER {
            prefix.append(packet, &mut self.buffer)?;
            return self.spill();
        }
        match prefix.parts(packet) {
            Ok(parts) => self.write_parts(parts),
            Err(_) => self.write(&prefix.event(&packet.event())),
        }
    }

    /// Writes bytes that are not a packet, such as text between packets.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.is_in_line = bytes.last().map_or(self.is_in_line, |last| *last != b'\n');
        self.append(bytes)
    }

    /// Writes the bytes of a [`Frame::Corrupt`], which stood within a line of text or did not. It begins a line where
    /// it did so before and what stood between was left out: behind text, readers take some damage for text.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write_damage(&mut self, bytes: &[u8], was_in_line: bool) -> io::Result<()> {
        if self.is_in_line && !was_in_line {
            self.buffer.push(b'\n');
        }
        self.is_in_line = false;
        self.append(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() >= BUFFER {
            return self.write_parts([bytes, &[], &[]]);
        }
        self.buffer.extend_from_slice(bytes);
        self.spill()
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_parts([&[]; 3])?;
        self.is_writing = true;
        let flushed = self.inner.as_mut().map_or(Ok(()), W::flush);
        self.is_writing = false;
        flushed
    }

    /// Where the stream goes. What is buffered is not there yet.
    pub fn get_ref(&self) -> &W {
        match &self.inner {
            Some(inner) => inner,
            None => unreachable!("only into_inner takes it, and the writer with it"),
        }
    }

    /// Where the stream goes. What is written there comes before what is buffered.
    pub fn get_mut(&mut self) -> &mut W {
        match &mut self.inner {
            Some(inner) => inner,
            None => unreachable!("only into_inner takes it, and the writer with it"),
        }
    }

    /// Flushes, and gives back where the stream went.
    ///
    /// # Errors
    ///
    /// When flushing fails; then the target is lost with what it did not take.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.flush()?;
        self.inner.take().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Writes the buffer once it is long.
    #[inline]
    fn spill(&mut self) -> io::Result<()> {
        if self.buffer.len() < BUFFER { Ok(()) } else { self.write_parts([&[]; 3]) }
    }

    /// Writes the buffer and these parts after it, which are not copied. What fails to be written is not
    /// tried again.
    fn write_parts(&mut self, [head, middle, tail]: [&[u8]; 3]) -> io::Result<()> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        self.is_writing = true;
        let written = write_all_vectored(inner, [&self.buffer, head, middle, tail]);
        self.is_writing = false;
        self.buffer.clear();
        written
    }
}

impl<W: Write> Drop for Writer<W> {
    fn drop(&mut self) {
        // Nobody can be told of a failure here. What a panic has cut off in the middle of a write is not written again;
        // any other panic, such as that of the test that this thread runs, is no reason to lose what it said.
        if !self.is_writing {
            let _ = self.flush();
        }
    }
}

/// Writes parts one after the other, without copying them together.
fn write_all_vectored<W: Write>(out: &mut W, parts: [&[u8]; 4]) -> io::Result<()> {
    let mut slices = parts.map(IoSlice::new);
    let mut slices = &mut slices[..];
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        let written = match slices {
            [only] => out.write(only),
            _ => out.write_vectored(slices),
        };
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut slices, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_PACKET, PacketBuf, Status};

    /// Takes bytes, and panics at the first flush if it is to.
    struct Target<'a>(&'a std::sync::Mutex<Vec<u8>>, bool);

    impl Write for Target<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            assert!(!self.1, "the target panics");
            Ok(())
        }
    }

    /// What has come out of a writer whose thread panicked, in its own code or in that of the target.
    fn written_at_panic(in_target: bool) -> Vec<u8> {
        let written = std::sync::Mutex::new(Vec::new());
        let ended = std::thread::scope(|scope| {
            let test = || {
                let mut writer = Writer::new(Target(&written, in_target));
                writer.write(&Event::status("a", Status::InProgress)).unwrap();
                if in_target {
                    writer.flush().unwrap();
                }
                panic!("the test panics");
            };
            scope.spawn(test).join()
        });
        assert!(ended.is_err());
        written.into_inner().unwrap_or_default()
    }

    #[test]
    fn what_was_written_survives_a_panic_of_its_thread() {
        let packet = PacketBuf::encode(&Event::status("a", Status::InProgress)).unwrap();
        assert!(written_at_panic(false) == packet.as_bytes());
        assert!(written_at_panic(true) == packet.as_bytes(), "once, where the target has failed");
    }

    /// Gives the bytes of one part a read.
    struct Parts(Vec<Vec<u8>>);

    impl Read for Parts {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let mut part = self.0.remove(0);
            let count = part.len().min(room.len());
            room[..count].copy_from_slice(&part[..count]);
            if count < part.len() {
                self.0.insert(0, part.split_off(count));
            }
            Ok(count)
        }
    }

    #[test]
    fn a_live_reader_gives_what_has_come_before_it_waits() {
        let packet = PacketBuf::encode(&Event::status("a", Status::Success)).unwrap();
        let (front, back) = packet.as_bytes().split_at(5);
        let mut reader = Reader::new(Parts(vec![front.to_vec(), [back, b"text"].concat()]));
        assert_eq!(reader.buffered_frame(), None);
        assert!(reader.fill().unwrap());
        assert_eq!(reader.buffered_frame(), None);
        assert!(reader.is_waiting());
        assert!(reader.fill().unwrap());
        assert_eq!(reader.buffered_frame(), Some(Frame::Packet(packet.packet())));
        assert_eq!(reader.buffered_frame(), Some(Frame::Text(b"text")));
        assert!(reader.fill().unwrap(), "the end is news, once");
        assert!(!reader.fill().unwrap());
        assert_eq!(reader.offset(), packet.as_bytes().len() as u64 + 4);
    }

    #[test]
    fn all_that_has_come_is_flushed_before_each_read() {
        let packet = PacketBuf::encode(&Event::status("a", Status::Success)).unwrap();
        let (front, back) = packet.as_bytes().split_at(5);
        let parts = vec![[b"text", packet.as_bytes(), front].concat(), [back, b"end"].concat()];
        let mut seen = Vec::new();
        let take = |seen: &mut Vec<_>, frame: Frame<'_>, offset| {
            seen.push(Some((offset, frame.as_bytes().len())));
            Ok(())
        };
        let flush = |seen: &mut Vec<_>| {
            seen.push(None);
            Ok(())
        };
        Reader::new(Parts(parts)).each(&mut seen, take, flush).map_err(|error: io::Error| error).unwrap();
        let len = packet.as_bytes().len();
        let (first, second) = ((4, len), (4 + len as u64, len));
        let end = (second.0 + len as u64, 3);
        let expected = [None, Some((0, 4)), Some(first), None, Some(second), Some(end), None, None];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_closure_that_fails_ends_the_loop() {
        let mut reader = Reader::new(&b"text"[..]);
        let broken = |_: &mut (), _: Frame<'_>, _| Err(io::Error::other("full"));
        let error = reader.each(&mut (), broken, |()| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "full");
    }

    #[test]
    fn a_packet_that_stalls_can_be_given_up_as_text() {
        let mut reader = Reader::new(Parts(vec![b"\xb3\x29\x01\x0c\x03no".to_vec()]));
        reader.fill().unwrap();
        assert_eq!(reader.buffered_frame(), None);
        assert_eq!(reader.give_up(), Some(Frame::Text(b"\xb3\x29\x01\x0c\x03no")));
        assert_eq!(reader.give_up(), None);
    }

    #[test]
    fn a_large_claim_takes_no_memory_before_its_bytes_come() {
        let mut reader = Reader::new(&b"\xb3\x20\x50\xbf\xff\xff\x00\xbf\xff\xe0"[..]);
        reader.fill().unwrap();
        assert_eq!(reader.buffered_frame(), None);
        reader.fill().unwrap();
        assert!(reader.buffer.len() < 4 * BUFFER, "{}", reader.buffer.len());
    }

    #[test]
    fn an_event_that_does_not_fit_is_written_in_pieces() {
        let content = vec![b'x'; MAX_PACKET];
        let mut writer = Writer::new(Vec::new());
        writer.write(&Event { test_id: Some("id"), ..Event::file("log", &content) }).unwrap();
        let bytes = writer.into_inner().unwrap();
        let mut reader = Reader::new(&*bytes);
        let mut seen = 0;
        while let Some(frame) = reader.next_frame().unwrap() {
            let Frame::Packet(packet) = frame else { panic!("{frame:?}") };
            seen += packet.file().unwrap().bytes.len();
        }
        assert_eq!(seen, MAX_PACKET);
    }

    #[test]
    fn a_routed_packet_that_gets_too_long_is_split() {
        let content = vec![b'x'; MAX_PACKET - 20];
        let packet = PacketBuf::encode(&Event::file("log", &content)).unwrap();
        let mut prefix = RoutePrefix::new("worker-1").unwrap();
        let mut writer = Writer::new(Vec::new());
        writer.write_routed(&packet.packet(), &mut prefix).unwrap();
        let bytes = writer.into_inner().unwrap();
        let mut reader = Reader::new(&*bytes);
        let mut sizes = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            let Frame::Packet(packet) = frame else { panic!("{frame:?}") };
            assert_eq!(packet.route_code(), Some("worker-1"));
            sizes.push(packet.file().unwrap().bytes.len());
        }
        assert_eq!(sizes.len(), 2);
        assert_eq!(sizes.iter().sum::<usize>(), content.len());
    }

    #[test]
    fn writing_what_cannot_be_written_is_an_error() {
        let mut writer = Writer::new(Vec::new());
        let error = writer.write(&Event::status("a\0", Status::Fail)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(writer.into_inner().unwrap().is_empty());
    }
}
