//! Ids, names and tags on a line of their own, or as a word of it.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memchr2;

/// An id or name that stands on one line, and is there to be seen: what ends a line is shown as `\n` or `\r`,
/// the empty one as `""`, and the last of nothing but blanks as `\x20`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    let is_blank = |character: char| character.is_ascii_whitespace() || character == '\u{b}';
    if text.as_bytes().first().is_some_and(u8::is_ascii_graphic) {
        return name(text);
    }
    if text.is_empty() {
        return Cow::Borrowed("\"\"");
    }
    if text.chars().all(is_blank) {
        return escaped(text, is_blank);
    }
    escaped(text, |character| matches!(character, '\n' | '\r'))
}

/// The name of a part: as [`line()`], but it may be empty or blank.
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    if memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    escaped(text, |character| matches!(character, '\n' | '\r'))
}

/// A tag that is one word, and no removal: blanks are shown as `\x20`, a `-` at its start as `\x2d`.
pub(crate) fn word(tag: &str) -> Cow<'_, str> {
    if tag.is_empty() {
        return Cow::Borrowed("\"\"");
    }
    // python-subunit splits where Unicode has a blank, and at these four.
    let is_blank = |character: char| character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}');
    match tag.strip_prefix('-') {
        Some(rest) => Cow::Owned(format!("\\x2d{}", escaped(rest, is_blank))),
        None => escaped(tag, is_blank),
    }
}

fn escaped(text: &str, is_shown: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if !text.contains(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        // Writing to a string cannot fail.
        let _ = match character {
            _ if !is_shown(character) => {
                out.push(character);
                Ok(())
            }
            '\n' => out.write_str(r"\n"),
            '\r' => out.write_str(r"\r"),
            '\0'..='\x7f' => write!(out, r"\x{:02x}", u32::from(character)),
            _ => write!(out, r"\u{{{:x}}}", u32::from(character)),
        };
    }
    Cow::Owned(out)
}

/// The string of a label, as v2 can carry it: bytes that are not UTF-8, and NUL, are shown as `\xff`.
pub(crate) fn string(label: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(label) {
        Ok(text) if !text.contains('\0') => Cow::Borrowed(text),
        _ => Cow::Owned(label.utf8_chunks().fold(String::new(), |mut out, chunk| {
            out.push_str(&escaped(chunk.valid(), |character| character == '\0'));
            for byte in chunk.invalid() {
                let _ = write!(out, r"\x{byte:02x}");
            }
            out
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_end_its_line_nor_vanish() {
        assert_eq!(line("a\nsuccess: a\r"), r"a\nsuccess: a\r");
        assert_eq!(line(""), "\"\"");
        assert_eq!(line(" \t"), r"\x20\x09");
        assert_eq!(line(" a\tb "), " a\tb ");
        assert_eq!(name(" "), " ");
    }

    #[test]
    fn a_tag_is_one_word_and_no_removal() {
        assert_eq!(word("a b\u{a0}c"), r"a\x20b\u{a0}c");
        assert_eq!(word("-a-b"), r"\x2da-b");
        assert_eq!(word("café"), "café");
    }

    #[test]
    fn what_v2_cannot_carry_is_shown() {
        assert_eq!(string(b"caf\xe9 \0"), r"caf\xe9 \x00");
        assert_eq!(string("café".as_bytes()), "café");
    }
}
