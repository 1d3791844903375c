//! Where the fields of a packet stand, and whether they are what they should be.
//!
//! A layout is found in one of two ways. [`Layout::glance`] takes nearly every packet there is, which is all
//! there, short, and plain ASCII; it knows no reasons, and gives up at the first thing that is unusual.
//! [`Layout::read`] takes any packet, also of which only the start has come, and says what is wrong and where.
//! Both find the same of what both take.

use crate::error::{Field, PacketError, PacketErrorKind};
use crate::examine::Walk;
use crate::part::part;
use crate::sums;
use crate::timestamp::{NANOSECONDS, Timestamp};
use crate::wire::{
    self, CHECKSUM, Cursor, LENGTH_AT, LONG_NUMBER, SIGNATURE, Stop, is_plain, number_of, number_width,
};

/// A packet up to this length can be taken at a glance, and has all its strings looked at before its checksum.
pub(crate) const SHORT: usize = 512;

/// A field's place in its packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The bytes in this place of a packet that was checked.
    #[inline]
    pub(crate) fn of(self, packet: &[u8]) -> &[u8] {
        let (start, len) = (self.start as usize, self.len as usize);
        part(packet, start..start + len)
    }

    /// The `len` bytes before `end`.
    #[inline]
    fn ending(end: usize, len: usize) -> Self {
        Span { start: (end - len) as u32, len: len as u32 }
    }
}

/// Where the fields of a packet stand. What the flags do not name is left from the packet before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) flags: u16,
    /// Where the fields begin, after the length.
    pub(crate) body: u16,
    /// The whole packet's length.
    pub(crate) len: u32,
    pub(crate) timestamp: Timestamp,
    pub(crate) test_id: Span,
    pub(crate) tags: Span,
    pub(crate) tag_count: u32,
    pub(crate) mime_type: Span,
    pub(crate) file_name: Span,
    pub(crate) content: Span,
    /// Where the route code's length stands; the code is the last field.
    pub(crate) route_field: u32,
    pub(crate) route_code: Span,
}

impl Layout {
    /// The layout of bytes that are exactly one packet.
    pub(crate) fn of_packet(bytes: &[u8]) -> Result<Self, PacketError> {
        let mut layout = Layout::default();
        match layout.glance(bytes) {
            Some(glance) if glance.len() == bytes.len() && glance.is_intact() => Ok(layout),
            _ => layout.read_packet(bytes).map(|()| layout),
        }
    }

    /// The layout of a packet that was checked before.
    pub(crate) fn of_checked(bytes: &[u8]) -> Self {
        let mut layout = Layout::default();
        if layout.glance(bytes).is_none() {
            let read = Header::read(bytes).and_then(|header| layout.read(bytes, header, usize::MAX));
            debug_assert!(read.is_ok(), "the bytes were checked");
        }
        layout
    }

    fn read_packet(&mut self, bytes: &[u8]) -> Result<(), PacketError> {
        let truncated = |missing| PacketError::new(PacketErrorKind::Truncated(missing as u32), bytes.len());
        let stopped = |stop, missing| match stop {
            Stop::Bad(kind, offset) => PacketError::new(kind, offset),
            Stop::NeedMore | Stop::Unwalked => truncated(missing),
        };
        let header = Header::read(bytes).map_err(|stop| stopped(stop, 1))?;
        let missing = header.len.saturating_sub(bytes.len());
        self.read(bytes, header, usize::MAX).map_err(|stop| stopped(stop, missing))?;
        let (fields, rest) =
            bytes.split_at_checked(header.len - CHECKSUM).ok_or_else(|| truncated(missing))?;
        let (stored, rest) = rest.split_first_chunk::<CHECKSUM>().ok_or_else(|| truncated(missing))?;
        check_sum(sums::hash(fields), u32::from_be_bytes(*stored), fields.len())?;
        if rest.is_empty() {
            Ok(())
        } else {
            Err(PacketError::new(PacketErrorKind::LeftOver(rest.len() as u32), header.len))
        }
    }

    /// Makes this the layout of the packet that `bytes` begin with, if it is all there, short, and plain ASCII;
    /// `None` if it is not, or anything is wrong with it.
    ///
    /// One look finds that all bytes of the strings, and of the numbers between them, are in `01..=7F`: then no
    /// string needs a look of its own, and no number has more than two bytes. Places are only added up: what
    /// runs past the end of the fields finds no number there, or does not end where they end.
    #[inline]
    pub(crate) fn glance<'a>(&mut self, bytes: &'a [u8]) -> Option<Glance<'a>> {
        let [signature, high, low, first, second, ..] = *bytes else { return None };
        let flags = u16::from_be_bytes([high, low]);
        let is_header =
            signature == SIGNATURE && flags & (wire::VERSION_MASK | wire::RESERVED) == wire::VERSION;
        let (body, len) = match first {
            0x00..=0x3F => (LENGTH_AT + 1, usize::from(first)),
            0x40..=0x7F => (LENGTH_AT + 2, number_of(&[first, second])),
            _ => return None,
        };
        if !is_header || len > SHORT {
            return None;
        }
        let packet = bytes.get(..len)?;
        let (fields, stored) = packet.split_last_chunk()?;
        let mut places = Places { fields, at: body };
        if flags & wire::TIMESTAMP != 0 {
            self.timestamp = places.timestamp(packet)?;
        }
        if !is_plain(fields.get(places.at..)?) {
            return None;
        }
        (self.flags, self.body, self.len) = (flags, body as u16, len as u32);
        self.find_strings(&mut places)?;
        (places.at == fields.len()).then_some(Glance { fields, stored: u32::from_be_bytes(*stored) })
    }

    /// Finds the fields after the timestamp, all plain.
    #[inline]
    fn find_strings(&mut self, places: &mut Places<'_>) -> Option<()> {
        let flags = self.flags;
        let has = |flag| flags & flag != 0;
        if has(wire::TEST_ID) {
            self.test_id = places.string()?;
        }
        if has(wire::TAGS) {
            (self.tags, self.tag_count) = places.tags()?;
        }
        if has(wire::MIME_TYPE) {
            self.mime_type = places.string()?;
        }
        if has(wire::FILE) {
            self.file_name = places.string()?;
            self.content = places.string()?;
        }
        if has(wire::ROUTE_CODE) {
            self.route_field = places.at as u32;
            self.route_code = places.string()?;
        }
        Some(())
    }

    /// Makes this the layout of a packet of which `bytes` have come, looking at `walk` bytes of its strings.
    pub(crate) fn read(&mut self, bytes: &[u8], header: Header, walk: usize) -> Result<(), Stop> {
        self.read_with(bytes, header, Walk { bytes: walk, longest: usize::MAX })
    }

    /// Like [`read`](Layout::read), where strings that are too long are bad.
    pub(crate) fn read_with(&mut self, bytes: &[u8], header: Header, walk: Walk) -> Result<(), Stop> {
        let mut cursor = Cursor::within(bytes, header.body, header.len - CHECKSUM, walk.bytes);
        cursor.longest = walk.longest;
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

/// A packet that was found at a glance, but for its checksum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance<'a> {
    fields: &'a [u8],
    stored: u32,
}

impl Glance<'_> {
    /// The packet's length.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.fields.len() + CHECKSUM
    }

    /// Whether the checksum is that of the bytes.
    #[inline]
    pub(crate) fn is_intact(&self) -> bool {
        sums::hash(self.fields) == self.stored
    }
}

/// Walks over the fields of a packet at a glance: `at` may run past their end, where no number is.
struct Places<'a> {
    /// The packet up to its checksum.
    fields: &'a [u8],
    at: usize,
}

impl Places<'_> {
    /// The timestamp. Its nanoseconds are read as four bytes, of which the checksum has what they lack.
    #[inline]
    fn timestamp(&mut self, packet: &[u8]) -> Option<Timestamp> {
        let (seconds, rest) = packet.get(self.at..)?.split_first_chunk()?;
        let number = u32::from_be_bytes(*rest.first_chunk()?);
        let width = (number >> 30) + 1;
        let nanoseconds = (number & 0x3FFF_FFFF) >> (32 - 8 * width);
        self.at += 4 + width as usize;
        let timestamp = Timestamp { seconds: u32::from_be_bytes(*seconds), nanoseconds };
        (nanoseconds < NANOSECONDS).then_some(timestamp)
    }

    /// A plain number: of one byte, or of two.
    #[inline]
    fn number(&mut self) -> Option<usize> {
        let first = *self.fields.get(self.at)?;
        self.at += 1;
        if first < 0x40 {
            return Some(usize::from(first));
        }
        let second = *self.fields.get(self.at)?;
        self.at += 1;
        Some(number_of(&[first, second]))
    }

    /// A string, or other bytes after their length.
    #[inline]
    fn string(&mut self) -> Option<Span> {
        let len = self.number()?;
        self.at += len;
        Some(Span { start: (self.at - len) as u32, len: len as u32 })
    }

    #[inline]
    fn tags(&mut self) -> Option<(Span, u32)> {
        let count = self.number()?;
        let start = self.at;
        for _ in 0..count {
            self.string()?;
        }
        Some((Span { start: start as u32, len: (self.at - start) as u32 }, count as u32))
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
    /// Where the fields begin.
    pub(crate) fn body(self) -> usize {
        self.body
    }

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
        let width = number_width(first);
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
    use proptest::prelude::*;

    use super::*;
    use crate::{Event, PacketBuf, Status, Tags};

    /// A packet that both ways take has the same layout by both.
    fn check(event: &Event<'_>, at_a_glance: bool) {
        let packet = PacketBuf::encode(event).unwrap();
        let followed = [packet.as_bytes(), b"\xb3more"].concat();
        let (mut glanced, mut read) = (Layout::default(), Layout::default());
        let glance = glanced.glance(&followed);
        assert_eq!(glance.is_some_and(|glance| glance.is_intact()), at_a_glance, "{event:?}");
        let header = Header::read(&followed).unwrap();
        read.read(&followed, header, usize::MAX).unwrap();
        if at_a_glance {
            assert_eq!(glanced, read);
        }
        for len in 0..packet.as_bytes().len() {
            assert!(glanced.glance(&followed[..len]).is_none(), "cut at {len}");
        }
    }

    #[test]
    fn short_plain_packets_are_taken_at_a_glance() {
        let timestamp = Some(Timestamp { seconds: u32::MAX, nanoseconds: 999_999_999 });
        let event = Event { timestamp, ..Event::status("tests.boot", Status::Success) };
        check(&Event::default(), true);
        check(&event, true);
        for nanoseconds in [0, 0x3F, 0x40, 0x3FFF, 0x4000, 0x3F_FFFF] {
            check(&Event { timestamp: Some(Timestamp { seconds: 1, nanoseconds }), ..event }, true);
        }
        let id = "x".repeat(100);
        let tags = Tags::from(&["slow", "network"]);
        let event = Event { test_id: Some(&id), tags, route_code: Some("0/1"), ..event };
        check(&event, true);
        check(&Event { mime_type: Some("text/plain"), ..Event::file("log", b"ready\n") }, true);
    }

    #[test]
    fn others_are_not() {
        check(&Event::status("größe", Status::Success), false);
        check(&Event::status(&"x".repeat(SHORT), Status::Success), false);
        check(&Event { tags: Tags::from(&[]), ..Event::default() }, false);
        check(&Event::file("log", b"\0"), false);
        check(&Event::file("log", b""), false);
    }

    /// Bytes with a right checksum that may be a packet.
    fn sealed(flags: u16, body: &[u8]) -> Vec<u8> {
        let len = LENGTH_AT + 1 + body.len() + CHECKSUM;
        let length =
            if len < 0x40 { vec![len as u8] } else { (0x4000 | (len as u16 + 1)).to_be_bytes().to_vec() };
        let [high, low] = flags.to_be_bytes();
        let mut bytes = [&[SIGNATURE, high, low], &*length, body].concat();
        bytes.extend_from_slice(&sums::hash(&bytes).to_be_bytes());
        bytes
    }

    /// A string as it stands in a packet.
    fn string() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(b'a'..=b'c', 0..9).prop_map(|text| [&[text.len() as u8], &*text].concat())
    }

    /// The fields that the flags name, in order.
    fn body(flags: u16) -> impl Strategy<Value = Vec<u8>> {
        let time =
            (any::<[u8; 4]>(), 0..0x40_u8).prop_map(|(seconds, rest)| [&seconds[..], &[rest]].concat());
        let tags = proptest::collection::vec(string(), 0..4);
        let tags = tags.prop_map(|tags| [&[tags.len() as u8], &*tags.concat()].concat());
        let file = (string(), string()).prop_map(|(name, bytes)| [name, bytes].concat());
        let fields = (time, string(), tags, string(), file, string());
        fields.prop_map(move |(time, id, tags, mime, file, route)| {
            let all = [
                (wire::TIMESTAMP, time),
                (wire::TEST_ID, id),
                (wire::TAGS, tags),
                (wire::MIME_TYPE, mime),
                (wire::FILE, file),
                (wire::ROUTE_CODE, route),
            ];
            all.into_iter().filter(|(flag, _)| flags & flag != 0).flat_map(|(_, bytes)| bytes).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn what_is_taken_at_a_glance_is_read_the_same(
            (flags, mut body) in any::<u16>().prop_flat_map(|flags| (Just(flags), body(flags))),
            slip in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            if let Some((at, byte)) = slip.filter(|_| !body.is_empty()) {
                let at = at.index(body.len());
                body[at] = byte;
            }
            let bytes = sealed(wire::VERSION | flags & !(wire::VERSION_MASK | wire::RESERVED), &body);
            let (mut glanced, mut read) = (Layout::default(), Layout::default());
            if glanced.glance(&bytes).is_some_and(|glance| glance.is_intact()) {
                prop_assert_eq!(read.read_packet(&bytes), Ok(()));
                prop_assert_eq!(glanced, read);
            }
        }
    }
}
