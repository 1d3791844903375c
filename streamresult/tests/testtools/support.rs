//! A result that writes down what it is told.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::rc::Rc;

use streamresult::{Record, RecordBuf, RecordSink, StreamResult};
use subunit::{Event, Timestamp};

/// A line for each call: of an event, what it has of these, `ID STATUS [TAGS] not-runnable NAME=CONTENT eof TYPE @ROUTE TIME`.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn push(&self, line: &str) -> io::Result<()> {
        self.0.borrow_mut().push(line.to_owned());
        Ok(())
    }
}

impl StreamResult for Log {
    fn start_run(&mut self) -> io::Result<()> {
        self.push("start")
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.push(&line(event))
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.push("stop")
    }
}

fn line(event: &Event<'_>) -> String {
    let mut line = event.test_id.unwrap_or("-").to_owned();
    if let Some(status) = event.status {
        let _ = write!(line, " {status}");
    }
    if !event.tags.is_absent() {
        let _ = write!(line, " [{}]", event.tags.iter().collect::<Vec<_>>().join(","));
    }
    if !event.runnable && event.test_id.is_some() {
        line.push_str(" not-runnable");
    }
    if let Some(file) = event.file {
        let _ = write!(line, " {}={}", file.name, file.bytes.escape_ascii());
    }
    if event.eof {
        line.push_str(" eof");
    }
    if let Some(mime_type) = event.mime_type {
        let _ = write!(line, " {mime_type}");
    }
    if let Some(route_code) = event.route_code {
        let _ = write!(line, " @{route_code}");
    }
    if let Some(timestamp) = event.timestamp {
        let _ = write!(line, " {}", timestamp.since_epoch().as_secs());
    }
    line
}

/// A time that is this many seconds after 1970.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_epoch(std::time::Duration::from_secs(seconds)).unwrap()
}

/// Keeps all records.
#[derive(Clone, Default)]
pub(crate) struct Kept(pub(crate) Rc<RefCell<Vec<RecordBuf>>>);

impl RecordSink for Kept {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.0.borrow_mut().push(record.to_buf(1000)?);
        Ok(())
    }
}

impl Kept {
    /// A line for each record: `ID OUTCOME [TAGS] NAME=CONTENT… FIRST-LAST`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().iter().map(record_line).collect()
    }
}

fn record_line(record: &RecordBuf) -> String {
    let mut line = format!("{} {}", record.test_id, record.outcome);
    if !record.tags.is_empty() {
        let _ = write!(line, " [{}]", record.tags.join(","));
    }
    for file in &record.attachments {
        let _ = write!(line, " {}={}", file.name, file.bytes.escape_ascii());
    }
    if let (Some(first), Some(last)) = (record.first, record.last) {
        let _ = write!(line, " {}-{}", first.since_epoch().as_secs(), last.since_epoch().as_secs());
    }
    line
}
