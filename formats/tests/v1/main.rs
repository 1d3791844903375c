//! Version 1, read and written: examples, and the laws that hold for all streams.

#![expect(clippy::unwrap_used, reason = "what a test needs and cannot have fails it")]

mod laws;
mod read;
mod write;

use std::io;

use formats::v1::V1Parser;
use streamresult::StreamResult;
use subunit::{Event, Packet};

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
        let Some(file) = event.file else {
            self.open = None;
            let status = event.status.map_or("-", |status| status.as_str());
            let mut line = format!("{id} {status}");
            if !event.tags.is_absent() {
                line += &format!(" {:?}", event.tags);
            }
            self.lines.push(line + &time(event));
            return Ok(());
        };
        let about = format!("{id} {}{}", file.name, time(event));
        if self.open.as_ref() != Some(&about) {
            let mime_type = event.mime_type.map(|mime_type| format!(" ({mime_type})")).unwrap_or_default();
            self.lines.push(format!("{about}{mime_type}: "));
        }
        let line = self.lines.last_mut().unwrap();
        *line += &file.bytes.escape_ascii().to_string();
        if event.eof {
            *line += "$";
        }
        self.open = (!event.eof).then_some(about);
        if let Some(status) = event.status {
            self.lines.push(format!("{id} {status}"));
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.status(&packet.event())
    }
}

fn time(event: &Event<'_>) -> String {
    let Some(time) = event.timestamp else { return String::new() };
    format!(" @{}.{:09}", time.seconds(), time.nanoseconds()).trim_end_matches('0').to_owned()
}

/// What a v1 stream tells, fed in pieces of this size.
fn log(stream: &[u8], piece: usize) -> Vec<String> {
    let (mut parser, mut log) = (V1Parser::new(), EventLog::default());
    let mut held = Vec::new();
    for bytes in stream.chunks(piece) {
        held.extend_from_slice(bytes);
        let used = parser.feed(&held, &mut log).unwrap();
        held.drain(..used);
        parser.flush(&mut log).unwrap();
    }
    parser.finish(&held, &mut log).unwrap();
    log.lines
}
