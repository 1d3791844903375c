//! Every byte of the format is decided here: flag bits, numbers, and the cursor that reads fields.
//!
//! Source: the specification's "Version 2" in the README of testing-cabal/subunit.

use byteorder::{BigEndian, ByteOrder};

use crate::error::{Field, PacketErrorKind};
use crate::part::part;

/// The first byte of every packet.
pub const SIGNATURE: u8 = 0xB3;
/// The version, in bits 15–12 of the flags.
pub(crate) const VERSION: u16 = 0x2000;
pub(crate) const VERSION_MASK: u16 = 0xF000;
pub(crate) const TEST_ID: u16 = 0x0800;
pub(crate) const ROUTE_CODE: u16 = 0x0400;
pub(crate) const TIMESTAMP: u16 = 0x0200;
pub(crate) const RUNNABLE: u16 = 0x0100;
pub(crate) const TAGS: u16 = 0x0080;
pub(crate) const FILE: u16 = 0x0040;
pub(crate) const MIME_TYPE: u16 = 0x0020;
pub(crate) const EOF: u16 = 0x0010;
/// Must be zero.
pub(crate) const RESERVED: u16 = 0x0008;
pub(crate) const STATUS_MASK: u16 = 0x0007;

/// Signature and flags: where the length stands.
pub(crate) const LENGTH_AT: usize = 3;
/// The checksum's size, at the end of every packet.
pub(crate) const CHECKSUM: usize = 4;
/// Signature, flags, a length of one byte and the checksum.
pub(crate) const MIN_PACKET: usize = 8;
/// The longest packet: the most that a length of three bytes can say.
pub const MAX_PACKET: usize = 4_194_303;

/// The first bytes from here on begin a number of four bytes, which no length has.
pub(crate) const LONG_NUMBER: u8 = 0xC0;

/// How many bytes a number takes: its first byte's top two bits, plus one.
#[inline]
pub(crate) fn number_width(first: u8) -> usize {
    usize::from(first >> 6) + 1
}

/// How many bytes the shortest form of this number takes.
#[inline]
pub(crate) fn number_len(value: usize) -> usize {
    match value {
        0..=0x3F => 1,
        0x40..=0x3FFF => 2,
        0x4000..=0x3F_FFFF => 3,
        _ => 4,
    }
}

/// Whether every byte is in `01..=7F`: text without NUL.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    all(bytes, |byte| (0x01..=0x7F).contains(&byte))
}

/// Whether a byte is NUL.
#[inline]
pub(crate) fn has_nul(bytes: &[u8]) -> bool {
    !all(bytes, |byte| byte != 0)
}

/// Whether this is a control character beside BEL to CR and ESC: programs do not print others, and most packets hold
/// some.
#[inline]
pub(crate) fn is_odd_control(byte: u8) -> bool {
    // Ranges by subtraction, which compiles to vectors.
    (byte < 0x20) & (byte.wrapping_sub(0x07) >= 7) & (byte != 0x1B)
}

/// Whether there is such a control character.
#[inline]
pub(crate) fn has_odd_control(bytes: &[u8]) -> bool {
    !all(bytes, |byte| !is_odd_control(byte))
}

/// Whether all of it is printed ASCII, tabs and newlines (and DEL).
#[inline]
pub(crate) fn is_plain_text(bytes: &[u8]) -> bool {
    all(bytes, |byte| (byte.wrapping_sub(0x20) < 0x60) | (byte == b'\n') | (byte == b'\t'))
}

/// Whether all bytes are `fine`. They are looked at in vectors, as far as there are enough.
#[inline]
fn all(bytes: &[u8], fine: impl Fn(u8) -> bool + Copy) -> bool {
    all_in_lanes::<32>(bytes, fine)
        .or_else(|| all_in_lanes::<8>(bytes, fine))
        .unwrap_or_else(|| bytes.iter().all(|byte| fine(*byte)))
}

/// Whether all bytes are fine, of which the last are looked at first, since there may be no whole lane of them after
/// the others; `None` when there are fewer than a lane's.
#[inline]
fn all_in_lanes<const N: usize>(bytes: &[u8], fine: impl Fn(u8) -> bool) -> Option<bool> {
    // Without a way out in between, which compiles to a vector.
    let all = |lane: &[u8; N]| lane.iter().fold(true, |all, byte| all & fine(*byte));
    let last = all(bytes.last_chunk()?);
    let mut rest = bytes;
    while let Some((lane, after)) = rest.split_first_chunk() {
        if !all(lane) {
            return Some(false);
        }
        rest = after;
    }
    Some(last)
}

/// The number of these one to four bytes.
#[inline]
pub(crate) fn number_of(bytes: &[u8]) -> usize {
    match *bytes {
        [a] => usize::from(a & 0x3F),
        [a, b] => usize::from(u16::from_be_bytes([a & 0x3F, b])),
        [a, b, c] => BigEndian::read_u24(&[a & 0x3F, b, c]) as usize,
        [a, b, c, d, ..] => BigEndian::read_u32(&[a & 0x3F, b, c, d]) as usize,
        [] => 0,
    }
}

/// Why a cursor stopped before the end of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes that have come are fine so far; the field goes on in those that have not.
    NeedMore,
    /// Nothing wrong within the bytes that this walk may look at.
    Unwalked,
    /// The packet cannot be right, whatever follows.
    Bad(PacketErrorKind, usize),
}

/// Reads the fields of a packet, of which only the first bytes may have come.
///
/// A field that runs past the end of the fields is bad; one that runs past the bytes that have come needs
/// more. Every method gives `None` then, so that results fit in registers, and [`stop`](Cursor::stop) tells
/// why.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    /// The bytes that have come and are not read.
    rest: &'a [u8],
    /// How many bytes of the fields have not come.
    missing: usize,
    /// Where the fields end, counted from the packet's signature.
    limit: usize,
    /// How many bytes of strings and tags may still be looked at.
    walk: usize,
    /// The longest string that is not bad.
    pub(crate) longest: usize,
    stop: Stop,
}

impl<'a> Cursor<'a> {
    /// A cursor over fields that are all there.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor::within(bytes, 0, bytes.len(), usize::MAX)
    }

    /// A cursor at `at` over a packet whose fields end at `limit` and of which `bytes` have come.
    #[inline]
    pub(crate) fn within(bytes: &'a [u8], at: usize, limit: usize, walk: usize) -> Self {
        let come = bytes.get(..limit).unwrap_or(bytes);
        Cursor {
            rest: part(come, at..),
            missing: limit - come.len(),
            limit,
            walk,
            longest: usize::MAX,
            stop: Stop::NeedMore,
        }
    }

    /// Why a method gave `None`.
    pub(crate) fn stop(&self) -> Stop {
        self.stop
    }

    /// Where the next field begins, counted from the packet's signature.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.limit - self.left()
    }

    /// How many bytes lie before the end of the fields.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.rest.len() + self.missing
    }

    /// Stops at what is wrong.
    #[cold]
    pub(crate) fn bad<T>(&mut self, kind: PacketErrorKind, at: usize) -> Option<T> {
        self.stop = Stop::Bad(kind, at);
        None
    }

    /// The next `len` bytes of a field that began at `start`.
    #[inline]
    pub(crate) fn take(&mut self, len: usize, field: Field, start: usize) -> Option<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return self.short(len, field, start);
        };
        self.rest = rest;
        Some(taken)
    }

    #[cold]
    fn short<T>(&mut self, len: usize, field: Field, start: usize) -> Option<T> {
        if len > self.left() {
            return self.bad(PacketErrorKind::PastEnd(field), start);
        }
        self.stop = Stop::NeedMore;
        None
    }

    /// A number of one to four bytes; longer forms than needed are legal.
    #[inline]
    pub(crate) fn number(&mut self, field: Field) -> Option<usize> {
        match *self.rest {
            [first, ref rest @ ..] if first < 0x40 => {
                self.rest = rest;
                Some(usize::from(first))
            }
            [first, ..] => self.take(number_width(first), field, self.position()).map(number_of),
            [] => self.short(1, field, self.position()),
        }
    }

    /// Four bytes, big-endian.
    #[inline]
    pub(crate) fn u32(&mut self, field: Field) -> Option<u32> {
        self.take(4, field, self.position()).map(BigEndian::read_u32)
    }

    /// A string: its length, then UTF-8 without NUL.
    #[inline]
    pub(crate) fn string(&mut self, field: Field) -> Option<&'a [u8]> {
        let start = self.position();
        let len = self.number(field)?;
        if len > self.longest {
            return self.bad(PacketErrorKind::PastEnd(field), start);
        }
        let Some(text) = self.take(len, field, start) else { return self.partial_text(field) };
        if text.len() >= self.walk {
            return self.long_text(text, field);
        }
        self.walk -= text.len() + 1;
        if is_plain(text) { Some(text) } else { self.odd_text(text, field) }
    }

    /// A string that is all there and not plain ASCII.
    #[cold]
    fn odd_text(&mut self, text: &'a [u8], field: Field) -> Option<&'a [u8]> {
        let at = self.position() - text.len();
        let wrong = match fault_in(text) {
            Ok(()) => return Some(text),
            Err(Fault::Nul(offset)) => (PacketErrorKind::Nul(field), at + offset),
            Err(Fault::NotUtf8(offset) | Fault::CutOff(offset)) => {
                (PacketErrorKind::NotUtf8(field), at + offset)
            }
        };
        self.bad(wrong.0, wrong.1)
    }

    /// A string that is longer than this walk: as much of it as the walk may look at.
    #[cold]
    fn long_text(&mut self, text: &'a [u8], field: Field) -> Option<&'a [u8]> {
        self.stop = Stop::Unwalked;
        self.look_at_start(text, self.position() - text.len(), field)
    }

    /// A string that is not all there: as much of it as has come.
    #[cold]
    fn partial_text(&mut self, field: Field) -> Option<&'a [u8]> {
        if self.stop == Stop::NeedMore { self.look_at_start(self.rest, self.position(), field) } else { None }
    }

    /// Looks for faults in the start of a string, which may end within a character.
    fn look_at_start(&mut self, text: &[u8], at: usize, field: Field) -> Option<&'a [u8]> {
        match fault_in(text.get(..self.walk).unwrap_or(text)) {
            Ok(()) | Err(Fault::CutOff(_)) => None,
            Err(Fault::Nul(offset)) => self.bad(PacketErrorKind::Nul(field), at + offset),
            Err(Fault::NotUtf8(offset)) => self.bad(PacketErrorKind::NotUtf8(field), at + offset),
        }
    }

    /// A string of a packet that was checked before.
    pub(crate) fn checked_string(&mut self) -> &'a str {
        checked(self.checked_bytes())
    }

    /// A string of a packet that was checked before, as bytes.
    #[inline]
    pub(crate) fn checked_bytes(&mut self) -> &'a [u8] {
        let text = self.number(Field::Tag).and_then(|len| self.take(len, Field::Tag, 0));
        debug_assert!(text.is_some(), "the packet was checked");
        text.unwrap_or_default()
    }
}

/// What is wrong with a string, and at which of its bytes.
enum Fault {
    Nul(usize),
    NotUtf8(usize),
    /// It ends within a character.
    CutOff(usize),
}

/// Looks for the first fault.
#[cold]
fn fault_in(text: &[u8]) -> Result<(), Fault> {
    let error = core::str::from_utf8(text).err();
    let valid = error.map_or(text.len(), |error| error.valid_up_to());
    if let Some(nul) = memchr::memchr(0, part(text, ..valid)) {
        return Err(Fault::Nul(nul));
    }
    match error.map(|error| error.error_len()) {
        None => Ok(()),
        Some(None) => Err(Fault::CutOff(valid)),
        Some(Some(_)) => Err(Fault::NotUtf8(valid)),
    }
}

/// The string of bytes that a packet's check has found to be UTF-8.
#[inline]
pub(crate) fn checked(bytes: &[u8]) -> &str {
    let text = core::str::from_utf8(bytes);
    debug_assert!(text.is_ok(), "the packet was checked");
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_form_is_read() {
        assert_eq!(Cursor::new(&[0xC0, 0, 0, 5]).number(Field::TestId), Some(5));
    }

    #[test]
    fn plain_is_ascii_without_nul_at_any_length() {
        for len in 0..40 {
            let plain = vec![b'a'; len];
            assert!(is_plain(&plain));
            for at in 0..len {
                for odd in [0x00, 0x80, 0xFF] {
                    let mut text = plain.clone();
                    text[at] = odd;
                    assert!(!is_plain(&text), "{odd:#x} at {at} of {len}");
                }
                let mut text = plain.clone();
                (text[at], text[len - 1 - at]) = (0x01, 0x7F);
                assert!(is_plain(&text));
            }
        }
    }

    #[test]
    fn an_odd_control_character_is_seen_at_any_length() {
        for len in 1..40 {
            for at in 0..len {
                for (other, odd) in [(0x07, 0x00), (0x0D, 0x06), (0x1B, 0x0E), (0xFF, 0x1A), (b' ', 0x1F)] {
                    let mut text = vec![other; len];
                    assert!(!has_odd_control(&text));
                    text[at] = odd;
                    assert!(has_odd_control(&text), "{odd:#x} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn a_short_walk_sees_the_same_however_much_has_come() {
        let mut text = vec![0x43, 0xE8];
        text.extend([b'a'; 1000]);
        check_stop(&text, text.len(), Stop::Unwalked);
        text[300] = 0xFF;
        for come in [301, 600, text.len()] {
            check_stop(&text[..come], text.len(), Stop::Bad(PacketErrorKind::NotUtf8(Field::TestId), 300));
        }
    }

    fn check_stop(bytes: &[u8], limit: usize, expected: Stop) {
        let mut cursor = Cursor::within(bytes, 0, limit, 512);
        assert_eq!(cursor.string(Field::TestId), None);
        assert_eq!(cursor.stop(), expected);
    }

    #[test]
    fn a_string_says_what_is_wrong_with_it_as_early_as_it_can() {
        assert_eq!(Cursor::new(b"\x03foo").string(Field::TestId), Some(&b"foo"[..]));
        assert_eq!(Cursor::new(b"\x03f\xC3\xB3").string(Field::TestId), Some("fó".as_bytes()));
        check_stop(b"\x03fo", 4, Stop::NeedMore);
        check_stop(b"\x04foo", 4, Stop::Bad(PacketErrorKind::PastEnd(Field::TestId), 0));
        check_stop(b"\x03f\0o", 4, Stop::Bad(PacketErrorKind::Nul(Field::TestId), 2));
        check_stop(b"\x03fo\xC3", 4, Stop::Bad(PacketErrorKind::NotUtf8(Field::TestId), 3));
        check_stop(b"\x09fo\xC3", 10, Stop::NeedMore);
        check_stop(b"\x09f\xFFo", 10, Stop::Bad(PacketErrorKind::NotUtf8(Field::TestId), 2));
        check_stop(b"\x09f\0", 10, Stop::Bad(PacketErrorKind::Nul(Field::TestId), 2));
        check_stop(b"", 0, Stop::Bad(PacketErrorKind::PastEnd(Field::TestId), 0));
    }
}
