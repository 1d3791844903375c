//! One packet: checked bytes, and where its fields stand in them.

use std::fmt;

use bytes::Bytes;

use crate::encode::encode;
use crate::error::{EncodeError, Field, PacketError, PacketErrorKind};
use crate::event::{Event, File, Status};
use crate::sums;
use crate::tags::Tags;
use crate::timestamp::{NANOSECONDS, Timestamp};
use crate::wire::{self, CHECKSUM, Cursor, LENGTH_AT, LONG_NUMBER, SIGNATURE, Stop, checked, number_of};

/// A whole packet, borrowed: its bytes were checked, its fields are read when asked for.
///
/// Forwarding copies [`as_bytes`](Packet::as_bytes); counting looks at [`status`](Packet::status); neither
/// makes a string.
///
/// ```
/// use subunit::{Packet, Status};
///
/// // The test vector of the specification's README.
/// let bytes = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
/// let packet = Packet::parse(bytes)?;
/// assert_eq!(packet.test_id(), Some("foo"));
/// assert_eq!(packet.status(), Some(Status::Exists));
/// # Ok::<(), subunit::PacketError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl<'a> Packet<'a> {
    /// Checks bytes that are exactly one packet.
    ///
    /// # Errors
    ///
    /// When they are not, with what is wrong and where: structure first, then the checksum.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        Layout::of_packet(bytes).map(|layout| Packet { bytes, layout })
    }

    /// The packet of these bytes, which were checked and found to have this layout.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8], layout: Layout) -> Self {
        Packet { bytes, layout }
    }

    /// All bytes of the packet, as they came.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the packet says.
    #[must_use]
    pub fn event(&self) -> Event<'a> {
        Event {
            test_id: self.test_id(),
            status: self.status(),
            tags: self.tags(),
            runnable: self.runnable(),
            file: self.file(),
            mime_type: self.mime_type(),
            eof: self.eof(),
            route_code: self.route_code(),
            timestamp: self.timestamp(),
        }
    }

    /// The test this is about.
    #[must_use]
    pub fn test_id(&self) -> Option<&'a str> {
        self.string(wire::TEST_ID, self.layout.test_id)
    }

    /// What became of the test.
    #[inline]
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_bits(self.layout.flags & wire::STATUS_MASK)
    }

    /// The tags, read one by one as they are asked for.
    #[must_use]
    pub fn tags(&self) -> Tags<'a> {
        if self.has(wire::TAGS) {
            Tags::wire(self.bytes_at(self.layout.tags), self.layout.tag_count as usize)
        } else {
            Tags::default()
        }
    }

    /// Whether the test can be run by its id.
    #[inline]
    #[must_use]
    pub fn runnable(&self) -> bool {
        self.has(wire::RUNNABLE)
    }

    /// The piece of a file.
    #[must_use]
    pub fn file(&self) -> Option<File<'a>> {
        let name = self.string(wire::FILE, self.layout.file_name)?;
        Some(File { name, bytes: self.bytes_at(self.layout.content) })
    }

    /// The file's MIME type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&'a str> {
        self.string(wire::MIME_TYPE, self.layout.mime_type)
    }

    /// Whether the file ends here.
    #[inline]
    #[must_use]
    pub fn eof(&self) -> bool {
        self.has(wire::EOF)
    }

    /// The routers on the packet's way, separated by `/`.
    #[must_use]
    pub fn route_code(&self) -> Option<&'a str> {
        self.string(wire::ROUTE_CODE, self.layout.route_code)
    }

    /// When it happened.
    #[inline]
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.has(wire::TIMESTAMP).then_some(self.layout.timestamp)
    }

    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_owned(&self) -> PacketBuf {
        PacketBuf(Bytes::copy_from_slice(self.bytes))
    }

    /// [`test_id`](Packet::test_id) as bytes, which makes no string.
    #[inline]
    #[must_use]
    pub fn test_id_bytes(&self) -> Option<&'a [u8]> {
        self.field(wire::TEST_ID, self.layout.test_id)
    }

    /// The tags as they stand in the packet, which are not read: packets with the same bytes have the same tags.
    /// Tags that are present and empty are no bytes, absent ones are `None`.
    #[inline]
    #[must_use]
    pub fn tags_bytes(&self) -> Option<&'a [u8]> {
        self.field(wire::TAGS, self.layout.tags)
    }

    /// The file's name as bytes, which makes no string. A packet has a name or no [`file`](Packet::file) at all.
    #[inline]
    #[must_use]
    pub fn file_name_bytes(&self) -> Option<&'a [u8]> {
        self.field(wire::FILE, self.layout.file_name)
    }

    /// The bytes of the file's piece.
    #[inline]
    #[must_use]
    pub fn file_content(&self) -> Option<&'a [u8]> {
        self.field(wire::FILE, self.layout.content)
    }

    /// [`mime_type`](Packet::mime_type) as bytes, which makes no string.
    #[inline]
    #[must_use]
    pub fn mime_type_bytes(&self) -> Option<&'a [u8]> {
        self.field(wire::MIME_TYPE, self.layout.mime_type)
    }

    /// [`route_code`](Packet::route_code) as bytes, which makes no string.
    #[inline]
    #[must_use]
    pub fn route_code_bytes(&self) -> Option<&'a [u8]> {
        self.field(wire::ROUTE_CODE, self.layout.route_code)
    }

    /// The whole field of the route code, with its length, and the code alone.
    pub(crate) fn route_code_field(&self) -> Option<(&'a [u8], &'a [u8])> {
        let code = self.route_code_bytes()?;
        let end = self.bytes.len() - CHECKSUM;
        let field = self.bytes.get(self.layout.route_field as usize..end).unwrap_or_default();
        Some((field, code))
    }

    /// The flags of the header.
    #[inline]
    pub(crate) fn flags(&self) -> u16 {
        self.layout.flags
    }

    /// Where the fields begin, after the header.
    #[inline]
    pub(crate) fn body(&self) -> usize {
        usize::from(self.layout.body)
    }

    /// The bytes of a field.
    #[inline]
    pub(crate) fn bytes_at(&self, span: Span) -> &'a [u8] {
        self.bytes
            .get(span.start as usize..)
            .and_then(|rest| rest.get(..span.len as usize))
            .unwrap_or_default()
    }

    #[inline]
    fn has(&self, flag: u16) -> bool {
        self.layout.flags & flag != 0
    }

    /// The bytes of a field, if the packet has it.
    #[inline]
    fn field(&self, flag: u16, span: Span) -> Option<&'a [u8]> {
        self.has(flag).then(|| self.bytes_at(span))
    }

    fn string(&self, flag: u16, span: Span) -> Option<&'a str> {
        self.field(flag, span).map(checked)
    }
}

impl PartialEq for Packet<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Packet<'_> {}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Packet").field(&self.event()).finish()
    }
}

/// A packet that owns its bytes: the form in which an event waits, or goes to another thread.
///
/// A clone shares the bytes.
///
/// ```
/// use subunit::{Event, PacketBuf, Status};
///
/// let kept = PacketBuf::encode(&Event::status("boot", Status::Fail))?;
/// assert_eq!(kept.event().test_id, Some("boot"));
/// # Ok::<(), subunit::EncodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PacketBuf(Bytes);

impl PacketBuf {
    /// The packet of an event.
    ///
    /// # Errors
    ///
    /// When the event does not fit in one packet or cannot be written at all.
    pub fn encode(event: &Event<'_>) -> Result<Self, EncodeError> {
        let mut bytes = Vec::new();
        encode(event, &mut bytes)?;
        Ok(PacketBuf(bytes.into()))
    }

    /// Checks bytes that are exactly one packet.
    ///
    /// # Errors
    ///
    /// As [`Packet::parse`].
    pub fn parse(bytes: Bytes) -> Result<Self, PacketError> {
        Layout::of_packet(&bytes).map(|_| PacketBuf(bytes))
    }

    /// The packet of bytes that were checked.
    #[cfg(feature = "tokio")]
    pub(crate) fn of(bytes: Bytes) -> Self {
        PacketBuf(bytes)
    }

    /// The packet, borrowed.
    #[must_use]
    pub fn packet(&self) -> Packet<'_> {
        let mut layout = Layout::default();
        let read = Header::read(&self.0).and_then(|header| layout.read(&self.0, header, usize::MAX));
        debug_assert!(read.is_ok(), "the bytes were checked");
        Packet { bytes: &self.0, layout }
    }

    /// What the packet says.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        self.packet().event()
    }

    /// All bytes of the packet.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// All bytes of the packet, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl From<Packet<'_>> for PacketBuf {
    fn from(packet: Packet<'_>) -> Self {
        packet.to_owned()
    }
}

impl fmt::Debug for PacketBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PacketBuf").field(&self.event()).finish()
    }
}

/// A field's place in its packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The `len` bytes before `end`.
    #[inline]
    fn ending(end: usize, len: usize) -> Self {
        Span { start: (end - len) as u32, len: len as u32 }
    }
}

/// Where the fields of a packet stand. What the flags do not name is left from the packet before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    flags: u16,
    /// Where the fields begin, after the length.
    body: u16,
    /// The whole packet's length.
    pub(crate) len: u32,
    timestamp: Timestamp,
    test_id: Span,
    tags: Span,
    tag_count: u32,
    mime_type: Span,
    file_name: Span,
    content: Span,
    /// Where the route code's length stands; the code is the last field.
    route_field: u32,
    route_code: Span,
}

impl Layout {
    /// The layout of bytes that are exactly one packet.
    fn of_packet(bytes: &[u8]) -> Result<Self, PacketError> {
        let truncated = |missing| PacketError::new(PacketErrorKind::Truncated(missing as u32), bytes.len());
        let stopped = |stop, missing| match stop {
            Stop::Bad(kind, offset) => PacketError::new(kind, offset),
            Stop::NeedMore | Stop::Unwalked => truncated(missing),
        };
        let header = Header::read(bytes).map_err(|stop| stopped(stop, 1))?;
        let missing = header.len.saturating_sub(bytes.len());
        let mut layout = Layout::default();
        layout.read(bytes, header, usize::MAX).map_err(|stop| stopped(stop, missing))?;
        let (fields, rest) =
            bytes.split_at_checked(header.len - CHECKSUM).ok_or_else(|| truncated(missing))?;
        let (stored, rest) = rest.split_first_chunk::<CHECKSUM>().ok_or_else(|| truncated(missing))?;
        check_sum(sums::hash(fields), u32::from_be_bytes(*stored), fields.len())?;
        if rest.is_empty() {
            Ok(layout)
        } else {
            Err(PacketError::new(PacketErrorKind::LeftOver(rest.len() as u32), header.len))
        }
    }

    /// Makes this the layout of a packet of which `bytes` have come, looking at `walk` bytes of its strings.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8], header: Header, walk: usize) -> Result<(), Stop> {
        let mut cursor = Cursor::within(bytes, header.body, header.len - CHECKSUM, walk);
        (self.flags, self.body, self.len) = (header.flags, header.body as u16, header.len as u32);
        self.read_fields(&mut cursor).ok_or_else(|| cursor.stop())
    }

    #[inline]
    fn read_fields(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let flags = self.flags;
        let has = |flag| flags & flag != 0;
        if has(wire::TIMESTAMP) {
            self.timestamp = timestamp(cursor)?;
        }
        if has(wire::TEST_ID) {
            self.test_id = string(cursor, Field::TestId)?;
        }
        if has(wire::TAGS) {
            (self.tags, self.tag_count) = tags(cursor)?;
        }
        if has(wire::MIME_TYPE) {
            self.mime_type = string(cursor, Field::MimeType)?;
        }
        if has(wire::FILE) {
            self.file_name = string(cursor, Field::FileName)?;
            self.content = content(cursor)?;
        }
        if has(wire::ROUTE_CODE) {
            self.route_field = cursor.position() as u32;
            self.route_code = string(cursor, Field::RouteCode)?;
        }
        match cursor.left() {
            0 => Some(()),
            left => cursor.bad(PacketErrorKind::LeftOver(left as u32), cursor.position()),
        }
    }
}

/// The error of a packet whose checksum, which stands at `offset`, is not that of its bytes.
#[inline]
pub(crate) fn check_sum(computed: u32, stored: u32, offset: usize) -> Result<(), PacketError> {
    if computed == stored {
        Ok(())
    } else {
        Err(PacketError::new(PacketErrorKind::Checksum { stored, computed }, offset))
    }
}

/// What the first bytes of a packet say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    flags: u16,
    pub(crate) len: usize,
    body: usize,
}

impl Header {
    /// Reads the header of a packet, refusing it at the first byte that cannot be right.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Stop> {
        let [signature, high, low, first, ..] = *bytes else { return Err(short_header(bytes)) };
        let flags = u16::from_be_bytes([high, low]);
        let wrong = signature != SIGNATURE
            || flags & (wire::VERSION_MASK | wire::RESERVED) != wire::VERSION
            || first >= LONG_NUMBER;
        if wrong {
            return Err(header_fault(signature, flags, first).unwrap_or(Stop::NeedMore));
        }
        let width = wire::number_width(first);
        let body = LENGTH_AT + width;
        let Some(number) = bytes.get(LENGTH_AT..body) else { return Err(Stop::NeedMore) };
        let len = number_of(number);
        if len < body + CHECKSUM {
            return Err(Stop::Bad(PacketErrorKind::Length(len as u32), LENGTH_AT));
        }
        Ok(Header { flags, len, body })
    }
}

/// What is wrong with these first bytes, if anything is.
#[cold]
fn header_fault(signature: u8, flags: u16, first: u8) -> Option<Stop> {
    let (kind, offset) = if signature != SIGNATURE {
        (PacketErrorKind::Signature(signature), 0)
    } else if flags & wire::VERSION_MASK != wire::VERSION {
        (PacketErrorKind::Version((flags >> 12) as u8), 1)
    } else if flags & wire::RESERVED != 0 {
        (PacketErrorKind::ReservedBit, 2)
    } else if first >= LONG_NUMBER {
        (PacketErrorKind::LongLength, LENGTH_AT)
    } else {
        return None;
    };
    Some(Stop::Bad(kind, offset))
}

/// What can be said of a header of which not even four bytes have come.
#[cold]
fn short_header(bytes: &[u8]) -> Stop {
    let mut header = [SIGNATURE, (wire::VERSION >> 8) as u8, 0, 0];
    header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let [signature, high, low, first] = header;
    header_fault(signature, u16::from_be_bytes([high, low]), first).unwrap_or(Stop::NeedMore)
}

#[inline]
fn timestamp(cursor: &mut Cursor<'_>) -> Option<Timestamp> {
    let seconds = cursor.u32(Field::Timestamp)?;
    let at = cursor.position();
    let nanoseconds = cursor.number(Field::Timestamp)? as u32;
    if nanoseconds >= NANOSECONDS {
        return cursor.bad(PacketErrorKind::Nanoseconds(nanoseconds), at);
    }
    Some(Timestamp { seconds, nanoseconds })
}

#[inline]
fn string(cursor: &mut Cursor<'_>, field: Field) -> Option<Span> {
    let len = cursor.string(field)?.len();
    Some(Span::ending(cursor.position(), len))
}

#[inline]
fn tags(cursor: &mut Cursor<'_>) -> Option<(Span, u32)> {
    let at = cursor.position();
    let count = cursor.number(Field::Tags)?;
    if count > cursor.left() {
        return cursor.bad(PacketErrorKind::PastEnd(Field::Tags), at);
    }
    let start = cursor.position();
    for _ in 0..count {
        cursor.string(Field::Tag)?;
    }
    Some((Span::ending(cursor.position(), cursor.position() - start), count as u32))
}

#[inline]
fn content(cursor: &mut Cursor<'_>) -> Option<Span> {
    let at = cursor.position();
    let len = cursor.number(Field::FileContent)?;
    cursor.take(len, Field::FileContent, at)?;
    Some(Span::ending(cursor.position(), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_fault(bytes: &[u8], kind: PacketErrorKind, offset: usize) {
        let error = Packet::parse(bytes).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{error}");
    }

    #[test]
    fn a_header_is_refused_at_its_first_wrong_byte() {
        check_fault(b"\xb4", PacketErrorKind::Signature(0xb4), 0);
        check_fault(b"\xb3\x19", PacketErrorKind::Version(1), 1);
        check_fault(b"\xb3\x29\x09", PacketErrorKind::ReservedBit, 2);
        check_fault(b"\xb3\x29\x01\xc0", PacketErrorKind::LongLength, 3);
        check_fault(b"\xb3\x20\x00\x07", PacketErrorKind::Length(7), 3);
        check_fault(b"\xb3\x20\x00\x40\x08", PacketErrorKind::Length(8), 3);
        check_fault(b"", PacketErrorKind::Truncated(1), 0);
    }

    fn check_bytes(event: &Event<'_>, tags: Option<&[u8]>) {
        let packet = PacketBuf::encode(event).unwrap();
        let packet = packet.packet();
        let text = [event.test_id, event.file.map(|file| file.name), event.mime_type, event.route_code];
        let bytes = [
            packet.test_id_bytes(),
            packet.file_name_bytes(),
            packet.mime_type_bytes(),
            packet.route_code_bytes(),
        ];
        assert_eq!(bytes, text.map(|text| text.map(str::as_bytes)));
        assert_eq!(packet.file_content(), event.file.map(|file| file.bytes));
        assert_eq!(packet.tags_bytes(), tags);
    }

    #[test]
    fn the_bytes_of_a_field_are_those_of_its_text() {
        check_bytes(&Event::default(), None);
        check_bytes(
            &Event { tags: Tags::from(&[]), route_code: Some(""), ..Event::file("", b"") },
            Some(b""),
        );
        let event =
            Event { mime_type: Some("text/plain"), route_code: Some("0/1"), ..Event::file("log", b"x") };
        check_bytes(
            &Event { test_id: Some("bö"), tags: Tags::from(&["a", "bc"]), ..event },
            Some(b"\x01a\x02bc"),
        );
    }

    #[test]
    fn bytes_after_the_packet_are_left_over() {
        check_fault(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b\n", PacketErrorKind::LeftOver(1), 12);
    }
}
