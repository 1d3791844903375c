//! The events that all states of the reader emit.

use std::borrow::Cow;
use std::io;

use memchr::memchr;
use streamresult::StreamResult;
use subunit::{Event, Status, TEXT_TYPE, Timestamp};

use super::line::{EndKind, TestEnd};
use crate::held::{HeldFile, HeldTest, HeldText, failure, text_file};

/// The file that the output of a test is.
pub(super) const OUTPUT: &str = "stdout";

/// The file that says what is wrong with a binary.
pub(super) const ERROR: &str = "error";

/// Where the time comes from.
pub type Clock = fn() -> Option<Timestamp>;

/// Turns what was read into events. Text keeps its place: it is passed on before any other event.
#[derive(Clone, Debug)]
pub(super) struct Emitter {
    clock: Clock,
    /// When the lines came that are being read.
    now: Option<Timestamp>,
    text: HeldText,
    /// Empty lines that are libtest's if a line of its own follows.
    blanks: u64,
    /// The id of the last event.
    id: String,
}

impl Emitter {
    pub(super) fn new(clock: Clock) -> Self {
        Emitter { clock, now: None, text: HeldText::default(), blanks: 0, id: String::new() }
    }

    /// Lines came: what they say has this time.
    pub(super) fn arrive(&mut self) {
        self.now = (self.clock)();
    }

    pub(super) fn now(&self) -> Option<Timestamp> {
        self.now
    }

    pub(super) fn push_blank(&mut self) {
        self.blanks += 1;
    }

    pub(super) fn drop_blanks(&mut self) {
        self.blanks = 0;
    }

    /// Takes text that belongs to the run as a whole.
    pub(super) fn push_text(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        for _ in 0..std::mem::take(&mut self.blanks) {
            self.text.push(b"\n", self.now, sink)?;
        }
        self.text.push(bytes, self.now, sink)
    }

    /// Hands on the text.
    pub(super) fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)
    }

    /// Reports the failure of something that is not a test: a binary, or cargo.
    pub(super) fn fail(
        &mut self,
        id: &str,
        file: Option<(&str, &[u8])>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        let file = file.map_or_else(Event::default, |(name, bytes)| text_file(name, bytes));
        sink.status(&failure(id, &file, self.now))
    }

    /// A piece of a file of something that is not a test.
    pub(super) fn attach(
        &mut self,
        id: &str,
        file: (&str, &[u8]),
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        let (name, bytes) = file;
        sink.status(&Event { test_id: Some(id), mime_type: Some(TEXT_TYPE), ..Event::file(name, bytes) })
    }
}

/// Where the events of a binary's tests go: text goes before them, and their ids get the name of the binary.
pub(super) struct BinaryOut<'a> {
    /// What stands before their names.
    pub(super) prefix: &'a str,
    pub(super) emitter: &'a mut Emitter,
    pub(super) sink: &'a mut dyn StreamResult,
}

impl BinaryOut<'_> {
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.emitter.now()
    }

    /// Reports how a test ended; its beginning is dated back by its duration, unless it was reported.
    pub(super) fn end(&mut self, test: &mut HeldTest, ended: &TestEnd<'_>) -> io::Result<()> {
        let (status, name, words) = match ended.outcome {
            EndKind::Passed => (Status::Success, "", &b""[..]),
            EndKind::Failed(words) => (Status::Fail, "reason", words),
            EndKind::Ignored(reason) => (Status::Skip, "reason", reason),
            EndKind::Measured(figures) => (Status::Success, "benchmark", figures),
        };
        (test.status, test.took) = (Some(status), ended.took);
        if words.is_empty() {
            return test.end([], self);
        }
        let mut why = HeldFile::text(name);
        test.push(&mut why, words, test.time, self)?;
        test.end([&mut why], self)
    }

    pub(super) fn push_text(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.emitter.push_text(bytes, self.sink)
    }
}

impl StreamResult for BinaryOut<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let BinaryOut { prefix, emitter, sink } = self;
        emitter.flush(*sink)?;
        let Some(name) = event.test_id else { return sink.status(event) };
        set_id(&mut emitter.id, prefix, name);
        sink.status(&Event { test_id: Some(&emitter.id), ..*event })
    }
}

/// A test of this name, of which nothing else is known.
pub(super) fn test(name: &str, tag: Option<&str>) -> HeldTest {
    let tags = tag.map(str::to_owned).into_iter().collect();
    HeldTest { id: name.to_owned(), runnable: true, tags, ..HeldTest::default() }
}

fn set_id(id: &mut String, prefix: &str, name: &str) {
    id.clear();
    if !prefix.is_empty() {
        id.push_str(prefix);
        id.push_str("::");
    }
    id.push_str(name);
}

/// A name as a string that a packet can hold.
pub(super) fn string(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all names are fine, and the standard library is slow to say so.
    let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    if memchr(0, bytes).is_some() { Cow::Owned(text.replace('\0', "\\0")) } else { text }
}

/// The id of a binary as a whole, given what stands before the names of its tests.
pub(super) fn suite_id(prefix: &str) -> Cow<'_, str> {
    match prefix {
        "" => Cow::Borrowed(CARGO_TEST),
        _ if prefix.starts_with('#') => Cow::Owned(format!("{CARGO_TEST}{prefix}")),
        _ => Cow::Borrowed(prefix),
    }
}

/// The id of a binary that nobody named.
const CARGO_TEST: &str = "cargo test";
