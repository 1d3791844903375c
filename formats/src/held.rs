//! What is held back of a test until it can be written in order.
//!
//! A format seldom says things in the order in which a stream has to: how a test ended comes before its diagnostics
//! (TAP), or before the output of all that failed (libtest); that a line of output was the last shows when the test
//! ends (go). So three things wait here, each for a reason of its own:
//!
//! - [`HeldText`], the text of the run between its tests: it comes line by line, and goes out in large pieces, before
//!   anything else is said, so that it keeps its place.
//! - [`HeldFile`], a file of a test: its last bytes wait, since the event that has them says that the file ends.
//! - [`HeldTest`], the test: its beginning waits until it is known how long it took, and its end for its files. The
//!   last file and the end are one event.
//!
//! Nothing waits for speed alone when reading may block: a parser's `flush` hands on the text, and what it can of the
//! files. What it cannot is bounded: a file has at most 64 KiB and a line here.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use streamresult::{StreamResult, text_event};
use subunit::{Event, File, Status, TEXT_TYPE, Tags, Timestamp, part};

/// What waits is handed on before it gets longer than this.
const PIECE: usize = 64 * 1024;
/// This many bytes of a file stay: the last event has some, and newlines that are the format's can be taken off.
const KEPT: usize = 2;

/// Text of the run as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldText {
    bytes: Vec<u8>,
    /// When its first byte came.
    at: Option<Timestamp>,
}

impl HeldText {
    /// Takes text that came at this time.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        at: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if self.bytes.len() + bytes.len() > PIECE {
            self.flush(sink)?;
        }
        if bytes.len() > PIECE {
            return sink.status(&Event { timestamp: at, ..text_event(bytes) });
        }
        if self.bytes.is_empty() {
            self.at = at;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Passes it on.
    #[inline]
    pub(crate) fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { self.hand_on(sink) }
    }

    fn hand_on(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let told = sink.status(&Event { timestamp: self.at, ..text_event(&self.bytes) });
        self.bytes.clear();
        told
    }
}

/// A file on its way, piece by piece. Each piece says the MIME type: others may come between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldFile {
    pub(crate) name: Cow<'static, str>,
    pub(crate) mime_type: Option<Cow<'static, str>>,
    bytes: Vec<u8>,
    /// When the first of these bytes came.
    at: Option<Timestamp>,
    /// Whether there is such a file, even an empty one.
    exists: bool,
    /// Whether a piece of it went out.
    has_begun: bool,
}

impl HeldFile {
    /// A file that nothing has come of.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, mime_type: Option<Cow<'static, str>>) -> Self {
        HeldFile { name: name.into(), mime_type, ..HeldFile::default() }
    }

    /// A file of text that nothing has come of.
    pub(crate) fn text(name: impl Into<Cow<'static, str>>) -> Self {
        HeldFile::new(name, Some(TEXT_TYPE.into()))
    }

    /// This file, which exists though nothing may come of it.
    pub(crate) fn existing(self) -> Self {
        HeldFile { exists: true, ..self }
    }

    /// Takes bytes that came at this time; `about` says whose file it is.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        at: Option<Timestamp>,
        about: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if !self.has_room(bytes.len()) {
            self.hand_on(KEPT, about, sink)?;
        }
        if self.bytes.len() <= KEPT {
            self.at = at;
        }
        self.exists = true;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        self.bytes.len() <= KEPT || self.bytes.len() + len <= PIECE
    }

    /// Hands on what is held.
    pub(crate) fn flush(&mut self, about: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { self.hand_on(0, about, sink) }
    }

    fn hand_on(&mut self, kept: usize, about: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let len = self.bytes.len().saturating_sub(kept);
        let told = sink.status(&self.event(len, false, about));
        self.bytes.drain(..len);
        self.has_begun = true;
        told
    }

    /// Hands on the last piece, if there is such a file; then nothing has come of it.
    pub(crate) fn end(&mut self, about: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !self.exists {
            return Ok(());
        }
        let told = sink.status(&self.event(self.bytes.len(), true, about));
        self.restart();
        told
    }

    /// Takes off up to this many newlines at its end.
    pub(crate) fn trim_newlines(&mut self, count: usize) {
        let newlines = self.bytes.iter().rev().take(count).take_while(|byte| **byte == b'\n').count();
        self.bytes.truncate(self.bytes.len() - newlines);
        self.exists = self.has_begun || !self.bytes.is_empty();
    }

    /// What is held is told with this time.
    pub(crate) fn stamp(&mut self, at: Option<Timestamp>) {
        self.at = at;
    }

    /// What was not handed on yet.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes
    }

    /// Drops what was not handed on yet.
    pub(crate) fn drop_rest(&mut self) {
        self.bytes.clear();
        self.exists = self.has_begun;
    }

    /// Becomes a file of which nothing has come.
    pub(crate) fn restart(&mut self) {
        self.bytes.clear();
        (self.exists, self.has_begun) = (false, false);
    }

    /// The first bytes that are held, as something that is said of what `about` is about.
    fn event<'a>(&'a self, len: usize, eof: bool, about: &Event<'a>) -> Event<'a> {
        Event {
            file: Some(File { name: &self.name, bytes: part(&self.bytes, ..len) }),
            mime_type: self.mime_type.as_deref(),
            eof,
            timestamp: self.at.or(about.timestamp),
            ..*about
        }
    }
}

/// A test, so far as it has not been reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldTest {
    pub(crate) id: String,
    pub(crate) route_code: Option<String>,
    /// Whether it can be run by its id alone.
    pub(crate) runnable: bool,
    pub(crate) tags: Vec<String>,
    /// How it ended; `None` when it did not.
    pub(crate) status: Option<Status>,
    /// When it ended.
    pub(crate) time: Option<Timestamp>,
    /// When it began. How long it took is more exact.
    pub(crate) began: Option<Timestamp>,
    pub(crate) took: Option<Duration>,
    /// Whether its beginning was reported, or will not be.
    pub(crate) has_begun: bool,
}

impl HeldTest {
    /// Becomes another test, of which nothing is known but whether it can be run by its id, which is empty at first.
    pub(crate) fn clear(&mut self) {
        self.id.clear();
        self.tags.clear();
        self.route_code = None;
        (self.status, self.time, self.began, self.took) = (None, None, None, None);
        self.has_begun = false;
    }

    /// Something that is said of it. Only its beginning and its end have a time of their own: what is said twice with
    /// a time seems to have lasted from the one to the other.
    #[inline]
    pub(crate) fn event(&self) -> Event<'_> {
        Event {
            test_id: Some(&self.id),
            route_code: self.route_code.as_deref(),
            runnable: self.runnable,
            ..Event::default()
        }
    }

    /// When it began, as far as that can be known.
    fn start(&self) -> Option<Timestamp> {
        self.took.map_or(self.began, |took| before(self.time, took))
    }

    /// Reports that it began at this time, unless that was reported.
    pub(crate) fn begin_at(&mut self, at: Option<Timestamp>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        sink.status(&Event { status: Some(Status::InProgress), timestamp: at, ..self.event() })
    }

    /// Reports that it began, unless that was reported, or nobody knows when and it has ended since.
    pub(crate) fn begin(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let start = self.start();
        if start.is_none() && self.status.is_some() {
            self.has_begun = true;
        }
        self.begin_at(start.or(self.time), sink)
    }

    /// Takes bytes of one of its files.
    pub(crate) fn push(
        &mut self,
        file: &mut HeldFile,
        bytes: &[u8],
        at: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if !file.has_room(bytes.len()) {
            self.begin(sink)?;
        }
        file.push(bytes, at, &self.event(), sink)
    }

    /// Ends one of its files, if there is such a file.
    pub(crate) fn end_file(&mut self, file: &mut HeldFile, sink: &mut dyn StreamResult) -> io::Result<()> {
        if file.exists {
            self.begin(sink)?;
        }
        file.end(&self.event(), sink)
    }

    /// Reports how it ended, with what is left of these files; the last of them and the end are one event.
    pub(crate) fn end<const N: usize>(
        &mut self,
        files: [&mut HeldFile; N],
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.begin(sink)?;
        let last = files.iter().rposition(|file| file.exists);
        for (at, file) in files.into_iter().enumerate() {
            if Some(at) == last {
                let told = self.tell_end(Some(file), sink);
                file.restart();
                return told;
            }
            file.end(&self.event(), sink)?;
        }
        let nothing = self.status.is_none() && self.tags.is_empty();
        if nothing { Ok(()) } else { self.tell_end(None, sink) }
    }

    fn tell_end(&self, last: Option<&HeldFile>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let timestamp = self.status.and(self.time);
        let mut event = Event { status: self.status, timestamp, ..self.event() };
        if let Some(file) = last {
            let Event { file, mime_type, eof, .. } = file.event(file.bytes.len(), true, &event);
            (event.file, event.mime_type, event.eof) = (file, mime_type, eof);
        }
        if self.tags.is_empty() {
            return sink.status(&event);
        }
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        sink.status(&Event { tags: Tags::from(tags.as_slice()), ..event })
    }
}

/// Something that failed and is not a test of the document: it says what is wrong, in a file or without one.
pub(crate) fn failure<'a>(id: &'a str, file: &Event<'a>, at: Option<Timestamp>) -> Event<'a> {
    Event { test_id: Some(id), status: Some(Status::Fail), timestamp: at, ..*file }
}

/// A whole file of text.
pub(crate) fn text_file<'a>(name: &'a str, bytes: &'a [u8]) -> Event<'a> {
    Event { mime_type: Some(TEXT_TYPE), eof: true, ..Event::file(name, bytes) }
}

/// The time this long before another.
pub(crate) fn before(time: Option<Timestamp>, took: Duration) -> Option<Timestamp> {
    Timestamp::from_epoch(time?.since_epoch().checked_sub(took)?)
}
