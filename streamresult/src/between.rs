//! What stands between packets, on its way from a stream to another one.

use std::io::{self, Write};

use subunit::Frame;
use subunit::io::Writer;

use crate::TextEdit;

/// Copies text and damage, for programs that leave packets out.
///
/// Whether bytes are damage depends on what stands before them: damage that followed a packet could be taken for
/// text, were it copied behind text. So it is told where it stood, and begins a line where it must.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between {
    is_in_line: bool,
}

impl Between {
    /// Whether the next frame would stand within a line of text.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        self.is_in_line
    }

    /// Notes that this frame was read: each has to be told, packets too.
    #[inline]
    pub fn passed(&mut self, frame: &Frame<'_>) {
        self.is_in_line = matches!(frame, Frame::Text(text) if !text.ends_with(b"\n"));
    }

    /// Copies a frame that is not a packet: damage always, text if it is to be kept.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn copy<W: Write>(
        &self,
        frame: &Frame<'_>,
        text: TextEdit,
        output: &mut Writer<W>,
    ) -> io::Result<()> {
        match frame {
            Frame::Text(bytes) if text == TextEdit::Keep => output.write_bytes(bytes),
            Frame::Corrupt(bytes, _) => output.write_damage(bytes, self.is_in_line),
            Frame::Text(_) | Frame::Packet(_) => Ok(()),
        }
    }
}
