//! A test point that waits for its diagnostics, and its files.

use std::io;
use std::time::Duration;

use streamresult::StreamResult;
use subunit::{Event, File, Status, TEXT_TYPE, Tags, Timestamp};

/// A longer piece of a file is handed on.
const PIECE: usize = 64 * 1024;

/// What is known of a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Test {
    pub(super) id: String,
    /// How it ended; `None` when it did not.
    pub(super) status: Option<Status>,
    pub(super) tags: Vec<String>,
    pub(super) route: Option<String>,
    /// When its test point came.
    pub(super) time: Option<Timestamp>,
    /// When the first of its subtests came.
    pub(super) began: Option<Timestamp>,
    pub(super) took: Option<Duration>,
    /// Whether something was told of it.
    is_told: bool,
}

impl Test {
    /// Something that is told of it. The time is that of its end, and of nothing else: what is told twice with a
    /// time seems to have lasted from the one to the other.
    fn event(&self) -> Event<'_> {
        Event { test_id: Some(&self.id), route_code: self.route.as_deref(), ..Event::default() }
    }

    /// Tells when it began, before anything else is told of it.
    fn tell(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if std::mem::replace(&mut self.is_told, true) {
            return Ok(());
        }
        let before = |took| Timestamp::from_epoch(self.time?.since_epoch().checked_sub(took)?);
        let began = self.took.map_or(self.began, before);
        if began.is_none() && self.status.is_some() {
            return Ok(());
        }
        let timestamp = began.or(self.time);
        sink.status(&Event { status: Some(Status::InProgress), timestamp, ..self.event() })
    }

    /// Tells how it ended, with the end of its last file.
    fn end(&mut self, last: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.tell(sink)?;
        if self.status.is_none() && self.tags.is_empty() && last.file.is_none() {
            return Ok(());
        }
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let tags = if tags.is_empty() { Tags::default() } else { Tags::from(tags.as_slice()) };
        let timestamp = self.status.and(self.time);
        sink.status(&Event { status: self.status, tags, timestamp, ..self.with(last) })
    }

    /// The file of an event, as something told of this test.
    fn with<'a>(&'a self, file: &Event<'a>) -> Event<'a> {
        Event { test_id: Some(&self.id), route_code: self.route.as_deref(), ..*file }
    }
}

/// A file of a test. It is handed on in pieces; its last bytes wait, so that the last piece can say that it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) mime_type: Option<String>,
    held: Vec<u8>,
    /// Whether there is such a file.
    is_there: bool,
    is_told: bool,
}

impl Attachment {
    pub(super) fn new(name: &str, mime_type: Option<&str>) -> Self {
        Attachment { name: name.to_owned(), mime_type: mime_type.map(str::to_owned), ..Attachment::default() }
    }

    pub(super) fn text(name: &str) -> Self {
        Attachment::new(name, Some(TEXT_TYPE))
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        test: &mut Test,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.is_there = true;
        if !self.held.is_empty() && self.held.len() + bytes.len() > PIECE {
            test.tell(sink)?;
            sink.status(&test.with(&self.piece(false)))?;
            self.held.clear();
            self.is_told = true;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on the last piece, if there is such a file; then there is none.
    pub(super) fn end(&mut self, test: &mut Test, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !self.is_there {
            return Ok(());
        }
        test.tell(sink)?;
        sink.status(&test.with(&self.piece(true)))?;
        self.forget();
        Ok(())
    }

    /// What is held, as an event that is about no test yet.
    fn piece(&self, eof: bool) -> Event<'_> {
        let file = Some(File { name: &self.name, bytes: &self.held });
        Event {
            file,
            mime_type: self.mime_type.as_deref().filter(|_| !self.is_told),
            eof,
            ..Event::default()
        }
    }

    /// There is no such file any more.
    fn forget(&mut self) {
        self.held.clear();
        (self.is_there, self.is_told) = (false, false);
    }

    /// Drops what was not handed on yet.
    pub(super) fn drop_rest(&mut self) {
        self.held.clear();
        self.is_there = self.is_told;
    }
}

/// A test point that waits for what follows it: when it came, it was not known whether diagnostics would.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) test: Test,
    /// How far its line was indented.
    pub(super) indent: usize,
    /// Whether comments after it are about it.
    pub(super) takes_comments: bool,
    /// Of the directive; a file of the block of this name has more of it.
    pub(super) reason: Vec<u8>,
    reason_file: Attachment,
    pub(super) comment: Attachment,
    /// Of the block of diagnostics, what is not understood.
    pub(super) block: Attachment,
}

impl Default for Held {
    fn default() -> Self {
        Held {
            test: Test::default(),
            indent: 0,
            takes_comments: false,
            reason: Vec::new(),
            reason_file: Attachment::text("reason"),
            comment: Attachment::text("tap comment"),
            block: Attachment::text("diagnostics.yaml"),
        }
    }
}

impl Held {
    /// Makes room for the next one.
    pub(super) fn clear(&mut self) {
        let mut id = std::mem::take(&mut self.test.id);
        id.clear();
        self.test = Test { id, ..Test::default() };
        self.reason.clear();
    }

    /// Adds a line to the comments.
    pub(super) fn comment(&mut self, line: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.comment.push(line, &mut self.test, sink)?;
        self.comment.push(b"\n", &mut self.test, sink)
    }

    /// Tells all of it. The last file and the end are one event.
    pub(super) fn release(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Held { test, reason, reason_file, comment, block, .. } = self;
        if !reason.is_empty() {
            reason_file.push(reason, test, sink)?;
        }
        let files = [comment, block, reason_file];
        let last = files.iter().rposition(|file| file.is_there);
        for (at, file) in files.into_iter().enumerate() {
            if Some(at) == last {
                test.end(&file.piece(true), sink)?;
                file.forget();
            } else {
                file.end(test, sink)?;
            }
        }
        if last.is_none() { test.end(&Event::default(), sink) } else { Ok(()) }
    }
}
