//! Output that waits for more of the same, and the events of a test.

use std::io;

use streamresult::{StreamResult, text_event};
use subunit::{Event, File, Status, TEXT_TYPE, Timestamp};

use super::event::Output;

/// The file of what a test printed, by the name that python-subunit has for it.
const OUTPUT: &str = "go test output";
const TRACEBACK: &str = "text/x-traceback;charset=utf8";
/// A longer piece is handed on.
const LONGEST: usize = 64 * 1024;

/// What a test ends with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End<'a> {
    /// Why it was skipped.
    pub(super) reason: Option<&'a str>,
    /// Why it counts as failed although nobody said so.
    pub(super) note: Option<&'a str>,
    /// Whether some of its output has been handed on.
    pub(super) has_output: bool,
}

/// Lines of output of one test, or of none: they come one by one, and are handed on together.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    /// Empty for text.
    id: String,
    bytes: Vec<u8>,
    /// Of its first line.
    time: Option<Timestamp>,
}

/// Something that happens to a test.
fn event(id: &str, timestamp: Option<Timestamp>) -> Event<'_> {
    Event { test_id: Some(id), runnable: true, timestamp, ..Event::default() }
}

fn output(bytes: &[u8]) -> Option<File<'_>> {
    Some(File { name: OUTPUT, bytes })
}

impl Piece {
    /// Takes a line of output of a test; of none when the id is empty.
    pub(super) fn push_line(
        &mut self,
        id: &str,
        output: &Output<'_>,
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.push(id, output.text.as_bytes(), time, sink)?;
        self.bytes.extend_from_slice(output.end().as_bytes());
        Ok(())
    }

    /// Takes output of a test; of none when the id is empty.
    pub(super) fn push(
        &mut self,
        id: &str,
        bytes: &[u8],
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if self.bytes.len() + bytes.len() > LONGEST || self.id != id {
            self.flush(sink)?;
            self.id.clear();
            self.id.push_str(id);
        }
        if self.bytes.is_empty() {
            self.time = time;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on what is held.
    pub(super) fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let sent = if self.id.is_empty() {
            sink.status(&Event { timestamp: self.time, ..text_event(&self.bytes) })
        } else {
            let file = output(&self.bytes);
            sink.status(&Event { file, mime_type: Some(TEXT_TYPE), ..event(&self.id, self.time) })
        };
        self.bytes.clear();
        sent
    }

    /// A test begins.
    pub(super) fn begin(
        &mut self,
        id: &str,
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        sink.status(&Event { status: Some(Status::InProgress), ..event(id, time) })
    }

    /// A test ends.
    pub(super) fn end(
        &mut self,
        id: &str,
        status: Status,
        time: Option<Timestamp>,
        end: End<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if self.id != id {
            self.flush(sink)?;
        }
        let has_output = end.has_output || !self.bytes.is_empty();
        let last =
            Event { file: output(&self.bytes), mime_type: Some(TEXT_TYPE), eof: true, ..event(id, time) };
        let ended = match (end.reason, end.note) {
            (None, None) if has_output => sink.status(&Event { status: Some(status), ..last }),
            (None, None) => sink.status(&Event { status: Some(status), ..event(id, time) }),
            (reason, note) => {
                if has_output {
                    sink.status(&last)?;
                }
                let (name, mime_type) =
                    if note.is_some() { ("traceback", TRACEBACK) } else { ("reason", TEXT_TYPE) };
                let bytes = note.or(reason).unwrap_or_default().as_bytes();
                sink.status(&Event {
                    status: Some(status),
                    file: Some(File { name, bytes }),
                    mime_type: Some(mime_type),
                    eof: true,
                    ..event(id, time)
                })
            }
        };
        self.bytes.clear();
        ended
    }

    /// A line of the file of attributes of a test.
    pub(super) fn attribute(
        &mut self,
        id: &str,
        [key, value]: [&str; 2],
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        let line = format!("{key}: {value}\n");
        let file = Some(File { name: "attributes", bytes: line.as_bytes() });
        sink.status(&Event { file, mime_type: Some(TEXT_TYPE), ..event(id, time) })
    }
}
