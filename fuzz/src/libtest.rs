//! The law of reading the output of Rust tests.

use std::io;

use formats::libtest::{LibtestFormat, LibtestParser};
use formats::lines::Lines;
use streamresult::{Outcome, StreamResult, Summary};
use subunit::{Event, Timestamp};

const PIECES: [usize; 3] = [1, 7, 64];

/// Any bytes are read, however they are cut they say the same, and what began ends.
///
/// # Panics
///
/// When the law does not hold.
pub fn libtest(data: &[u8]) {
    for format in [LibtestFormat::Auto, LibtestFormat::Plain, LibtestFormat::Json] {
        let whole = told(format, data, data.len().max(1));
        assert_eq!(whole.summary.count(Outcome::Unfinished), 0);
        for piece in PIECES {
            assert_eq!(told(format, data, piece).lines, whole.lines, "in pieces of {piece}");
        }
    }
}

/// What the reader says.
#[derive(Default)]
struct EventLog {
    /// A line an event; pieces of a file that follow one another are one.
    lines: Vec<String>,
    file: Option<String>,
    summary: Summary,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let bytes = event.file.map(|file| file.bytes.escape_ascii().to_string()).unwrap_or_default();
        let file = event.file.map(|file| format!("{:?} {:?}", event.test_id, file.name));
        match self.lines.last_mut() {
            Some(last) if file.is_some() && file == self.file && event.status.is_none() => *last += &bytes,
            _ => {
                let Event { test_id, status, tags, timestamp, .. } = event;
                self.lines.push(format!("{test_id:?} {status:?} {tags:?} {timestamp:?} {file:?} {bytes}"));
            }
        }
        self.file = file.filter(|_| event.status.is_none());
        let encoded = subunit::encode(event, &mut Vec::new());
        assert!(encoded.is_ok(), "{encoded:?}: {event:?}");
        self.summary.status(event)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.summary.stop_run()
    }
}

fn told(format: LibtestFormat, data: &[u8], piece: usize) -> EventLog {
    let mut told = EventLog::default();
    let clock = || Some(Timestamp::from_seconds(1_000_000));
    let mut lines = Lines::new(LibtestParser::with_clock(format, clock));
    let fed = data.chunks(piece).try_for_each(|bytes| lines.feed(bytes, &mut told));
    let ended = fed.and_then(|()| lines.finish(&mut told)).and_then(|()| told.stop_run());
    assert!(ended.is_ok(), "{ended:?}");
    told
}
