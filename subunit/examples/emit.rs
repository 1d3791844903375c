//! Writes the stream of one failing test: `cargo run --example emit | subunit-ls`.

use std::io;

use subunit::io::Writer;
use subunit::{Event, File, Status, Timestamp};

fn main() -> io::Result<()> {
    let mut writer = Writer::new(io::stdout().lock());
    let begin = Event { timestamp: Some(Timestamp::now()), ..Event::status("demo.disk", Status::InProgress) };
    writer.write(&begin)?;
    let log = File { name: "reason", bytes: b"no space left on device\n" };
    writer.write(&Event {
        status: None,
        file: Some(log),
        mime_type: Some("text/plain;charset=utf8"),
        eof: true,
        ..begin
    })?;
    writer.write(&Event { status: Some(Status::Fail), timestamp: Some(Timestamp::now()), ..begin })?;
    writer.flush()
}
