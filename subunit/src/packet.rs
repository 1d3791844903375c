//! One packet: checked bytes, and where its fields stand in them.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::encode::encode;
use crate::error::{EncodeError, PacketError};
use crate::event::{Event, File, Status};
use crate::layout::{Layout, Span};
use crate::part::part;
use crate::tags::Tags;
use crate::timestamp::Timestamp;
use crate::wire::{self, CHECKSUM, checked};

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
            Tags::wire(self.layout.tags.of(self.bytes), self.layout.tag_count as usize)
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
        Some(File { name, bytes: self.layout.content.of(self.bytes) })
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
    /// No bytes if they are present but empty, `None` if they are absent.
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

    /// The fields before the route code.
    #[inline]
    pub(crate) fn before_route(&self) -> &'a [u8] {
        let end = if self.has(wire::ROUTE_CODE) {
            self.layout.route_field as usize
        } else {
            self.bytes.len() - CHECKSUM
        };
        part(self.bytes, self.body()..end)
    }

    /// The packet up to its checksum, and that.
    #[inline]
    pub(crate) fn fields_and_sum(&self) -> (&'a [u8], u32) {
        let split = self.bytes.split_last_chunk::<CHECKSUM>();
        debug_assert!(split.is_some(), "a packet has a checksum");
        split.map_or((&[], 0), |(fields, sum)| (fields, u32::from_be_bytes(*sum)))
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

    #[inline]
    fn has(&self, flag: u16) -> bool {
        self.layout.flags & flag != 0
    }

    /// The bytes of a field, if the packet has it.
    #[inline]
    fn field(&self, flag: u16, span: Span) -> Option<&'a [u8]> {
        self.has(flag).then(|| span.of(self.bytes))
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
    /// See [`Packet::parse`].
    pub fn parse(bytes: Bytes) -> Result<Self, PacketError> {
        Layout::of_packet(&bytes).map(|_| PacketBuf(bytes))
    }

    /// The packet of bytes that were checked.
    #[cfg(feature = "codec")]
    pub(crate) fn of(bytes: Bytes) -> Self {
        PacketBuf(bytes)
    }

    /// The packet, borrowed.
    #[must_use]
    pub fn packet(&self) -> Packet<'_> {
        Packet { bytes: &self.0, layout: Layout::of_checked(&self.0) }
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

    /// The same packet in memory of its own. One that came from `codec` shares the buffer that was read into, and keeps
    /// all of it, 64 KiB and more, for as long as it lives: what is kept for long is compacted first.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use subunit::PacketBuf;
    ///
    /// let read = Bytes::from_static(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b and much more");
    /// let kept = PacketBuf::parse(read.slice(..12))?.compact();
    /// assert_eq!(kept.event().test_id, Some("foo"));
    /// # Ok::<(), subunit::PacketError>(())
    /// ```
    #[must_use]
    pub fn compact(&self) -> PacketBuf {
        PacketBuf(Bytes::copy_from_slice(&self.0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::PacketErrorKind;

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
