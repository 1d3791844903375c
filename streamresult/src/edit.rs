//! From bytes to bytes: passes a stream on, changed here and there.

use std::io::{self, Read, Write};

use subunit::io::{Reader, Writer};
use subunit::{Event, Frame, Packet};

use crate::Between;

/// What becomes of a packet. Closed: a replacement is written first, and the packet then dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It is copied, byte for byte.
    Keep,
    /// It is left out.
    Drop,
}

impl Edit {
    /// Writes `event` where the packet was: as several packets, where one cannot hold its file content.
    ///
    /// # Errors
    ///
    /// When writing fails, or the event cannot be written at all.
    pub fn replace<W: Write>(output: &mut Writer<W>, event: &Event<'_>) -> io::Result<Edit> {
        output.write(event).map(|()| Edit::Drop)
    }
}

/// What becomes of text between packets. Closed: it stays or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextEdit {
    /// It is copied, in its place.
    #[default]
    Keep,
    /// It is left out.
    Drop,
}

/// Copies a stream, with each packet kept, dropped or replaced as `change` says. Text between packets is
/// copied or dropped, as `text` says; damaged bytes are copied, in their place, and stay damage whatever was dropped
/// before them.
///
/// Whenever reading may block, the output is flushed first.
///
/// ```
/// use streamresult::{Edit, TextEdit, edit};
/// use subunit::{Event, Status};
///
/// let stream = b"starting\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let mut out = Vec::new();
/// edit(&stream[..], &mut out, TextEdit::Drop, |event, out| match event.test_id {
///     None => Ok(Edit::Keep),
///     Some(id) if id.starts_with("internal.") => Ok(Edit::Drop),
///     Some(id) => Edit::replace(out, &Event { test_id: Some(&format!("{id} (arm64)")), ..*event }),
/// })?;
/// assert_eq!(out, b"\xb3\x29\x01\x14\x0bfoo (arm64)\x40\xf9\x1d\x1c");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When reading or writing fails, or `change` does. What came before has been written then.
pub fn edit<R, W, F>(input: R, output: W, text: TextEdit, mut change: F) -> io::Result<()>
where
    R: Read,
    W: Write,
    F: FnMut(&Event<'_>, &mut Writer<W>) -> io::Result<Edit>,
{
    edit_packets(input, output, text, |packet, output| change(&packet.event(), output))
}

/// Like [`edit`], for changes that depend on only a part of each packet: nothing else of it is decoded.
///
/// ```
/// use streamresult::{Edit, TextEdit, edit_packets};
/// use subunit::{Event, Timestamp};
///
/// # let (stream, out, clock) = (&b""[..], Vec::new(), Timestamp::now);
/// edit_packets(stream, out, TextEdit::Keep, |packet, out| match packet.timestamp() {
///     Some(_) => Ok(Edit::Keep),
///     None => Edit::replace(out, &Event { timestamp: Some(clock()), ..packet.event() }),
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// See [`edit`].
pub fn edit_packets<R, W, F>(input: R, output: W, text: TextEdit, mut change: F) -> io::Result<()>
where
    R: Read,
    W: Write,
    F: FnMut(&Packet<'_>, &mut Writer<W>) -> io::Result<Edit>,
{
    let mut output = Writer::new(output);
    let passed = pass(&mut Reader::new(input), &mut output, text, &mut change);
    passed.and(output.flush())
}

fn pass<R, W, F>(
    reader: &mut Reader<R>,
    output: &mut Writer<W>,
    text: TextEdit,
    change: &mut F,
) -> io::Result<()>
where
    R: Read,
    W: Write,
    F: FnMut(&Packet<'_>, &mut Writer<W>) -> io::Result<Edit>,
{
    let mut between = Between::default();
    let take = |output: &mut Writer<W>, frame: Frame<'_>, _| {
        match &frame {
            Frame::Packet(packet) => {
                if change(packet, output)? == Edit::Keep {
                    output.write_packet(packet)?;
                }
            }
            other => between.copy(other, text, output)?,
        }
        between.passed(&frame);
        Ok(())
    };
    reader.each(output, take, Writer::flush)
}
