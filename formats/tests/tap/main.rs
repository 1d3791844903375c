//! TAP, read: examples, recordings of real producers, and the laws that hold for all documents.

#![expect(clippy::unwrap_used, reason = "what a test needs and cannot have fails it")]

mod laws;
mod read;
mod recorded;

use std::io;

use formats::lines::Lines;
use formats::tap::TapParser;
use streamresult::StreamResult;
use subunit::{Event, Timestamp};

/// When all lines come.
const NOON: Timestamp = Timestamp::from_seconds(43_200);

/// The events of a run, a line each; pieces of a file that follow each other are one.
#[derive(Debug, Default)]
struct EventLog {
    lines: Vec<String>,
    /// What the last line is about, when it is a piece of a file that goes on.
    open: Option<String>,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let id = event.test_id.unwrap_or("-");
        if event.file.is_none() {
            self.open = None;
        }
        if let Some(file) = event.file {
            let about = format!("{id} {}", file.name);
            if self.open.as_ref() != Some(&about) {
                self.lines.push(format!("{about}: "));
            }
            *self.lines.last_mut().unwrap() += &file.bytes.escape_ascii().to_string();
            self.open = (!event.eof).then_some(about);
        }
        if let Some(status) = event.status {
            let mut line = format!("{id} {status}");
            if !event.tags.is_absent() {
                line += &format!(" {:?}", event.tags);
            }
            if let Some(route) = event.route_code {
                line += &format!(" of {route}");
            }
            self.lines.push(line + &time(event));
        }
        Ok(())
    }
}

/// How long before noon.
fn time(event: &Event<'_>) -> String {
    match event.timestamp {
        None | Some(NOON) => String::new(),
        Some(time) => format!(" -{:?}", NOON.saturating_since(time)),
    }
}

/// What a document tells, fed in pieces of this size.
fn log(document: &[u8], piece: usize) -> Vec<String> {
    let (mut lines, mut log) = (Lines::new(TapParser::new().clock(|| NOON)), EventLog::default());
    for bytes in document.chunks(piece) {
        lines.feed(bytes, &mut log).unwrap();
        lines.flush(&mut log).unwrap();
    }
    lines.finish(&mut log).unwrap();
    log.lines
}

fn check(document: &str, expected: &[&str]) {
    for piece in [1, 3, document.len().max(1)] {
        assert_eq!(log(document.as_bytes(), piece), expected, "{document}\nin pieces of {piece}");
    }
}
