//! The stream of one command on its way into that of all.

use std::io::{self, Write};

use process::{Sink, Source};
use streamresult::{Between, TextEdit};
use subunit::io::Writer;
use subunit::{Event, Frame, Packet, PushReader, Status};

/// Passes a stream on as it comes, with a prefix before each id.
pub(super) struct Prefixed<'a, W: Write> {
    reader: PushReader,
    onward: Onward<'a, W>,
}

impl<'a, W: Write> Prefixed<'a, W> {
    pub(super) fn new(prefix: &'a str, output: &'a mut Writer<W>) -> Self {
        let onward = Onward { prefix, output, between: Between::default(), has_failed: false };
        Prefixed { reader: PushReader::default(), onward }
    }

    /// Passes the last of it on, and says whether a failure was in it.
    pub(super) fn end(mut self) -> io::Result<bool> {
        self.reader.end(|frame, _| self.onward.frame(&frame))?;
        self.onward.output.flush()?;
        Ok(self.onward.has_failed)
    }
}

impl<W: Write> Sink for Prefixed<'_, W> {
    fn take(&mut self, _: Source, bytes: &[u8]) -> io::Result<()> {
        self.reader.push(bytes, |frame, _| self.onward.frame(&frame))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.onward.output.flush()
    }
}

/// Where the frames go.
struct Onward<'a, W: Write> {
    prefix: &'a str,
    output: &'a mut Writer<W>,
    between: Between,
    has_failed: bool,
}

impl<W: Write> Onward<'_, W> {
    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        match frame {
            Frame::Packet(packet) => self.packet(packet)?,
            other => {
                self.has_failed |= matches!(other, Frame::Corrupt(..));
                self.between.copy(other, TextEdit::Keep, self.output)?;
            }
        }
        self.between.passed(frame);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.has_failed |= packet.status().is_some_and(Status::is_failure);
        match packet.test_id() {
            Some(id) if !self.prefix.is_empty() => {
                let id = format!("{}{id}", self.prefix);
                self.output.write(&Event { test_id: Some(&id), ..packet.event() })
            }
            _ => self.output.write_packet(packet),
        }
    }
}
