//! Events to packets: deterministic bytes, numbers in their shortest form, tags in the given order.

use bytes::BufMut;

use crate::error::{EncodeError, Field};
use crate::event::Event;
use crate::tags::Tags;
use crate::timestamp::{NANOSECONDS, Timestamp};
use crate::wire::{self, CHECKSUM, LENGTH_AT, MAX_PACKET, SIGNATURE, number_bytes, number_len};

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
/// When a string holds a NUL, the nanoseconds are a second or more, or the packet would be too long; then
/// nothing is appended.
pub fn encode<B: BufMut + AsRef<[u8]>>(event: &Event<'_>, out: &mut B) -> Result<(), EncodeError> {
    check(event)?;
    let len = packet_len(fields_len(event)).ok_or_else(|| too_long(event))?;
    let start = out.as_ref().len();
    put_header(event, len, out);
    put_fields(event, out);
    let sum = crc32fast::hash(out.as_ref().get(start..).unwrap_or_default());
    out.put_u32(sum);
    Ok(())
}

/// The length of a packet with this many bytes of fields, or `None` when no packet is so long.
///
/// The length counts its own bytes, so a longer form of it may be needed only because of itself.
#[inline]
pub(crate) fn packet_len(fields: usize) -> Option<usize> {
    let rest = LENGTH_AT + CHECKSUM + fields;
    (1..=3)
        .map(|width| rest + width)
        .find(|len| number_len(*len) <= *len - rest)
        .filter(|len| *len <= MAX_PACKET)
}

/// How many bytes the fields take.
pub(crate) fn fields_len(event: &Event<'_>) -> usize {
    let string = |text: Option<&str>| text.map_or(0, |text| string_len(text.len()));
    let timestamp = event.timestamp.map_or(0, |timestamp| 4 + number_len(timestamp.nanoseconds as usize));
    let file = event.file.map_or(0, |file| string_len(file.name.len()) + string_len(file.bytes.len()));
    timestamp
        + string(event.test_id)
        + tags_len(event.tags)
        + string(event.mime_type)
        + file
        + string(event.route_code)
}

fn string_len(len: usize) -> usize {
    number_len(len) + len
}

fn tags_len(tags: Tags<'_>) -> usize {
    if tags.is_absent() {
        return 0;
    }
    let strings = match tags.wire_bytes() {
        Some(bytes) => bytes.len(),
        None => tags.iter().map(|tag| string_len(tag.len())).sum(),
    };
    number_len(tags.len()) + strings
}

#[cold]
fn too_long(event: &Event<'_>) -> EncodeError {
    EncodeError::TooLong(LENGTH_AT + 3 + fields_len(event) + CHECKSUM)
}

/// Refuses what a packet cannot carry.
fn check(event: &Event<'_>) -> Result<(), EncodeError> {
    if let Some(Timestamp { nanoseconds, .. }) = event.timestamp {
        if nanoseconds >= NANOSECONDS {
            return Err(EncodeError::Nanoseconds(nanoseconds));
        }
    }
    let no_nul = |text: Option<&str>, field| match text {
        Some(text) if !wire::is_plain(text.as_bytes()) && memchr::memchr(0, text.as_bytes()).is_some() => {
            Err(EncodeError::Nul(field))
        }
        _ => Ok(()),
    };
    no_nul(event.test_id, Field::TestId)?;
    no_nul(event.mime_type, Field::MimeType)?;
    no_nul(event.file.map(|file| file.name), Field::FileName)?;
    no_nul(event.route_code, Field::RouteCode)?;
    match event.tags.wire_bytes() {
        Some(_) => Ok(()),
        None => event.tags.iter().try_for_each(|tag| no_nul(Some(tag), Field::Tag)),
    }
}

/// The flags of an event.
fn flags(event: &Event<'_>) -> u16 {
    let bit = |set: bool, flag: u16| if set { flag } else { 0 };
    wire::VERSION
        | bit(event.test_id.is_some(), wire::TEST_ID)
        | bit(event.route_code.is_some(), wire::ROUTE_CODE)
        | bit(event.timestamp.is_some(), wire::TIMESTAMP)
        | bit(event.runnable, wire::RUNNABLE)
        | bit(!event.tags.is_absent(), wire::TAGS)
        | bit(event.file.is_some(), wire::FILE)
        | bit(event.mime_type.is_some(), wire::MIME_TYPE)
        | bit(event.eof, wire::EOF)
        | event.status.map_or(0, |status| status as u16)
}

/// Signature, flags and length.
pub(crate) fn header(flags: u16, len: usize) -> ([u8; LENGTH_AT + 4], usize) {
    let ([a, b, c, d], width) = number_bytes(len);
    let [high, low] = flags.to_be_bytes();
    ([SIGNATURE, high, low, a, b, c, d], LENGTH_AT + width)
}

fn put_header<B: BufMut>(event: &Event<'_>, len: usize, out: &mut B) {
    let (bytes, header_len) = header(flags(event), len);
    out.put_slice(bytes.get(..header_len).unwrap_or_default());
    if let Some(Timestamp { seconds, nanoseconds }) = event.timestamp {
        out.put_u32(seconds);
        put_number(nanoseconds as usize, out);
    }
}

fn put_fields<B: BufMut>(event: &Event<'_>, out: &mut B) {
    put_optional(event.test_id, out);
    put_tags(event.tags, out);
    put_optional(event.mime_type, out);
    if let Some(file) = event.file {
        put_bytes(file.name.as_bytes(), out);
        put_bytes(file.bytes, out);
    }
    put_optional(event.route_code, out);
}

fn put_optional<B: BufMut>(text: Option<&str>, out: &mut B) {
    if let Some(text) = text {
        put_bytes(text.as_bytes(), out);
    }
}

fn put_tags<B: BufMut>(tags: Tags<'_>, out: &mut B) {
    if tags.is_absent() {
        return;
    }
    put_number(tags.len(), out);
    match tags.wire_bytes() {
        Some(bytes) => out.put_slice(bytes),
        None => tags.iter().for_each(|tag| put_bytes(tag.as_bytes(), out)),
    }
}

/// A number and that many bytes.
#[inline]
pub(crate) fn put_bytes<B: BufMut>(bytes: &[u8], out: &mut B) {
    put_number(bytes.len(), out);
    out.put_slice(bytes);
}

#[inline]
fn put_number<B: BufMut>(value: usize, out: &mut B) {
    let (bytes, len) = number_bytes(value);
    out.put_slice(bytes.get(..len).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let timestamp = Some(Timestamp { seconds: 0, nanoseconds: 1_000_000_000 });
        check_refused(&Event { timestamp, ..Event::default() }, EncodeError::Nanoseconds(1_000_000_000));
        let bytes = vec![0; MAX_PACKET];
        check_refused(&Event::file("", &bytes), EncodeError::TooLong(MAX_PACKET + 14));
    }
}
