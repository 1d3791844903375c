//! Events: what all states of the reader say.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use streamresult::{StreamResult, text_event};
use subunit::{Event, File, Status, TEXT_TYPE, Tags, Timestamp};

use super::line::{Ended, Outcome};

/// Text is handed on in pieces of this size.
const TEXT_PIECE: usize = 64 * 1024;
/// The file that the output of a test is.
pub(super) const OUTPUT: &str = "stdout";

/// The file that says what is wrong with a binary.
pub(super) const ERROR: &str = "error";

/// Where the time comes from.
pub type Clock = fn() -> Option<Timestamp>;

/// Turns what was read into events. Text comes in its place: it is handed on before any other event.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    clock: Clock,
    /// When the lines came that are being read.
    now: Option<Timestamp>,
    text: Vec<u8>,
    /// Empty lines that are libtest's if a line of its own follows.
    blanks: u64,
    /// The id of the last event.
    id: String,
}

impl Teller {
    pub(super) fn new(clock: Clock) -> Self {
        Teller { clock, now: None, text: Vec::new(), blanks: 0, id: String::new() }
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

    /// Takes text that is of the run as a whole.
    pub(super) fn push_text(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        for _ in 0..std::mem::take(&mut self.blanks) {
            self.append(b"\n", sink)?;
        }
        self.append(bytes, sink)
    }

    fn append(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.text.len() + bytes.len() > TEXT_PIECE {
            self.flush(sink)?;
        }
        if bytes.len() > TEXT_PIECE {
            return sink.status(&Event { timestamp: self.now(), ..text_event(bytes) });
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on the text.
    pub(super) fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let told = sink.status(&Event { timestamp: self.now(), ..text_event(&self.text) });
        self.text.clear();
        told
    }

    fn tell(
        &mut self,
        prefix: &str,
        name: &str,
        what: &What<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        set_id(&mut self.id, prefix, name);
        sink.status(&Event {
            test_id: Some(&self.id),
            status: what.status,
            tags: if what.tags.is_empty() { Tags::default() } else { Tags::from(what.tags) },
            runnable: true,
            file: what.file.map(|(name, bytes)| File { name, bytes }),
            mime_type: what.file.map(|_| TEXT_TYPE),
            eof: what.eof,
            timestamp: what.at,
            ..Event::default()
        })
    }

    /// Says that something failed that is no test: a binary, or cargo.
    pub(super) fn fail(
        &mut self,
        id: &str,
        file: Option<(&str, &[u8])>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.flush(sink)?;
        sink.status(&Event {
            file: file.map(|(name, bytes)| File { name, bytes }),
            mime_type: file.map(|_| TEXT_TYPE),
            eof: file.is_some(),
            runnable: false,
            timestamp: self.now(),
            ..Event::status(id, Status::Fail)
        })
    }

    /// A piece of a file of something that is no test.
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

/// Where the events of a binary's tests go.
pub(super) struct Out<'a> {
    /// What stands before their names.
    pub(super) prefix: &'a str,
    pub(super) teller: &'a mut Teller,
    pub(super) sink: &'a mut dyn StreamResult,
}

impl Out<'_> {
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.teller.now()
    }

    /// Says something of the test with this name.
    pub(super) fn tell(&mut self, name: &str, what: &What<'_>) -> io::Result<()> {
        self.teller.tell(self.prefix, name, what, self.sink)
    }

    /// Says that a test began.
    pub(super) fn begin(&mut self, name: &str, at: Option<Timestamp>) -> io::Result<()> {
        self.tell(name, &What { status: Some(Status::InProgress), at, ..What::default() })
    }

    /// Says how a test ended; it began as long before as it took, unless that was said.
    pub(super) fn end(
        &mut self,
        name: &str,
        tag: Option<&str>,
        ended: &Ended<'_>,
        (has_begun, at): (bool, Option<Timestamp>),
    ) -> io::Result<()> {
        if let Some(began) = ended.took.filter(|_| !has_begun).and_then(|took| before(at, took)) {
            self.begin(name, Some(began))?;
        }
        let (status, file) = match ended.outcome {
            Outcome::Passed => (Status::Success, None),
            Outcome::Failed(b"") => (Status::Fail, None),
            Outcome::Failed(words) => (Status::Fail, Some(("reason", words))),
            Outcome::Ignored(b"") => (Status::Skip, None),
            Outcome::Ignored(reason) => (Status::Skip, Some(("reason", reason))),
            Outcome::Measured(figures) => (Status::Success, Some(("benchmark", figures))),
        };
        self.tell(name, &What { status: Some(status), file, eof: file.is_some(), tags: tag.as_slice(), at })
    }

    pub(super) fn push_text(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.teller.push_text(bytes, self.sink)
    }
}

/// What is said of a test.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct What<'a> {
    pub(super) status: Option<Status>,
    pub(super) file: Option<(&'a str, &'a [u8])>,
    pub(super) eof: bool,
    pub(super) tags: &'a [&'a str],
    pub(super) at: Option<Timestamp>,
}

fn set_id(id: &mut String, prefix: &str, name: &str) {
    id.clear();
    if !prefix.is_empty() {
        id.push_str(prefix);
        id.push_str("::");
    }
    id.push_str(name);
}

/// The time so long before.
pub(super) fn before(at: Option<Timestamp>, took: Duration) -> Option<Timestamp> {
    Timestamp::from_epoch(at?.since_epoch().checked_sub(took)?)
}

/// A name as a string: nothing that no packet can hold.
pub(super) fn string(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\\0")) } else { text }
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
