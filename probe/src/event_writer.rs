//! Writes results as events, with the time and the route code of the run, and without its secrets.

use std::io;

use streamresult::StreamResult;
use subunit::{Event, File, Status, Tags, Timestamp};

use super::Redactor;

/// Bytes of an attachment in one packet, at most.
const BLOCK: usize = 64 * 1024;

/// Writes results as events.
pub struct EventWriter<'a> {
    /// Where to.
    pub result: &'a mut dyn StreamResult,
    /// The route code of all events.
    pub route_code: Option<&'a str>,
    /// What hides secrets in attachments.
    pub redactor: Redactor,
}

impl EventWriter<'_> {
    /// The status of a test.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn status(&mut self, id: &str, status: Status, tags: &[&str]) -> io::Result<()> {
        let tags = if tags.is_empty() { Tags::default() } else { Tags::from(tags) };
        self.event(Event { tags, ..Event::status(id, status) })
    }

    /// An attachment of a test, in blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn attach(&mut self, id: &str, name: &str, mime_type: &str, bytes: &[u8]) -> io::Result<()> {
        let bytes = self.redactor.redact(bytes).into_owned();
        let mut blocks = bytes.chunks(BLOCK).peekable();
        let mut block = blocks.next().unwrap_or_default();
        let mut mime_type = Some(mime_type);
        loop {
            let eof = blocks.peek().is_none();
            let file = Some(File { name, bytes: block });
            let test_id = Some(id);
            let mime_type = mime_type.take();
            self.event(Event { test_id, file, mime_type, eof, runnable: true, ..Event::default() })?;
            match blocks.next() {
                Some(next) => block = next,
                None => return Ok(()),
            }
        }
    }

    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        let timestamp = Some(Timestamp::now());
        self.result.status(&Event { route_code: self.route_code, timestamp, ..event })
    }
}
