//! Every byte of the format is decided here: flag bits, numbers, and the cursor that reads fields.
//!
//! Source: the specification's "Version 2" in the README of testing-cabal/subunit.

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use crate::error::{Field, PacketErrorKind};

/// The first byte of every packet.
pub(crate) const SIGNATURE: u8 = 0xB3;
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
/// The largest value of a number, which has at most 30 bits.
pub(crate) const MAX_NUMBER: usize = (1 << 30) - 1;

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

/// The shortest form of a number up to [`MAX_NUMBER`], left-aligned, and how many bytes it takes.
#[inline]
pub(crate) fn number_bytes(value: usize) -> ([u8; 4], usize) {
    let len = number_len(value);
    let aligned = (value as u32) << (8 * (4 - len)) | ((len as u32 - 1) << 30);
    (aligned.to_be_bytes(), len)
}

/// Whether every byte is in `01..=7F`: text without NUL, told by one look at eight bytes each.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let odd = |word: u64| (word | word.wrapping_sub(LOW)) & HIGH;
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().all(|byte| (0x01..=0x7F).contains(byte));
    };
    let words = bytes.chunks_exact(8);
    let seen = words.fold(0, |seen, word| seen | odd(LittleEndian::read_u64(word)));
    seen | odd(u64::from_le_bytes(*last)) == 0
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
/// A field that runs past `limit` is bad; one that runs past `bytes` needs more.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    limit: usize,
    /// How many bytes of strings and tags may still be looked at.
    walk: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over fields that are all there.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0, limit: bytes.len(), walk: usize::MAX }
    }

    /// A cursor at `at` over a packet whose fields end at `limit` and of which `bytes` have come.
    #[inline]
    pub(crate) fn within(bytes: &'a [u8], at: usize, limit: usize, walk: usize) -> Self {
        Cursor { bytes: bytes.get(..limit).unwrap_or(bytes), at, limit, walk }
    }

    /// Where the next field begins, counted from the packet's signature.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// How many bytes lie before the end of the fields.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.limit - self.at
    }

    /// The next `len` bytes.
    #[inline]
    pub(crate) fn take(&mut self, len: usize, field: Field) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.get(..len) {
            Some(taken) => {
                self.at += len;
                Ok(taken)
            }
            None => Err(self.short(len, field)),
        }
    }

    #[cold]
    fn short(&self, len: usize, field: Field) -> Stop {
        if len > self.limit.saturating_sub(self.at) {
            Stop::Bad(PacketErrorKind::PastEnd(field), self.at)
        } else {
            Stop::NeedMore
        }
    }

    /// A number of one to four bytes; longer forms than needed are legal.
    #[inline]
    pub(crate) fn number(&mut self, field: Field) -> Result<usize, Stop> {
        let Some(&first) = self.bytes.get(self.at) else { return Err(self.short(1, field)) };
        if first < 0x40 {
            self.at += 1;
            return Ok(usize::from(first));
        }
        let bytes = self.take(number_width(first), field)?;
        let rest = bytes.get(1..).unwrap_or_default();
        let high = usize::from(first & 0x3F) << (8 * rest.len());
        Ok(high | BigEndian::read_uint(rest, rest.len()) as usize)
    }

    /// Four bytes, big-endian.
    #[inline]
    pub(crate) fn u32(&mut self, field: Field) -> Result<u32, Stop> {
        self.take(4, field).map(BigEndian::read_u32)
    }

    /// A string: its length, then UTF-8 without NUL.
    #[inline]
    pub(crate) fn string(&mut self, field: Field) -> Result<&'a [u8], Stop> {
        let start = self.at;
        let len = self.number(field)?;
        let text_at = self.at;
        let text = match self.take(len, field) {
            Ok(text) => text,
            Err(Stop::Bad(kind, _)) => return Err(Stop::Bad(kind, start)),
            Err(stop) => return Err(self.partial_text(field).err().unwrap_or(stop)),
        };
        if text.len() >= self.walk {
            return Err(self.look_at_start(text, text_at, field).err().unwrap_or(Stop::Unwalked));
        }
        self.walk -= text.len() + 1;
        if is_plain(text) { Ok(text) } else { check_whole(text, text_at, field).map(|()| text) }
    }

    /// What has come of a string that is not all there.
    #[cold]
    fn partial_text(&self, field: Field) -> Result<(), Stop> {
        let come = self.bytes.get(self.at..).unwrap_or_default();
        self.look_at_start(come, self.at, field)
    }

    /// As much of a string as this walk may look at, and may end within a character.
    #[cold]
    fn look_at_start(&self, text: &[u8], at: usize, field: Field) -> Result<(), Stop> {
        match check_text(text.get(..self.walk).unwrap_or(text), at, field) {
            Err(Stop::NeedMore) => Ok(()),
            checked => checked,
        }
    }

    /// A string of a packet that was checked before.
    pub(crate) fn checked_string(&mut self) -> &'a str {
        let text = self.number(Field::Tag).and_then(|len| self.take(len, Field::Tag)).unwrap_or_default();
        checked(text)
    }
}

/// The string of bytes that a packet's check has found to be UTF-8.
#[inline]
pub(crate) fn checked(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Checks a string that is all there and not plain ASCII.
fn check_whole(text: &[u8], at: usize, field: Field) -> Result<(), Stop> {
    match check_text(text, at, field) {
        Err(Stop::NeedMore) => Err(Stop::Bad(PacketErrorKind::NotUtf8(field), at + text.len())),
        checked => checked,
    }
}

/// Checks a string that may be plain ASCII or not: UTF-8, and no NUL. A character cut off at the end of the bytes
/// needs more.
#[cold]
fn check_text(text: &[u8], at: usize, field: Field) -> Result<(), Stop> {
    let (valid, end) = match std::str::from_utf8(text) {
        Ok(_) => (text, None),
        Err(error) => {
            let valid = text.get(..error.valid_up_to()).unwrap_or_default();
            (valid, Some((error.valid_up_to(), error.error_len())))
        }
    };
    if let Some(nul) = memchr::memchr(0, valid) {
        return Err(Stop::Bad(PacketErrorKind::Nul(field), at + nul));
    }
    match end {
        None => Ok(()),
        Some((_, None)) => Err(Stop::NeedMore),
        Some((valid, Some(_))) => Err(Stop::Bad(PacketErrorKind::NotUtf8(field), at + valid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_number(value: usize, expected: &[u8]) {
        let (bytes, len) = number_bytes(value);
        assert_eq!(&bytes[..len], expected);
        assert_eq!(Cursor::new(expected).number(Field::TestId), Ok(value));
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
        check_number(MAX_NUMBER, &[0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn a_longer_form_is_read() {
        assert_eq!(Cursor::new(&[0xC0, 0, 0, 5]).number(Field::TestId), Ok(5));
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
    fn a_short_walk_sees_the_same_however_much_has_come() {
        let mut text = vec![0x43, 0xE8];
        text.extend([b'a'; 1000]);
        let expected = Err(Stop::Unwalked);
        assert_eq!(Cursor::within(&text, 0, text.len(), 512).string(Field::TestId), expected);
        text[300] = 0xFF;
        let expected = Err(Stop::Bad(PacketErrorKind::NotUtf8(Field::TestId), 300));
        for come in [301, 600, text.len()] {
            assert_eq!(Cursor::within(&text[..come], 0, text.len(), 512).string(Field::TestId), expected);
        }
    }

    fn check_string(bytes: &[u8], limit: usize, expected: Result<&[u8], Stop>) {
        assert_eq!(Cursor::within(bytes, 0, limit, 512).string(Field::TestId), expected);
    }

    #[test]
    fn a_string_says_what_is_wrong_with_it_as_early_as_it_can() {
        let bad = |kind, at| Err(Stop::Bad(kind, at));
        check_string(b"\x03foo", 4, Ok(b"foo"));
        check_string(b"\x03fo", 4, Err(Stop::NeedMore));
        check_string(b"\x04foo", 4, bad(PacketErrorKind::PastEnd(Field::TestId), 0));
        check_string(b"\x03f\0o", 4, bad(PacketErrorKind::Nul(Field::TestId), 2));
        check_string(b"\x03f\xC3\xB3", 4, Ok("fó".as_bytes()));
        check_string(b"\x03fo\xC3", 4, bad(PacketErrorKind::NotUtf8(Field::TestId), 4));
        check_string(b"\x09fo\xC3", 10, Err(Stop::NeedMore));
        check_string(b"\x09f\xFFo", 10, bad(PacketErrorKind::NotUtf8(Field::TestId), 2));
        check_string(b"\x09f\0", 10, bad(PacketErrorKind::Nul(Field::TestId), 2));
        check_string(b"", 0, bad(PacketErrorKind::PastEnd(Field::TestId), 0));
    }
}
