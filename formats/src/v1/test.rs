//! A test under way.

use std::io;

use streamresult::StreamResult;
use subunit::{Event, Status, Tags, Timestamp};

use super::label;
use crate::lines::shortened;

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
        self.id.clear();
        self.id.push_str(&shortened(&label::string(label)));
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
