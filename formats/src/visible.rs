//! Text that cannot do anything to a terminal.
//!
//! Control characters (among them ESC and the C1 set), bidirectional controls and bytes that are not UTF-8 are
//! shown as `\x1b`, `\u{202e}`, `\xff`. All else stays, and is not copied.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line: also tabs and newlines are shown, as `\t` and `\n`.
///
/// ```
/// assert_eq!(formats::visible::line("a\x1b[2J\n"), r"a\x1b[2J\n");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    visible(text, |character| !is_harmless(character))
}

/// Text of several lines: tabs and newlines stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    visible(text, is_shown_in_text)
}

/// Text of several lines that may not be UTF-8 everywhere.
#[must_use]
pub fn lossy_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(valid) => text(valid),
        Err(_) => Cow::Owned(bytes.utf8_chunks().fold(String::new(), |mut out, chunk| {
            push(chunk.valid(), is_shown_in_text, &mut out);
            push_bytes(chunk.invalid(), &mut out);
            out
        })),
    }
}

/// Text as it is, for a format that shows by itself what it cannot hold; bytes that are not UTF-8 are shown.
pub(crate) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(valid) => Cow::Borrowed(valid),
        Err(_) => Cow::Owned(bytes.utf8_chunks().fold(String::new(), |mut out, chunk| {
            out.push_str(chunk.valid());
            push_bytes(chunk.invalid(), &mut out);
            out
        })),
    }
}

fn visible(text: &str, is_shown: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    // Most text is plain, and without a branch for each byte that is seen fast.
    let ends_lines = !is_shown('\n');
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) | (ends_lines & (byte == b'\n'));
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) || !text.contains(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push(text, is_shown, &mut out);
    Cow::Owned(out)
}

fn is_shown_in_text(character: char) -> bool {
    !matches!(character, '\n' | '\t') && !is_harmless(character)
}

fn is_harmless(character: char) -> bool {
    let is_bidi = matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_line_end = matches!(character, '\u{2028}' | '\u{2029}');
    !(character.is_control() || is_bidi || is_line_end)
}

fn push(text: &str, is_shown: impl Fn(char) -> bool + Copy, out: &mut String) {
    for piece in text.split_inclusive(is_shown) {
        match piece.chars().next_back() {
            Some(last) if is_shown(last) => {
                out.push_str(piece.strip_suffix(last).unwrap_or_default());
                push_shown(last, out);
            }
            _ => out.push_str(piece),
        }
    }
}

fn push_shown(character: char, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match character {
        '\n' => out.write_str(r"\n"),
        '\r' => out.write_str(r"\r"),
        '\t' => out.write_str(r"\t"),
        '\0'..='\x7f' => write!(out, r"\x{:02x}", u32::from(character)),
        _ => write!(out, r"\u{{{:x}}}", u32::from(character)),
    };
}

fn push_bytes(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, r"\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(lossy_text(bytes), expected);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        check(b"plain\ttext\n", "plain\ttext\n");
        check(b"\x1b]0;title\x07\x7f\r\n", "\\x1b]0;title\\x07\\x7f\\r\n");
        check("\u{9b}2J \u{202e}gpj.exe\u{2069}".as_bytes(), r"\u{9b}2J \u{202e}gpj.exe\u{2069}");
        check("grün 测试 \u{fffe}".as_bytes(), "grün 测试 \u{fffe}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown() {
        check(b"a\xff\xc3", r"a\xff\xc3");
        check(b"\xe6\xb5x", r"\xe6\xb5x");
    }

    #[test]
    fn what_is_readable_stays() {
        assert_eq!(readable("a\u{2028}\r\x1b".as_bytes()), "a\u{2028}\r\x1b");
        assert_eq!(readable(b"a\xff\r\xc3"), "a\\xff\r\\xc3");
    }

    #[test]
    fn a_line_stays_one() {
        assert_eq!(line("a\nb\t\u{2028}c"), r"a\nb\t\u{2028}c");
        assert!(matches!(line("plain"), Cow::Borrowed(_)));
    }
}
