//! The stream of one command on its way into that of all.

use std::io::{self, Write};

use process::{Sink, Source};
use streamresult::{Between, TextEdit};
use subunit::io::Writer;
use subunit::{Decoder, Event, Frame, Packet, Status, Step, part};

/// Passes a stream on as it comes, with a prefix before each id.
pub(super) struct Prefixed<'a, W: Write> {
    prefix: &'a str,
    output: &'a mut Writer<W>,
    decoder: Decoder,
    /// What is not decoded yet.
    rest: Vec<u8>,
    between: Between,
    has_failed: bool,
}

impl<'a, W: Write> Prefixed<'a, W> {
    pub(super) fn new(prefix: &'a str, output: &'a mut Writer<W>) -> Self {
        let (decoder, between) = (Decoder::new(), Between::default());
        Prefixed { prefix, output, decoder, rest: Vec::new(), between, has_failed: false }
    }

    /// Passes the last of it on, and says whether a failure was in it.
    pub(super) fn end(mut self) -> io::Result<bool> {
        self.decode(true)?;
        self.output.flush()?;
        Ok(self.has_failed)
    }

    fn decode(&mut self, is_end: bool) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut done = 0;
        while let Step::Frame(len, frame) = self.decoder.decode(part(&bytes, done..), is_end) {
            self.frame(&frame)?;
            done += len;
        }
        bytes.drain(..done);
        self.rest = bytes;
        Ok(())
    }

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

impl<W: Write> Sink for Prefixed<'_, W> {
    fn take(&mut self, _: Source, bytes: &[u8]) -> io::Result<()> {
        self.rest.extend_from_slice(bytes);
        self.decode(false)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
