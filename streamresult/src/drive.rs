//! From bytes to events: reads a stream and pushes its events into a `StreamResult`.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
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
/// is flushed first, and asked whether it [wants more](StreamResult::should_stop).
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
/// one of several in the sink fails, the others get the rest of the stream: see [`StreamResult::outlives_errors`]. Where
/// it matters which of the two it was, [`drive_while`] says so.
pub fn drive<R: Read, S: StreamResult + ?Sized>(input: R, sink: &mut S) -> io::Result<()> {
    drive_while(input, sink, |_| true)?;
    Ok(())
}

/// Reads a stream as [`drive`] does, as long as `go_on` says so: it is asked before each read, with how many bytes were
/// read. Answers whether the end of the stream was reached. A read that blocks is not broken off, and
/// what was read of a packet that is not complete is left out.
///
/// ```
/// use streamresult::{DriveError, Summary, drive_while};
///
/// let stream = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let mut summary = Summary::new();
/// // A progress line, or a button that says stop.
/// match drive_while(&stream[..], &mut summary, |bytes| bytes < 1000) {
///     Ok(is_whole) => assert!(is_whole),
///     Err(DriveError::Read(error)) => eprintln!("the stream cannot be read: {error}"),
///     Err(DriveError::Sink(error)) => eprintln!("the report cannot be written: {error}"),
/// }
/// assert_eq!(summary.announced(), 1);
/// assert!(!drive_while(&stream[..], &mut summary, |_| false)?);
/// # Ok::<(), DriveError>(())
/// ```
///
/// # Errors
///
/// When reading fails, or the sink does, and the error says which: see [`drive`].
pub fn drive_while<R: Read, S: StreamResult + ?Sized>(
    input: R,
    sink: &mut S,
    go_on: impl FnMut(u64) -> bool,
) -> Result<bool, DriveError> {
    let mut sink = Lasting::new(sink);
    let ended_by = Cell::new(EndedBy::Sink);
    let passed = sink.start_run().and_then(|()| {
        ended_by.set(EndedBy::Source);
        pass(input, &mut sink, go_on, &ended_by)
    });
    sink.at(Extent::default());
    let stopped = sink.stop_run();
    sink.finish(Ok(())).map_err(DriveError::Sink)?;
    match (passed, ended_by.get()) {
        (Err(error), EndedBy::Source) => Err(DriveError::Read(error)),
        (Err(error), EndedBy::Sink) => Err(DriveError::Sink(error)),
        (_, ended_by) => stopped.map(|()| ended_by != EndedBy::Request).map_err(DriveError::Sink),
    }
}

/// Why [`drive_while`] failed. Its words are those of the error within. Closed: these are all the ways.
#[derive(Debug)]
pub enum DriveError {
    /// The stream could not be read.
    Read(io::Error),
    /// The sink could not take what was read.
    Sink(io::Error),
}

impl fmt::Display for DriveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (DriveError::Read(error) | DriveError::Sink(error)) = self;
        error.fmt(formatter)
    }
}

impl Error for DriveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let (DriveError::Read(error) | DriveError::Sink(error)) = self;
        error.source()
    }
}

impl From<DriveError> for io::Error {
    fn from(error: DriveError) -> Self {
        let (DriveError::Read(error) | DriveError::Sink(error)) = error;
        error
    }
}

/// Who ended reading, if it was not the source: known by a mark, since what is read passes through one type of error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum EndedBy {
    #[default]
    Source,
    Sink,
    Request,
}

fn pass<R: Read, S: StreamResult + ?Sized>(
    input: R,
    sink: &mut S,
    mut go_on: impl FnMut(u64) -> bool,
    ended_by: &Cell<EndedBy>,
) -> io::Result<()> {
    let bytes = Cell::new(0);
    let by_sink = |error| {
        ended_by.set(EndedBy::Sink);
        error
    };
    Reader::new(Counted { input, bytes: &bytes }).each(
        sink,
        |sink, frame, offset| deliver(&frame, offset, sink).map_err(by_sink),
        |sink| {
            sink.flush().map_err(by_sink)?;
            if sink.should_stop() || !go_on(bytes.get()) {
                ended_by.set(EndedBy::Request);
                return Err(io::ErrorKind::Interrupted.into());
            }
            Ok(())
        },
    )
}

/// Counts what is read.
struct Counted<'a, R> {
    input: R,
    bytes: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.bytes.set(self.bytes.get() + count as u64);
        Ok(count)
    }
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
