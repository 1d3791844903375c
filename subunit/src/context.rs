//! Whether a signature byte within text is part of a character.

use crate::wire::SIGNATURE;

/// The last bytes of text before the input, as many as a character can have before its last byte.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context([u8; 3]);

/// Whether a signature byte is part of an intact UTF-8 character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    Yes,
    No,
    /// It is if the bytes go on as they began.
    Unknown,
}

impl Context {
    /// The context after more text.
    pub(crate) fn followed_by(self, text: &[u8]) -> Self {
        let [a, b, c] = self.0;
        Context(match *text {
            [.., x, y, z] => [x, y, z],
            [y, z] => [c, y, z],
            [z] => [b, c, z],
            [] => [a, b, c],
        })
    }

    /// Whether the signature byte at `at` of the input, all text before it, is part of a character: `ó` is
    /// `C3 B3`, `₳` is `E2 82 B3`.
    pub(crate) fn inside_character(self, input: &[u8], at: usize) -> Inside {
        let before = self.followed_by(input.get(at.saturating_sub(3)..at).unwrap_or_default()).0;
        let after = input.get(at + 1..).unwrap_or_default();
        let next = |index: usize| after.get(index).copied();
        let lead_at = before.iter().rposition(|byte| !is_continuation(*byte));
        let Some(lead_at) = lead_at else { return Inside::No };
        let mut character = [0; 8];
        let bytes = before.iter().skip(lead_at).copied().chain([SIGNATURE]);
        let bytes = bytes.chain([next(0), next(1)].into_iter().map_while(|byte| byte));
        let len = character.iter_mut().zip(bytes).map(|(to, from)| *to = from).count();
        is_first_character_past(character.get(..len).unwrap_or_default(), before.len() - lead_at)
    }
}

/// Whether the first character of `bytes` goes on past its first `len` bytes.
fn is_first_character_past(bytes: &[u8], len: usize) -> Inside {
    let width = match bytes.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    if width <= len {
        return Inside::No;
    }
    match std::str::from_utf8(bytes.get(..width).unwrap_or(bytes)) {
        Ok(_) => Inside::Yes,
        Err(error) if error.error_len().is_none() => Inside::Unknown,
        Err(_) => Inside::No,
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: Inside) {
        let at = text.iter().position(|byte| *byte == SIGNATURE).unwrap();
        assert_eq!(Context::default().inside_character(text, at), expected, "{text:x?}");
        for cut in 0..=at {
            let context = Context::default().followed_by(&text[..cut]);
            assert_eq!(context.inside_character(&text[cut..], at - cut), expected, "{text:x?} cut at {cut}");
        }
    }

    #[test]
    fn a_character_that_ends_in_the_byte_is_decided_at_once() {
        check("ó".as_bytes(), Inside::Yes);
        check("a₳".as_bytes(), Inside::Yes);
        check(b"\xf0\x9f\x98\xb3", Inside::Yes);
        check(b"\xc3\xc3\xb3", Inside::Yes);
    }

    #[test]
    fn a_character_that_goes_on_is_decided_with_its_next_bytes() {
        check(b"\xe2\xb3\x80", Inside::Yes);
        check(b"\xe2\xb3", Inside::Unknown);
        check(b"\xf0\x9f\xb3\x80", Inside::Yes);
        check(b"\xf0\x9f\xb3", Inside::Unknown);
        check(b"\xf0\xb3\x80", Inside::Unknown);
        check(b"\xe2\xb3\x29", Inside::No);
        check(b"\xf0\xb3\x80\x29", Inside::No);
    }

    #[test]
    fn a_byte_that_continues_no_character_is_outside() {
        check(b"\xb3", Inside::No);
        check(b"a\xb3", Inside::No);
        check(b"\xe0\x82\xb3", Inside::No);
        check(b"\xed\xb3\x80", Inside::No);
        check(b"\xc3\xa9\xb3", Inside::No);
        check(b"\x80\x80\x80\xb3", Inside::No);
        check(b"\xff\xb3", Inside::No);
    }
}
