//! The law of reading what `go test -json` says.

use std::collections::HashMap;
use std::io;

use formats::gojson::GoJsonParser;
use formats::lines::Lines;
use streamresult::StreamResult;
use subunit::{Event, Status};

const PIECES: [usize; 3] = [1, 7, 64];

/// Any bytes are read, however they are cut they say the same, and each test that began ends.
///
/// # Panics
///
/// When the law does not hold.
pub fn gojson(data: &[u8]) {
    let whole = told(data, data.len().max(1));
    assert!(whole.open.values().all(|open| *open == 0), "{:?}", whole.open);
    for piece in PIECES {
        assert_eq!(told(data, piece).lines, whole.lines, "in pieces of {piece}");
    }
}

/// What the reader says.
#[derive(Default)]
struct EventLog {
    /// A line a file or status; pieces of a file that follow one another are one.
    lines: Vec<String>,
    file: Option<String>,
    /// How often a test has begun and not ended.
    open: HashMap<String, u64>,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let encoded = subunit::encode(event, &mut Vec::new());
        assert!(encoded.is_ok(), "{encoded:?}: {event:?}");
        if let Some(file) = event.file.filter(|file| !file.bytes.is_empty()) {
            let key = format!("{:?} {:?} {:?}", event.test_id, file.name, event.mime_type);
            match self.lines.last_mut().filter(|_| self.file.as_ref() == Some(&key)) {
                Some(last) => *last += &file.bytes.escape_ascii().to_string(),
                None => self.lines.push(format!("{key} {}", file.bytes.escape_ascii())),
            }
            self.file = Some(key);
        }
        if let Some(status) = event.status {
            self.file = None;
            self.lines.push(format!("{:?} {status:?} {:?}", event.test_id, event.timestamp));
            self.count(event.test_id, status);
        }
        Ok(())
    }
}

impl EventLog {
    fn count(&mut self, id: Option<&str>, status: Status) {
        let Some(id) = id else { panic!("{status:?} without an id") };
        let open = self.open.entry(id.to_owned()).or_default();
        *open = if status.is_final() { open.saturating_sub(1) } else { *open + 1 };
    }
}

fn told(data: &[u8], piece: usize) -> EventLog {
    let mut told = EventLog::default();
    let mut lines = Lines::new(GoJsonParser::new());
    let fed = data.chunks(piece).try_for_each(|bytes| {
        lines.feed(bytes, &mut told)?;
        lines.flush(&mut told)
    });
    let ended = fed.and_then(|()| lines.finish(&mut told));
    assert!(ended.is_ok(), "{ended:?}");
    told
}
