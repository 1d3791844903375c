//! From bytes to events: reads a stream and pushes its events into a `StreamResult`.

use std::io::{self, Read};

use subunit::io::Reader;
use subunit::{Event, Frame, PacketError};

use crate::{Extent, Lasting, StreamResult, damage};

/// The name of the file that text between packets becomes.
const TEXT_FILE: &str = "stdout";

/// Reads a stream to its end and pushes all of it into `sink`: the start of the run, its events, its stop.
///
/// Text between packets is an event of the file `stdout` without a test id; a damaged packet is a failing
/// test, [`DAMAGE_ID`](crate::DAMAGE_ID): nothing of the stream is passed over. Whenever reading may block, the sink
/// is flushed first.
///
/// ```
/// use streamresult::{Summary, drive};
///
/// let mut summary = Summary::new();
/// drive(&b"starting\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..], &mut summary)?;
/// assert_eq!(summary.announced(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When reading fails, or the sink does. Its run is stopped all the same, after all events that came before. Where
/// one of several in the sink fails, the others get the rest of the stream: see [`StreamResult::outlives_errors`].
pub fn drive<R: Read, S: StreamResult + ?Sized>(input: R, sink: &mut S) -> io::Result<()> {
    let mut sink = Lasting::new(sink);
    let passed = sink.start_run().and_then(|()| pass(&mut Reader::new(input), &mut sink));
    sink.at(Extent::default());
    let passed = passed.and(sink.stop_run());
    sink.finish(passed)
}

/// Reads a stream as [`drive`] does, as long as `go_on` says so: it is asked before each read, with how many bytes were
/// read. Answers whether the end of the stream was reached. A read that blocks is not broken off.
///
/// ```
/// use streamresult::{Summary, drive_while};
///
/// let stream = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let mut summary = Summary::new();
/// // A progress line, or a button that says stop.
/// assert!(drive_while(&stream[..], &mut summary, |bytes| bytes < 1000)?);
/// assert_eq!(summary.announced(), 1);
/// assert!(!drive_while(&stream[..], &mut summary, |_| false)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// See [`drive`].
pub fn drive_while<R: Read, S: StreamResult + ?Sized>(
    input: R,
    sink: &mut S,
    mut go_on: impl FnMut(u64) -> bool,
) -> io::Result<bool> {
    let mut is_whole = true;
    let mut bytes = 0;
    let asking = Asking { input, bytes: &mut bytes, go_on: &mut go_on, is_whole: &mut is_whole };
    drive(asking, sink)?;
    Ok(is_whole)
}

/// A source that ends where it is told to.
struct Asking<'a, R, F> {
    input: R,
    bytes: &'a mut u64,
    go_on: F,
    is_whole: &'a mut bool,
}

impl<R: Read, F: FnMut(u64) -> bool> Read for Asking<'_, R, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !(self.go_on)(*self.bytes) {
            *self.is_whole = false;
            return Ok(0);
        }
        let count = self.input.read(into)?;
        *self.bytes += count as u64;
        Ok(count)
    }
}

fn pass<R: Read, S: StreamResult + ?Sized>(reader: &mut Reader<R>, sink: &mut S) -> io::Result<()> {
    reader.each(sink, |sink, frame, offset| deliver(&frame, offset, sink), S::flush)
}

/// Pushes a frame into `sink` as [`drive`] does; it begins at `offset` of the stream.
///
/// # Errors
///
/// When the sink fails.
#[inline]
pub fn deliver<S: StreamResult + ?Sized>(frame: &Frame<'_>, offset: u64, sink: &mut S) -> io::Result<()> {
    sink.at(Extent { start: offset, end: offset + frame.as_bytes().len() as u64 });
    match frame {
        Frame::Packet(packet) => sink.packet(packet),
        Frame::Text(text) => sink.status(&text_event(text)),
        Frame::Corrupt(bytes, error) => corrupt(bytes, error, offset, sink),
    }
}

/// The file in which a suite, or the run as a whole, has its properties: facts about where it ran, a line `name=value`
/// for each. No test and no program wrote it, so reports do not show it as output.
pub const PROPERTIES_FILE: &str = "properties";

/// The event that text between packets is: a piece of the file `stdout` of the run as a whole.
#[must_use]
pub fn text_event(text: &[u8]) -> Event<'_> {
    Event::file(TEXT_FILE, text)
}

#[cold]
fn corrupt<S: StreamResult + ?Sized>(
    bytes: &[u8],
    error: &PacketError,
    offset: u64,
    sink: &mut S,
) -> io::Result<()> {
    damage(bytes, &format!("damaged packet at offset {offset} of the stream: {error}"), sink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CallLog;

    const FOO: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

    fn check(input: impl Read, expected: &[&str]) {
        let mut seen = CallLog::default();
        let _ = drive(input, &mut seen);
        assert_eq!(seen.lines(), expected);
    }

    #[test]
    fn a_run_starts_and_stops_even_when_nothing_comes() {
        check(&b""[..], &["start", "flush", "flush", "stop"]);
    }

    #[test]
    fn text_and_damage_are_events() {
        let mut stream = b"text\n".to_vec();
        stream.extend(FOO);
        let mut damaged = FOO.to_vec();
        damaged[5] ^= 1;
        stream.extend(damaged);
        let events = ["start", "flush", "- -", "foo exists", "flush"];
        let damage = ["subunit.parser -", "subunit.parser fail", "flush", "stop"];
        let mut seen = CallLog::default();
        drive(&stream[..], &mut seen).unwrap();
        let lines: Vec<String> = seen.lines().into_iter().filter(|line| line != "flush").collect();
        let expected = events.iter().chain(&damage).filter(|line| **line != "flush");
        assert_eq!(
            lines.iter().map(String::as_str).collect::<Vec<_>>(),
            expected.copied().collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_came_before_a_failed_read_is_reported_and_the_run_stops() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("unplugged"))
            }
        }
        let mut seen = CallLog::default();
        let error = drive(FOO.chain(Broken), &mut seen).unwrap_err();
        assert_eq!(error.to_string(), "unplugged");
        assert_eq!(seen.lines(), ["start", "flush", "foo exists", "flush", "stop"]);
    }
}
