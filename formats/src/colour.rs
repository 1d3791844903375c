//! Colours, which some programs write whether a person looks on or not.

use std::borrow::Cow;

use subunit::part;

const ESCAPE: u8 = 0x1b;

/// The line without the colours in it.
///
/// ```
/// assert_eq!(&*formats::colour::uncoloured(b"\x1b[31mred\x1b[0m"), b"red");
/// ```
#[must_use]
pub fn uncoloured(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(ESCAPE, line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let colour = (byte == ESCAPE).then(|| colour_len(after)).flatten();
        match colour {
            Some(len) => rest = part(after, len..),
            None => plain.push(byte),
        }
    }
    Cow::Owned(plain)
}

/// How long a colour is without its escape: `[1;32m` or `(B`.
fn colour_len(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"(B") {
        return Some(2);
    }
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
    // To the end of the line in the colour of the background.
    matches!(inner.get(end), Some(b'm' | b'K')).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out() {
        let check = |line: &[u8], expected: &[u8]| assert_eq!(&*uncoloured(line), expected);
        check(b"\x1b[1m\x1b[92m     Running\x1b[0m x", b"     Running x");
        check(b"\x1b(B\x1b[mok", b"ok");
        check(b"\x1b[32mok 1 - a\x1b[0m\x1b[K", b"ok 1 - a");
        check(b"\x1b[2J\x1b", b"\x1b[2J\x1b");
        check(b"plain", b"plain");
    }
}
