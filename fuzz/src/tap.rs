//! The law of reading TAP.

use std::collections::HashSet;
use std::io;

use formats::lines::Lines;
use formats::tap::TapParser;
use streamresult::{Outcome, StreamResult, Summary};
use subunit::{Event, Status, Timestamp};

const PIECES: [usize; 3] = [1, 7, 64];

/// Any bytes are read, however they are cut they say the same, each test ends once, and no two have the same id.
///
/// # Panics
///
/// When the law does not hold.
pub fn tap(data: &[u8]) {
    let whole = told(data, data.len().max(1));
    let says_unfinished = data.windows(9).any(|text| text == b"unfinishe");
    assert!(says_unfinished || whole.summary.count(Outcome::Unfinished) == 0);
    for piece in PIECES {
        assert_eq!(told(data, piece).lines, whole.lines, "in pieces of {piece}");
    }
}

/// What the reader says.
#[derive(Default)]
struct EventLog {
    /// A line an event; pieces of a file that follow one another are one.
    lines: Vec<String>,
    file: Option<String>,
    ended: HashSet<String>,
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
        if let (Some(id), Some(true)) = (event.test_id, event.status.map(Status::is_final)) {
            assert!(self.ended.insert(id.to_owned()), "{id:?} ended twice");
        }
        let encoded = subunit::encode(event, &mut Vec::new());
        assert!(encoded.is_ok(), "{encoded:?}: {event:?}");
        self.summary.status(event)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.summary.stop_run()
    }
}

fn told(data: &[u8], piece: usize) -> EventLog {
    let mut told = EventLog::default();
    let mut lines = Lines::new(TapParser::new().clock(|| Timestamp::from_seconds(1_000_000)));
    let fed = data.chunks(piece).try_for_each(|bytes| {
        lines.feed(bytes, &mut told)?;
        lines.flush(&mut told)
    });
    let ended = fed.and_then(|()| lines.finish(&mut told)).and_then(|()| told.stop_run());
    assert!(ended.is_ok(), "{ended:?}");
    told
}
