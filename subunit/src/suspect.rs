//! Which failed candidates within a line are damaged packets, and which are text.
//!
//! At a promised place every failed candidate is damage. Elsewhere a `B3` may be part of what a program printed, in
//! Latin-1 (`m³`) if not in UTF-8, and that must not turn a run red. Neither may a packet that was cut or damaged
//! behind a progress line leave it green. So these are damage:
//!
//! 1. what is sound as far as it goes: header and first field, where there are more than its first bytes;
//! 2. what is cut by an intact packet in its head, and sound up to there;
//! 3. what has a control character in its head that no program prints, and at most one wrong bit in its version;
//! 4. what the checksum says is a packet with one wrong bit (see `restore`).
//!
//! A packet of which the signature itself is damaged is no candidate. Its first byte is then one that no program
//! prints, at least in this place, or it is `3`, the one printed byte that is a bit away from `B3`: what follows
//! such a byte is looked at as if it were a signature, and the checksum has the last word.

use crate::context::{Context, WithinCharacter, is_continuation};
use crate::error::{PacketError, PacketErrorKind};
use crate::examine::{Damage, Examiner, InputEnd, Missing, Verdict, Walk};
use crate::layout::SHORT;
use crate::part::part;
use crate::restore::{LONGEST, wrong_bits};
use crate::wire::{
    FILE, LENGTH_AT, LONG_NUMBER, MIME_TYPE, ROUTE_CODE, SIGNATURE, TAGS, TEST_ID, TIMESTAMP,
    has_odd_control, is_odd_control, is_plain_text, number_of, number_width,
};

/// How many bytes the head of a candidate has, at most: what stands before its first field's content.
const HEAD: usize = 10;
/// Of a packet without signature, the first bytes of which one is not printed.
const UNPRINTED: usize = 8;
/// The flags of the fields that begin with the length of a string.
const STRINGS: u16 = TEST_ID | MIME_TYPE | FILE | ROUTE_CODE;
/// `B3` without its highest bit.
const PRINTED_SIGNATURE: u8 = SIGNATURE & 0x7F;

impl Examiner {
    /// What the failed candidate that `bytes` begin with, within a line, is as damage; none if it is text.
    pub(crate) fn damage_in_line(
        &mut self,
        bytes: &[u8],
        position: u64,
        failed: Damage,
        ending: InputEnd,
    ) -> Result<Option<Damage>, Missing> {
        let wrong = match *bytes {
            [_, high, low, ..] => wrong_bits(high, low).count_ones(),
            [_, high] => wrong_bits(high, 0).count_ones(),
            _ => return Ok(None),
        };
        if wrong > 1 {
            return Ok(None);
        }
        let head = part(bytes, ..HEAD.min(bytes.len()));
        if let Some(cut) = self.packet_in_head(bytes, head, position, ending)? {
            let is_cut = wrong == 0 && (cut > LENGTH_AT || cut > 1 && is_of_test(head));
            return Ok(is_cut.then_some(failed));
        }
        if wrong == 0 && is_sound(bytes, failed) {
            return Ok(Some(failed));
        }
        if head.len() < HEAD && ending == InputEnd::Open {
            return Err(Missing(HEAD - head.len()));
        }
        if has_odd_control(head) {
            return Ok(Some(failed));
        }
        let restored = self.one_bit_off(bytes, position, ending)?;
        Ok(restored.map(|len| Damage { claim: Some(len), ..failed }))
    }

    /// Where in the head of a failed candidate an intact packet begins.
    fn packet_in_head(
        &mut self,
        bytes: &[u8],
        head: &[u8],
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<usize>, Missing> {
        for at in memchr::memchr_iter(SIGNATURE, part(head, 1..)).map(|at| at + 1) {
            let walk = Walk { bytes: SHORT, longest: usize::MAX };
            let verdict = self.examine(part(bytes, at..), position + at as u64, walk, ending)?;
            if matches!(verdict, Verdict::Packet) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// What is at `at` of the input, all text before it, if a packet without its signature: that as damage.
    pub(crate) fn damaged_signature(
        &mut self,
        before: Context,
        input: &[u8],
        at: usize,
        position: u64,
        ending: InputEnd,
    ) -> Result<Option<Damage>, Missing> {
        let bytes = part(input, at..);
        let found = match *bytes {
            [_, ..] if is_character(before, input, at) => return Ok(None),
            [first, ..] => first,
            [] => return Ok(None),
        };
        if found == PRINTED_SIGNATURE {
            let start = part(bytes, ..UNPRINTED.min(bytes.len()));
            if Context::EMPTY.is_printed(start) && (start.len() == UNPRINTED || ending != InputEnd::Open) {
                return Ok(None);
            }
        }
        let len = self.without_signature(bytes, position, ending)?;
        let error = PacketError::new(PacketErrorKind::Signature(found), 0);
        Ok(len.map(|len| Damage { error, claim: Some(len) }))
    }
}

/// Whether header and first field of a failed candidate are sound as far as they go. One without a test id, as Latin-1
/// makes them (`m³ per`), is sound up to its end, or it is not.
fn is_sound(bytes: &[u8], failed: Damage) -> bool {
    let body = bytes.get(LENGTH_AT).map_or(LENGTH_AT, |first| LENGTH_AT + number_width(*first));
    match failed.error.kind() {
        PacketErrorKind::Truncated(_) => bytes.len() > LENGTH_AT || is_of_test(bytes),
        PacketErrorKind::Checksum { .. } | PacketErrorKind::Nested => true,
        PacketErrorKind::NotUtf8(_) | PacketErrorKind::Nul(_) | PacketErrorKind::Nanoseconds(_) => {
            is_of_test(bytes)
        }
        _ => failed.claim.is_some() && failed.error.offset() > body && is_of_test(bytes),
    }
}

/// Whether the flags say that there is a test id, as they do in every failure.
fn is_of_test(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|high| u16::from(*high) << 8 & TEST_ID != 0)
}

/// Whether these bytes, a signature that does not end a character and what follows it, are text whatever comes: their
/// flags are wrong by more than one bit.
#[inline]
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    matches!(*bytes, [_, high, low, ..] if wrong_bits(high, low).count_ones() > 1)
}

/// Whether these bytes, a signature that ends a character and what follows it, are text whatever comes: their flags are
/// wrong, or the first field is too long. That tells nearly all.
#[inline]
pub(crate) fn is_text_behind_character(bytes: &[u8]) -> bool {
    match *bytes {
        [_, high, low, first @ ..LONG_NUMBER, a, b, c, d, ..] => {
            let (len, field) = match first {
                ..0x40 => (usize::from(first), [a, b]),
                0x40..0x80 => (number_of(&[first, a]), [b, c]),
                _ => (number_of(&[first, a, b]), [c, d]),
            };
            let flags = u16::from_be_bytes([high, low]);
            // Without any field, the checksum is what follows.
            let is_string = flags & (TIMESTAMP | TAGS) == 0 && flags & STRINGS != 0;
            let is_long = matches!(field, [0x40..0x80, _] if number_of(&field) > len.min(LONGEST));
            wrong_bits(high, low) != 0 || is_string && is_long
        }
        [_, high, low, ..] => wrong_bits(high, low) != 0,
        _ => false,
    }
}

/// How many bytes are looked at together.
const LANE: usize = 16;
/// How many are passed over together where all of them are plain text.
const BLOCK: usize = 128;

/// The first place from `from` on, and before `end`, where a packet that has lost its signature may begin. One of its
/// first bytes is not printed, so that nearly all of a block of plain text is passed over.
pub(crate) fn without_signature(bytes: &[u8], mut from: usize, end: usize) -> Option<usize> {
    while from < end {
        let next = end.min(from + BLOCK);
        let first = if is_plain_text(part(bytes, from..next)) {
            from.max(next.saturating_sub(UNPRINTED))
        } else {
            from
        };
        let found = in_block(bytes, first, next);
        if found.is_some() {
            return found;
        }
        from = next;
    }
    None
}

/// The same, where something is not plain text. Most bytes are looked at in vectors.
fn in_block(bytes: &[u8], mut from: usize, end: usize) -> Option<usize> {
    while from + LANE <= end {
        let [first, high, low] = [from, from + 1, from + 2].map(|at| lane(bytes, at));
        let (Some(first), Some(high), Some(low)) = (first, high, low) else { break };
        let lanes = first.iter().zip(high).zip(low);
        let any = lanes.fold(false, |any, ((first, high), low)| {
            any | may_be_signature(*first) & (high & 0xF0 == 0x20) & (low & 0x08 == 0)
        });
        let found = if any { (from..from + LANE).find(|at| may_begin_packet(bytes, *at)) } else { None };
        if found.is_some() {
            return found;
        }
        from += LANE;
    }
    (from..end).find(|at| may_begin_packet(bytes, *at))
}

fn may_begin_packet(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..) {
        Some([first, flags @ ..]) => may_be_signature(*first) && may_be_flags(flags),
        _ => false,
    }
}

#[inline]
fn lane(bytes: &[u8], from: usize) -> Option<&[u8; LANE]> {
    bytes.get(from..)?.first_chunk()
}

/// Whether no program prints this byte by itself; or only one bit is missing to a signature.
#[inline]
fn may_be_signature(byte: u8) -> bool {
    // Without a way out in between, which compiles to vectors.
    (byte == PRINTED_SIGNATURE) | (byte != SIGNATURE) & ((byte >= 0x80) | is_odd_control(byte))
}

/// Whether the byte at `at` of the input goes on with a character, and ends it or goes on after it.
fn is_character(before: Context, input: &[u8], at: usize) -> bool {
    input.get(at).is_some_and(|byte| is_continuation(*byte))
        && before.within_character(input, at) == WithinCharacter::Yes
}

/// Whether these bytes, as far as they have come, are flags, and not the start of a packet themselves.
#[inline]
fn may_be_flags(bytes: &[u8]) -> bool {
    match *bytes {
        [_, SIGNATURE, ..] => false,
        [high, low, ..] => wrong_bits(high, low) == 0,
        [high] => wrong_bits(high, 0) == 0,
        [] => true,
    }
}
