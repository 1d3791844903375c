//! Events to packets: deterministic bytes, numbers in their shortest form, tags in the given order.

use bytes::BufMut;

use crate::error::{EncodeError, Field};
use crate::event::Event;
use crate::part::{part, part_mut};
use crate::sums;
use crate::tags::{Tags, Written};
use crate::timestamp::Timestamp;
use crate::wire::{self, CHECKSUM, LENGTH_AT, MAX_PACKET, SIGNATURE, number_len};

/// Appends the packet of an event.
///
/// ```
/// use subunit::{Event, Status, encode};
///
/// let mut bytes = Vec::new();
/// encode(&Event::status("foo", Status::Exists), &mut bytes)?;
/// assert_eq!(bytes, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
/// # Ok::<(), subunit::EncodeError>(())
/// ```
///
/// # Errors
///
/// When a string holds a NUL, or the packet would be too long; then nothing is appended.
pub fn encode<B: BufMut + AsRef<[u8]>>(event: &Event<'_>, out: &mut B) -> Result<(), EncodeError> {
    if event.file.is_none_or(|file| file.bytes.len() < SMALL / 2) {
        let mut room = [0; SMALL];
        if let Some(packet) = encode_small(event, &mut room) {
            out.put_slice(packet);
            return Ok(());
        }
    }
    encode_any(event, out)
}

/// Encodes an event, measuring and checking all its fields before it writes any.
fn encode_any<B: BufMut + AsRef<[u8]>>(event: &Event<'_>, out: &mut B) -> Result<(), EncodeError> {
    let (flags, fields) = measure(event)?;
    let len = packet_len(fields).ok_or(EncodeError::TooLong(fields + MAX_OVERHEAD))?;
    let start = out.as_ref().len();
    put_header(flags, len, out);
    put_fields(event, &mut Large(out));
    let sum = sums::hash(part(out.as_ref(), start..));
    out.put_u32(sum);
    Ok(())
}

/// What the longest packets have beside their fields: signature, flags, length and checksum.
pub(crate) const MAX_OVERHEAD: usize = LENGTH_AT + 3 + CHECKSUM;

/// The length of a packet with this many bytes of fields, or `None` when it would be too long for a packet.
///
/// The length counts its own bytes, so a longer form of it may be needed only because of itself.
#[inline]
pub(crate) fn packet_len(fields: usize) -> Option<usize> {
    let rest = LENGTH_AT + CHECKSUM + fields;
    match rest {
        0..=0x3E => Some(rest + 1),
        0x3F..=0x3FFD => Some(rest + 2),
        _ => Some(rest + 3).filter(|len| *len <= MAX_PACKET),
    }
}

/// How many bytes the fields take.
///
/// # Errors
///
/// When a string holds a NUL, which no packet can carry.
pub(crate) fn fields_len(event: &Event<'_>) -> Result<usize, EncodeError> {
    measure(event).map(|(_, len)| len)
}

/// The flags of an event, and how many bytes its fields take.
fn measure(event: &Event<'_>) -> Result<(u16, usize), EncodeError> {
    let mut measure = Measure::default();
    let flags = put_fields(event, &mut measure);
    measure.nul.map_or(Ok((flags, measure.len)), |field| Err(EncodeError::Nul(field)))
}

/// Where the fields of an event are put, in the order of the specification.
trait Fields {
    fn raw(&mut self, bytes: &[u8]);

    fn number(&mut self, value: usize);

    /// The first field, if there is one.
    fn timestamp(&mut self, Timestamp { seconds, nanoseconds }: Timestamp) {
        self.raw(&seconds.to_be_bytes());
        self.number(nanoseconds as usize);
    }

    /// A string, which must not hold a NUL.
    fn text(&mut self, text: &str, field: Field);
}

/// Puts the fields, and gives the flags that say which they are.
#[inline]
fn put_fields<F: Fields>(event: &Event<'_>, out: &mut F) -> u16 {
    let mut flags = wire::VERSION | event.status.map_or(0, |status| status as u16);
    flags |= u16::from(event.runnable) * wire::RUNNABLE;
    flags |= u16::from(event.eof) * wire::EOF;
    if let Some(timestamp) = event.timestamp {
        flags |= wire::TIMESTAMP;
        out.timestamp(timestamp);
    }
    if let Some(test_id) = event.test_id {
        flags |= wire::TEST_ID;
        out.text(test_id, Field::TestId);
    }
    if !event.tags.is_absent() {
        flags |= wire::TAGS;
        put_tags(event.tags, out);
    }
    if let Some(mime_type) = event.mime_type {
        flags |= wire::MIME_TYPE;
        out.text(mime_type, Field::MimeType);
    }
    if let Some(file) = event.file {
        flags |= wire::FILE;
        out.text(file.name, Field::FileName);
        out.number(file.bytes.len());
        out.raw(file.bytes);
    }
    if let Some(route_code) = event.route_code {
        flags |= wire::ROUTE_CODE;
        out.text(route_code, Field::RouteCode);
    }
    flags
}

#[inline]
fn put_tags<F: Fields>(tags: Tags<'_>, out: &mut F) {
    out.number(tags.len());
    match tags.as_written() {
        Written::Bytes(bytes) => out.raw(bytes),
        Written::List(list) => list.iter().for_each(|tag| out.text(tag, Field::Tag)),
    }
}

/// Counts the bytes.
#[derive(Default)]
struct Measure {
    len: usize,
    nul: Option<Field>,
}

impl Fields for Measure {
    fn raw(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
    }

    fn number(&mut self, value: usize) {
        self.len += number_len(value);
    }

    fn text(&mut self, text: &str, field: Field) {
        self.len += number_len(text.len()) + text.len();
        if wire::has_nul(text.as_bytes()) {
            self.nul = self.nul.or(Some(field));
        }
    }
}

/// Writes fields that were measured and checked.
struct Large<'a, B>(&'a mut B);

impl<B: BufMut> Fields for Large<'_, B> {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }

    fn number(&mut self, value: usize) {
        put_number(value, self.0);
    }

    fn text(&mut self, text: &str, _: Field) {
        put_bytes(text.as_bytes(), self.0);
    }
}

/// A packet up to this length is put together in one pass.
const SMALL: usize = 192;
/// Where its fields begin: before them is room for signature, flags and length.
const FIELDS: usize = LENGTH_AT + 2;

/// The packet of an event with a sound timestamp. `None` when it is not small, or one look at all strings at once
/// finds a zero: then it takes a second look to tell a NUL from an empty string or the content of a file.
#[inline]
fn encode_small<'a>(event: &Event<'_>, room: &'a mut [u8; SMALL]) -> Option<&'a [u8]> {
    let mut small = Small { rest: &mut room[FIELDS..], strings: SMALL - FIELDS, fits: true };
    let flags = put_fields(event, &mut small);
    let Small { rest, strings, fits } = small;
    let (strings, fields_end) = (SMALL - strings, SMALL - rest.len());
    if !fits || wire::has_nul(room.get(strings..fields_end)?) {
        return None;
    }
    let [high, low] = flags.to_be_bytes();
    let end = fields_end + CHECKSUM;
    let packet = if end <= 0x40 {
        room[1..FIELDS].copy_from_slice(&[SIGNATURE, high, low, end as u8 - 1]);
        room.get_mut(1..end)?
    } else {
        let [first, second] = (end as u16 | 0x4000).to_be_bytes();
        room[..FIELDS].copy_from_slice(&[SIGNATURE, high, low, first, second]);
        room.get_mut(..end)?
    };
    let (fields, sum) = packet.split_last_chunk_mut()?;
    *sum = sums::hash(fields).to_be_bytes();
    Some(packet)
}

/// Writes fields as long as there is room.
struct Small<'a> {
    rest: &'a mut [u8],
    /// How much room there was after the timestamp.
    strings: usize,
    fits: bool,
}

impl Fields for Small<'_> {
    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        match core::mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            Some((room, rest)) => {
                room.copy_from_slice(bytes);
                self.rest = rest;
            }
            None => self.fits = false,
        }
    }

    /// Puts a number of one byte or of two: a longer number is counted as not small.
    #[inline]
    fn number(&mut self, value: usize) {
        if value < 0x40 {
            self.raw(&[value as u8]);
        } else {
            self.raw(&(value as u16 | 0x4000).to_be_bytes());
        }
    }

    #[inline]
    fn timestamp(&mut self, Timestamp { seconds, nanoseconds }: Timestamp) {
        self.raw(&seconds.to_be_bytes());
        let (bytes, len) = number(nanoseconds as usize);
        // What stands after the number is overwritten by what follows it.
        if let Some(room) = self.rest.first_chunk_mut() {
            *room = bytes;
        }
        self.rest = part_mut(core::mem::take(&mut self.rest), len..);
        self.strings = self.rest.len();
    }

    #[inline]
    fn text(&mut self, text: &str, _: Field) {
        self.number(text.len());
        self.raw(text.as_bytes());
    }
}

/// Signature, flags and length.
#[inline]
pub(crate) fn put_header<B: BufMut>(flags: u16, len: usize, out: &mut B) {
    let [high, low] = flags.to_be_bytes();
    // Slices of known lengths, which are not worth a call to copy them.
    match number(len) {
        ([a, ..], 1) => out.put_slice(&[SIGNATURE, high, low, a]),
        ([a, b, ..], 2) => out.put_slice(&[SIGNATURE, high, low, a, b]),
        ([a, b, c, _], _) => out.put_slice(&[SIGNATURE, high, low, a, b, c]),
    }
}

/// A number and that many bytes.
#[inline]
pub(crate) fn put_bytes<B: BufMut>(bytes: &[u8], out: &mut B) {
    put_number(bytes.len(), out);
    out.put_slice(bytes);
}

/// A number of at most 30 bits, in its shortest form.
#[inline]
pub(crate) fn put_number<B: BufMut>(value: usize, out: &mut B) {
    match number(value) {
        ([a, ..], 1) => out.put_u8(a),
        ([a, b, ..], 2) => out.put_slice(&[a, b]),
        ([a, b, c, _], 3) => out.put_slice(&[a, b, c]),
        (bytes, _) => out.put_slice(&bytes),
    }
}

/// The shortest form of a number of at most 30 bits, which are its first bytes, and how many they are.
#[inline]
fn number(value: usize) -> ([u8; 4], usize) {
    let value = value as u32;
    match value {
        0..=0x3F => ([value as u8, 0, 0, 0], 1),
        0x40..=0x3FFF => ((value << 16 | 1 << 30).to_be_bytes(), 2),
        0x4000..=0x3F_FFFF => ((value << 8 | 2 << 30).to_be_bytes(), 3),
        _ => ((value | 3 << 30).to_be_bytes(), 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_number(value: usize, expected: &[u8]) {
        let mut bytes = Vec::new();
        put_number(value, &mut bytes);
        assert_eq!((&*bytes, number_len(value)), (expected, expected.len()));
        assert_eq!(wire::number_of(expected), value);
    }

    #[test]
    fn a_number_takes_the_shortest_form() {
        check_number(0, &[0x00]);
        check_number(0x3F, &[0x3F]);
        check_number(0x40, &[0x40, 0x40]);
        check_number(0x3FFF, &[0x7F, 0xFF]);
        check_number(0x4000, &[0x80, 0x40, 0x00]);
        check_number(0x3F_FFFF, &[0xBF, 0xFF, 0xFF]);
        check_number(0x40_0000, &[0xC0, 0x40, 0x00, 0x00]);
        check_number(0x3FFF_FFFF, &[0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn the_length_counts_its_own_bytes() {
        assert_eq!(packet_len(0), Some(8));
        assert_eq!(packet_len(63 - 8), Some(63));
        assert_eq!(packet_len(64 - 8), Some(65));
        assert_eq!(packet_len(16_383 - 9), Some(16_383));
        assert_eq!(packet_len(16_384 - 9), Some(16_385));
        assert_eq!(packet_len(MAX_PACKET - 10), Some(MAX_PACKET));
        assert_eq!(packet_len(MAX_PACKET - 9), None);
    }

    fn check_refused(event: &Event<'_>, expected: EncodeError) {
        let mut out = vec![1];
        assert_eq!(encode(event, &mut out), Err(expected));
        assert_eq!(out, [1], "nothing is written");
    }

    #[test]
    fn what_a_packet_cannot_carry_is_refused() {
        let nul = Some("a\0b");
        check_refused(&Event { test_id: nul, ..Event::default() }, EncodeError::Nul(Field::TestId));
        check_refused(&Event { mime_type: nul, ..Event::default() }, EncodeError::Nul(Field::MimeType));
        check_refused(&Event { route_code: nul, ..Event::default() }, EncodeError::Nul(Field::RouteCode));
        check_refused(&Event::file("a\0b", b""), EncodeError::Nul(Field::FileName));
        let tags = Tags::from(&["fine", "\0"]);
        check_refused(&Event { tags, ..Event::default() }, EncodeError::Nul(Field::Tag));
        let bytes = vec![0; MAX_PACKET];
        check_refused(&Event::file("", &bytes), EncodeError::TooLong(MAX_PACKET + 14));
    }
}
