//! Text between packets: which of its signature bytes are part of a character.

use crate::part::part;
use crate::wire::has_odd_control;

/// The last bytes of text before the input, as many as a character can have before its last byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context([u8; 3]);

/// Whether a signature byte is part of an intact UTF-8 character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithinCharacter {
    Yes,
    No,
    /// It is if the bytes go on as they began.
    Unknown,
}

impl Context {
    /// The context of a stream's first byte, or of the first after a packet. NUL is part of no character.
    pub(crate) const EMPTY: Context = Context([0; 3]);

    /// The context after more text.
    pub(crate) fn followed_by(self, text: &[u8]) -> Self {
        let [_, b, c] = self.0;
        Context(match *text {
            [.., x, y, z] => [x, y, z],
            [y, z] => [c, y, z],
            [z] => [b, c, z],
            [] => self.0,
        })
    }

    /// Whether the signature byte at `at` of the input, all text before it, is part of a character: `ó` is
    /// `C3 B3`, `₳` is `E2 82 B3`. It may be any other byte that continues one.
    pub(crate) fn within_character(self, input: &[u8], at: usize) -> WithinCharacter {
        let near = part(input, at.saturating_sub(3)..at);
        match *near {
            // The two most common cases at once: the byte ends a character of two or three bytes.
            [.., 0xC2..=0xDF] | [.., 0xE1..=0xEC | 0xEE..=0xEF, 0x80..=0xBF] => return WithinCharacter::Yes,
            [_, _, 0x00..=0x7F] => return WithinCharacter::No,
            _ => {}
        }
        let before = self.followed_by(near);
        match before.open_character().map(|open| character(open, part(input, at..))) {
            Some(Character::Ends(_)) => WithinCharacter::Yes,
            Some(Character::GoesOn) => WithinCharacter::Unknown,
            Some(Character::Broken) | None => WithinCharacter::No,
        }
    }

    /// Whether `text`, which follows, can be what a program printed: UTF-8 without odd control characters. It
    /// may end within a character.
    pub(crate) fn is_printed(self, text: &[u8]) -> bool {
        let rest = match self.open_character().map(|open| character(open, text)) {
            Some(Character::Ends(taken)) => part(text, taken..),
            Some(Character::GoesOn) => &[],
            Some(Character::Broken) => return false,
            None => text,
        };
        !has_odd_control(text)
            && core::str::from_utf8(rest).map_or_else(|error| error.error_len().is_none(), |_| true)
    }

    /// The bytes of a character that the text ends within.
    fn open_character(&self) -> Option<&[u8]> {
        let lead = self.0.iter().rposition(|byte| !is_continuation(*byte))?;
        let open = self.0.get(lead..)?;
        open.first().filter(|lead| width(**lead) > open.len()).map(|_| open)
    }
}

/// What becomes of a character that was begun.
enum Character {
    /// This many bytes complete it.
    Ends(usize),
    /// The bytes belong to it, and more are needed.
    GoesOn,
    /// The bytes do not make a character.
    Broken,
}

/// What `text` makes of the character that `open` begins.
fn character(open: &[u8], text: &[u8]) -> Character {
    let width = open.first().map_or(1, |lead| width(*lead));
    let mut bytes = [0; 4];
    let come =
        bytes.iter_mut().zip(open.iter().chain(text)).map(|(to, from)| *to = *from).take(width).count();
    match core::str::from_utf8(part(&bytes, ..come)) {
        Ok(_) => Character::Ends(width - open.len()),
        Err(error) if error.error_len().is_none() => Character::GoesOn,
        Err(_) => Character::Broken,
    }
}

/// How many bytes the character takes that begins with this one.
fn width(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Whether characters of several bytes have this one behind their first.
pub(crate) fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::SIGNATURE;

    fn check(text: &[u8], expected: WithinCharacter) {
        let at = text.iter().position(|byte| *byte == SIGNATURE).unwrap();
        assert_eq!(Context::EMPTY.within_character(text, at), expected, "{text:x?}");
        for cut in 0..=at {
            let context = Context::EMPTY.followed_by(&text[..cut]);
            assert_eq!(context.within_character(&text[cut..], at - cut), expected, "{text:x?} cut at {cut}");
        }
    }

    #[test]
    fn a_character_that_ends_in_the_byte_is_decided_at_once() {
        check("ó".as_bytes(), WithinCharacter::Yes);
        check("a₳".as_bytes(), WithinCharacter::Yes);
        check(b"\xf0\x9f\x98\xb3", WithinCharacter::Yes);
        check(b"\xc3\xc3\xb3", WithinCharacter::Yes);
    }

    #[test]
    fn a_character_that_goes_on_is_decided_with_its_next_bytes() {
        check(b"\xe2\xb3\x80", WithinCharacter::Yes);
        check(b"\xe2\xb3", WithinCharacter::Unknown);
        check(b"\xf0\x9f\xb3\x80", WithinCharacter::Yes);
        check(b"\xf0\x9f\xb3", WithinCharacter::Unknown);
        check(b"\xf0\xb3\x80", WithinCharacter::Unknown);
        check(b"\xe2\xb3\x29", WithinCharacter::No);
        check(b"\xf0\xb3\x80\x29", WithinCharacter::No);
    }

    #[test]
    fn a_byte_that_continues_no_character_is_outside() {
        check(b"\xb3", WithinCharacter::No);
        check(b"a\xb3", WithinCharacter::No);
        check(b"\xe0\x82\xb3", WithinCharacter::No);
        check(b"\xed\xb3\x80", WithinCharacter::No);
        check(b"\xc3\xa9\xb3", WithinCharacter::No);
        check(b"\x80\x80\x80\xb3", WithinCharacter::No);
        check(b"\xff\xb3", WithinCharacter::No);
    }

    fn check_printed(text: &[u8], expected: bool) {
        for cut in 0..=text.len() {
            let (first, second) = text.split_at(cut);
            let printed =
                Context::EMPTY.is_printed(first) && Context::EMPTY.followed_by(first).is_printed(second);
            assert_eq!(printed, expected, "{text:x?} cut at {cut}");
        }
    }

    #[test]
    fn what_programs_print_is_told_from_what_they_do_not() {
        check_printed(b"", true);
        check_printed("la prueba pasó\t\r\n\x1b[0m\x08 ₳ 😳".as_bytes(), true);
        check_printed(b"cut off \xe2\x82", true);
        check_printed(b"\x2b\x03", false);
        check_printed(b"\x2b\x83", false);
        check_printed(b"latin \xe9\n", false);
        check_printed(b"\xf0\x9f\x98.", false);
        check_printed(b"\x80", false);
    }
}
