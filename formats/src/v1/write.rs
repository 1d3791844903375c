//! Records to lines.

use std::borrow::Cow;
use std::io::{self, Read as _, Write};

use streamresult::{Attachment, Extent, Outcome, Record, RecordSink};
use subunit::{Event, Status, TEXT_TYPE, Timestamp, part};

use super::guard::Guard;
use super::time::TimeWriter;
use super::{label, mime};

/// Bytes of a chunk, at most.
const CHUNK: usize = 64 * 1024;

/// Writes records as v1, each as its test ends; made to stand behind [`Records`](streamresult::Records).
///
/// - A test is its time and tags, its start, its end, all its attachments, and its tags taken away again.
/// - An unfinished test ends in `error`, with one attachment more that says so.
/// - No id, name, type or tag can forge a line or a word: what would, is shown as `\n` or `\x20`. Text of the run
///   is written as it is, in its place, with a blank before a line that would be a directive.
/// - A later attachment of a finished test is text, after a line that says which. A final status of the run
///   as a whole is a test of its own.
/// - v1 has one clock: a test without times seems to happen at the time of the one before.
///
/// ```
/// use formats::v1::V1Writer;
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new(V1Writer::new(Vec::new()));
/// records.status(&Event::status("boot", Status::Success))?;
/// records.stop_run()?;
/// assert_eq!(records.into_sink().into_inner(), b"test: boot\nsuccessful: boot [ multipart\n]\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct V1Writer<W> {
    inner: W,
    times: TimeWriter,
    guard: Guard,
    lines: Vec<u8>,
    /// The file of the last late event.
    late: Vec<u8>,
}

/// The id of the test that a status of the run as a whole becomes.
const RUN: &str = "(the run as a whole)";

impl<W: Write> V1Writer<W> {
    /// A writer of a new stream. It does not buffer.
    pub fn new(inner: W) -> Self {
        let (times, guard) = (TimeWriter::default(), Guard::default());
        V1Writer { inner, times, guard, lines: Vec::new(), late: Vec::new() }
    }

    /// Where the stream went.
    pub fn into_inner(self) -> W {
        self.inner
    }

    fn head(&mut self, id: &str, outcome: Outcome, end: Option<Timestamp>) {
        let id = label::line(id);
        self.directive(b"test: ", &id);
        self.time(end);
        self.lines.extend_from_slice(word(outcome).as_bytes());
        self.lines.extend_from_slice(id.as_bytes());
        self.lines.extend_from_slice(b" [ multipart\n");
    }

    fn directive(&mut self, word: &[u8], value: &str) {
        self.lines.extend_from_slice(word);
        self.lines.extend_from_slice(value.as_bytes());
        self.lines.push(b'\n');
    }

    fn time(&mut self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.lines.extend_from_slice(b"time: ");
            self.times.push(time, &mut self.lines);
            self.lines.push(b'\n');
        }
    }

    fn tags(&mut self, record: &Record<'_>, removal: &str) {
        if record.tags().is_empty() {
            return;
        }
        self.lines.extend_from_slice(b"tags:");
        for tag in record.tags().iter() {
            self.lines.push(b' ');
            self.lines.extend_from_slice(removal.as_bytes());
            self.lines.extend_from_slice(label::word(tag).as_bytes());
        }
        self.lines.push(b'\n');
    }

    fn part(&mut self, mime_type: Option<&str>, name: &str) {
        self.lines.extend_from_slice(b"Content-Type: ");
        mime::push_v1(mime_type, &mut self.lines);
        self.lines.push(b'\n');
        self.lines.extend_from_slice(name.as_bytes());
        self.lines.push(b'\n');
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !bytes.is_empty() {
            write!(self.lines, "{:X}\r\n", bytes.len())?;
            self.lines.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end_part(&mut self) {
        self.lines.extend_from_slice(b"0\r\n");
    }

    fn attachment(&mut self, attachment: &Attachment<'_>, name: &str) -> io::Result<()> {
        self.part(attachment.mime_type(), name);
        if attachment.kept() <= CHUNK as u64 {
            self.chunk(&attachment.head(CHUNK)?)?;
        } else {
            let mut reader = attachment.reader();
            let mut bytes = vec![0; CHUNK];
            loop {
                let count = reader.read(&mut bytes)?;
                if count == 0 {
                    break;
                }
                self.chunk(part(&bytes, ..count))?;
                self.send()?;
            }
        }
        self.end_part();
        Ok(())
    }

    /// Writes the lines that were made.
    fn send(&mut self) -> io::Result<()> {
        self.inner.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    fn note_unfinished(&mut self, record: &Record<'_>) -> io::Result<()> {
        let name = if record.attachment("traceback").is_some() { "interrupted" } else { "traceback" };
        self.part(Some(TEXT_TYPE), name);
        let message = format!("the run ended before the test; last sign of it: {}\n", record.last_sign());
        self.chunk(message.as_bytes())?;
        self.end_part();
        Ok(())
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "successful: ",
        Outcome::UxSuccess => "uxsuccess: ",
        Outcome::Skip => "skip: ",
        Outcome::XFail => "xfail: ",
        Outcome::Fail => "failure: ",
        Outcome::Exists | Outcome::Unfinished => "error: ",
    }
}

/// The attachment's name on one line, which no other of the record has.
fn unique_name<'a>(record: &Record<'a>, name: &'a str) -> Cow<'a, str> {
    let shown = label::name(name);
    if matches!(shown, Cow::Borrowed(_)) {
        return shown;
    }
    let before = || record.attachments().take_while(|other| other.name() != name);
    let is_taken = |candidate: &str| {
        record.attachments().any(|other| other.name() == candidate)
            || before().any(|other| label::name(other.name()) == candidate)
    };
    if !is_taken(&shown) {
        return shown;
    }
    let numbered = (2..u64::MAX).map(|number| format!("{shown} ({number})"));
    numbered.into_iter().find(|candidate| !is_taken(candidate)).map_or(shown, Cow::Owned)
}

impl<W: Write> RecordSink for V1Writer<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let outcome = record.outcome();
        if outcome == Outcome::Exists {
            return Ok(());
        }
        self.guard.end(&mut self.inner)?;
        self.late.clear();
        self.time(record.first());
        self.tags(record, "");
        self.head(record.test_id(), outcome, record.last());
        for attachment in record.attachments() {
            self.attachment(&attachment, &unique_name(record, attachment.name()))?;
        }
        if outcome == Outcome::Unfinished {
            self.note_unfinished(record)?;
        }
        self.lines.extend_from_slice(b"]\n");
        self.tags(record, "-");
        self.send()
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let (Some(id), Some(file)) = (event.test_id, event.file) else { return Ok(()) };
        let title =
            format!("more of the file {} of {}, which has ended:\n", label::name(file.name), label::line(id));
        if self.late != title.as_bytes() {
            self.guard.end(&mut self.inner)?;
            self.inner.write_all(title.as_bytes())?;
            self.late = title.into_bytes();
        }
        self.guard.text(file.bytes, &mut self.inner)
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(file) = event.file else { return Ok(()) };
        if !self.late.is_empty() {
            self.late.clear();
            self.guard.end(&mut self.inner)?;
        }
        self.guard.text(file.bytes, &mut self.inner)
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if matches!(status, Status::Exists | Status::InProgress) {
            return self.global(event);
        }
        self.guard.end(&mut self.inner)?;
        self.time(event.timestamp);
        self.head(RUN, Outcome::of(Some(status)), event.timestamp);
        if let Some(file) = event.file {
            self.part(event.mime_type, &label::name(file.name));
            for bytes in file.bytes.chunks(CHUNK) {
                self.chunk(bytes)?;
                self.send()?;
            }
            self.end_part();
        }
        self.lines.extend_from_slice(b"]\n");
        self.send()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.guard.finish(&mut self.inner)?;
        self.inner.flush()
    }
}
