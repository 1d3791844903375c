//! The law of reading subunit version 1.

use std::io;

use formats::v1::V1Parser;
use streamresult::{Outcome, StreamResult, Summary};
use subunit::{Event, Packet, SIGNATURE};

const PIECES: [usize; 3] = [1, 7, 64];

/// Any bytes are read, however they are cut they say the same, and what began ends.
///
/// # Panics
///
/// When the law does not hold.
pub fn v1(data: &[u8]) {
    let whole = told(data, data.len().max(1));
    // Packets of version 2 are passed on, and may leave a test open.
    assert!(data.contains(&SIGNATURE) || whole.summary.count(Outcome::Unfinished) == 0);
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
    summary: Summary,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let encoded = subunit::encode(event, &mut Vec::new());
        assert!(encoded.is_ok(), "{encoded:?}: {event:?}");
        self.summary.status(event)?;
        let Event { test_id, status, tags, timestamp, route_code, .. } = event;
        if let Some(file) = event.file {
            let about = format!("{test_id:?} {route_code:?} {timestamp:?} {:?}", file.name);
            if self.file.as_ref() != Some(&about) {
                self.lines.push(about.clone());
            }
            if let Some(last) = self.lines.last_mut() {
                *last += &file.bytes.escape_ascii().to_string();
            }
            self.file = (!event.eof && status.is_none()).then_some(about);
        } else {
            self.file = None;
        }
        if event.file.is_none() || status.is_some() || event.eof {
            let eof = event.eof;
            self.lines.push(format!("{test_id:?} {route_code:?} {status:?} {tags:?} {timestamp:?} {eof}"));
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.status(&packet.event())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.summary.stop_run()
    }
}

fn told(data: &[u8], piece: usize) -> EventLog {
    let (mut parser, mut told) = (V1Parser::new(), EventLog::default());
    let mut held = Vec::new();
    let fed = data.chunks(piece).try_for_each(|bytes| {
        held.extend_from_slice(bytes);
        let used = parser.feed(&held, &mut told)?;
        held.drain(..used);
        parser.flush(&mut told)
    });
    let ended = fed.and_then(|()| parser.finish(&held, &mut told)).and_then(|()| told.stop_run());
    assert!(ended.is_ok(), "{ended:?}");
    told
}
