//! Whether there was a packet in the input, and what it seems to be if there was none.

use std::fmt;
use std::io::{self, Read};

use streamresult::{StreamResult, deliver};
use subunit::io::Reader;
use subunit::{Frame, part};

use crate::recognise::{Recognised, recognise};

/// How much of the text is looked at.
const HEAD: usize = 4 << 10;

/// Watches the frames of a stream for a packet.
#[derive(Clone, Debug, Default)]
pub struct PacketWatch {
    has_packet: bool,
    /// The beginning of the text, until a packet comes.
    head: Vec<u8>,
}

impl PacketWatch {
    /// Notes a frame. Damage is of a packet.
    #[inline]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Text(text) if !self.has_packet => self.text(text),
            Frame::Text(_) => {}
            Frame::Packet(_) | Frame::Corrupt(..) => self.has_packet = true,
        }
    }

    #[cold]
    fn text(&mut self, text: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(part(text, ..room.min(text.len())));
    }

    /// Reads a stream to its end, as [`streamresult::drive`] does, and watches it.
    ///
    /// # Errors
    ///
    /// When reading fails, or the sink does.
    pub fn drive<S: StreamResult + ?Sized>(input: impl Read, sink: &mut S) -> io::Result<PacketWatch> {
        let mut watch = PacketWatch::default();
        let take = |(watch, sink): &mut (&mut PacketWatch, &mut S), frame: Frame<'_>, offset| {
            watch.frame(&frame);
            deliver(&frame, offset, *sink)
        };
        let started = sink.start_run();
        let mut reader = Reader::new(input);
        let driven =
            started.and_then(|()| reader.each(&mut (&mut watch, &mut *sink), take, |(_, sink)| sink.flush()));
        driven.and(sink.stop_run())?;
        Ok(watch)
    }

    /// What the input looks like, if there was no packet in it.
    #[must_use]
    pub fn recognised(&self) -> Option<Recognised> {
        if self.is_empty() { recognise(&self.head) } else { None }
    }

    /// Whether there was no packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_packet
    }
}

/// What to say of an input without a packet.
impl fmt::Display for PacketWatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recognised() {
            _ if self.head.is_empty() => formatter.write_str("there is nothing in it"),
            Some(found) => write!(formatter, "there is no packet in it; {found}"),
            None => formatter.write_str("there is no packet in it, only text"),
        }
    }
}
