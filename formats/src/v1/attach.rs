//! A test under way, and the piece of an attachment that waits for more.

use std::borrow::Cow;
use std::io;

use streamresult::StreamResult;
use subunit::{Event, File, Status, Tags, Timestamp};

use super::label;

/// A test that has begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Test {
    /// The label as it stands in the stream: the outcome's must be the same.
    pub(crate) label: Vec<u8>,
    id: String,
    /// When it began.
    pub(crate) began: Option<Timestamp>,
}

impl Test {
    pub(crate) fn set(&mut self, label: &[u8], began: Option<Timestamp>) {
        self.label.clear();
        self.label.extend_from_slice(label);
        match label::string(label) {
            Cow::Borrowed(id) => {
                self.id.clear();
                self.id.push_str(id);
            }
            Cow::Owned(id) => self.id = id,
        }
        self.began = began;
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Something that happens to it.
    pub(crate) fn event(&self, timestamp: Option<Timestamp>) -> Event<'_> {
        Event { test_id: Some(&self.id), runnable: true, timestamp, ..Event::default() }
    }

    pub(crate) fn begin(&self, sink: &mut dyn StreamResult) -> io::Result<()> {
        sink.status(&Event { status: Some(Status::InProgress), ..self.event(self.began) })
    }

    pub(crate) fn end(
        &self,
        status: Status,
        tags: &[String],
        now: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let list: Vec<&str> = tags.iter().map(String::as_str).collect();
        let tags = if list.is_empty() { Tags::default() } else { Tags::from(list.as_slice()) };
        sink.status(&Event { status: Some(status), tags, ..self.event(now) })
    }
}

/// A longer piece is handed on.
const PIECE: usize = 64 * 1024;

/// An attachment under way. Its last bytes are held, so that the last piece can say that it is the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) mime_type: String,
    held: Vec<u8>,
    has_begun: bool,
}

impl Part {
    pub(crate) fn begin(&mut self, name: &str, mime_type: &str) {
        self.name.clear();
        self.name.push_str(name);
        self.mime_type.clear();
        self.mime_type.push_str(mime_type);
        self.held.clear();
        self.has_begun = false;
    }

    /// Adds bytes; `event` is what all its pieces have in common.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        event: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if self.held.len() + bytes.len() > PIECE {
            self.flush(event, sink)?;
        }
        if bytes.len() > PIECE {
            return self.send(bytes, false, event, sink);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on what is held.
    pub(crate) fn flush(&mut self, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.held.is_empty() { Ok(()) } else { self.send_held(false, event, sink) }
    }

    /// Hands on the last piece.
    pub(crate) fn end(&mut self, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.send_held(true, event, sink)
    }

    fn send_held(&mut self, eof: bool, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let mut held = std::mem::take(&mut self.held);
        let sent = self.send(&held, eof, event, sink);
        held.clear();
        self.held = held;
        sent
    }

    fn send(
        &mut self,
        bytes: &[u8],
        eof: bool,
        event: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let mime_type = (!self.has_begun).then_some(self.mime_type.as_str());
        self.has_begun = true;
        sink.status(&Event { file: Some(File { name: &self.name, bytes }), mime_type, eof, ..*event })
    }
}
