//! The events of tests, and the output that waits for more of the same.

use std::io;

use streamresult::StreamResult;
use subunit::{Event, File, Status, TEXT_TYPE, Timestamp};

use super::event::Output;
use crate::held::{HeldFile, HeldTest, HeldText};

/// The file of what a test printed, by the name that python-subunit has for it.
const OUTPUT: &str = "go test output";
const TRACEBACK: &str = "text/x-traceback;charset=utf8";

/// What a test ends with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End<'a> {
    /// Why it was skipped.
    pub(super) reason: Option<&'a str>,
    /// Why it counts as failed although no line said so.
    pub(super) note: Option<&'a str>,
    /// Whether some of its output has been handed on.
    pub(super) has_output: bool,
}

/// Lines of output of one test, or of none: they come one by one, and are handed on together.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The test that the last lines of output were of.
    test: HeldTest,
    output: HeldFile,
    text: HeldText,
}

impl Default for Piece {
    fn default() -> Self {
        // The beginning of a test is a line of its own, and is told as such or not at all.
        let test = HeldTest { runnable: true, has_begun: true, ..HeldTest::default() };
        Piece { test, output: HeldFile::text(OUTPUT), text: HeldText::default() }
    }
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
        self.push(id, output.end().as_bytes(), time, sink)
    }

    /// Takes output of a test; of none when the id is empty.
    pub(super) fn push(
        &mut self,
        id: &str,
        bytes: &[u8],
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if id.is_empty() {
            self.flush_output(sink)?;
            return self.text.push(bytes, time, sink);
        }
        self.turn_to(id, sink)?;
        self.output.push(bytes, time, &self.test.event(), sink)
    }

    /// Hands on what is held.
    pub(super) fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)?;
        self.flush_output(sink)
    }

    fn flush_output(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.output.flush(&self.test.event(), sink)
    }

    /// What comes is about this test.
    fn turn_to(&mut self, id: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)?;
        if self.test.id != id {
            self.flush_output(sink)?;
            self.output.restart();
            self.test.id.clear();
            self.test.id.push_str(id);
        }
        Ok(())
    }

    /// A test begins.
    pub(super) fn begin(
        &mut self,
        id: &str,
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.turn_to(id, sink)?;
        self.flush_output(sink)?;
        self.test.has_begun = false;
        self.test.begin_at(time, sink)
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
        self.turn_to(id, sink)?;
        if end.has_output {
            // Where all of it was handed on, it has to be said that it ends.
            self.output.push(b"", time, &self.test.event(), sink)?;
        }
        // What is left of it is told with the end, also where it is not the last that is told.
        self.output.stamp(time);
        let mut why = match (end.note, end.reason) {
            (Some(_), _) => HeldFile::new("traceback", Some(TRACEBACK.into())),
            (None, _) => HeldFile::text("reason"),
        };
        if let Some(text) = end.note.or(end.reason) {
            why.push(text.as_bytes(), time, &self.test.event(), sink)?;
        }
        (self.test.status, self.test.time) = (Some(status), time);
        self.test.end([&mut self.output, &mut why], sink)
    }

    /// A line of the file of attributes of a test.
    pub(super) fn attribute(
        &mut self,
        id: &str,
        [key, value]: [&str; 2],
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.turn_to(id, sink)?;
        self.flush_output(sink)?;
        let line = format!("{key}: {value}\n");
        let file = Some(File { name: "attributes", bytes: line.as_bytes() });
        sink.status(&Event { file, mime_type: Some(TEXT_TYPE), timestamp: time, ..self.test.event() })
    }
}
