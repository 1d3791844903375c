//! Any bytes as XML: what XML cannot hold is shown, nothing is dropped.

use std::io::Write as _;

use subunit::{part, split_text};

use crate::ci;

/// Whether this byte begins something that cannot stay as it is; `C2` and `EF` begin characters of which some are
/// so.
#[inline]
fn is_special<const IN_ATTRIBUTE: bool>(byte: u8) -> bool {
    let is_kept_control = !IN_ATTRIBUTE && (byte == b'\t' || byte == b'\n');
    (byte < 0x20 && !is_kept_control)
        || byte == b'&'
        || byte == b'<'
        || byte == b'>'
        || (IN_ATTRIBUTE && byte == b'"')
        || byte == 0x7F
        || byte == 0xC2
        || byte == 0xEF
}

/// How many bytes at the start can stay as they are.
#[inline]
fn plain<const IN_ATTRIBUTE: bool>(bytes: &[u8]) -> usize {
    // Without a branch for each byte, the compiler looks at sixteen at once.
    let any =
        |chunk: &[u8; 16]| chunk.iter().fold(false, |any, byte| any | is_special::<IN_ATTRIBUTE>(*byte));
    let (chunks, _) = bytes.as_chunks::<16>();
    let start = 16 * chunks.iter().take_while(|chunk| !any(chunk)).count();
    let rest = part(bytes, start..);
    start + rest.iter().take_while(|byte| !is_special::<IN_ATTRIBUTE>(**byte)).count()
}

/// Appends the content of an element, in which no line begins with what a CI system would obey: reports go to its log,
/// too.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    let mut rest = ci::Rest::new(text, true);
    while let Some((before, first)) = rest.next_command() {
        escape::<false>(before, out);
        refer_to(first, out);
    }
    escape::<false>(rest.text, out);
}

/// Appends the content of an element, from bytes that need not be UTF-8.
pub(crate) fn lossy_text(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        text(chunk.valid(), out);
        for byte in chunk.invalid() {
            show_byte(*byte, out);
        }
    }
}

/// Appends the value of an attribute, which stands in double quotes.
pub(crate) fn attribute(text: &str, out: &mut Vec<u8>) {
    let mut rest = ci::Rest::new(text, false);
    while let Some((before, first)) = rest.next_command() {
        escape::<true>(before, out);
        refer_to(first, out);
    }
    escape::<true>(rest.text, out);
}

/// A character by its number, which a reader takes for the same.
fn refer_to(character: u8, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "&#{character};");
}

#[inline]
fn escape<const IN_ATTRIBUTE: bool>(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let (plain, from) = split_text(rest, plain::<IN_ATTRIBUTE>(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let mut characters = from.chars();
        let Some(character) = characters.next() else { return };
        replace(character, out);
        rest = characters.as_str();
    }
}

fn replace(character: char, out: &mut Vec<u8>) {
    match character {
        '&' => out.extend_from_slice(b"&amp;"),
        '<' => out.extend_from_slice(b"&lt;"),
        '>' => out.extend_from_slice(b"&gt;"),
        '"' => out.extend_from_slice(b"&quot;"),
        // As they are, a reader makes blanks of them in attributes, and of CR a newline everywhere.
        '\t' => out.extend_from_slice(b"&#9;"),
        '\n' => out.extend_from_slice(b"&#10;"),
        '\r' => out.extend_from_slice(b"&#13;"),
        '\0'..='\x1f' | '\x7f' => show_byte(character as u8, out),
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => show_character(character, out),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cold]
fn show_byte(byte: u8, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}

#[cold]
fn show_character(character: char, out: &mut Vec<u8>) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], in_text: &str) {
        let mut out = Vec::new();
        lossy_text(bytes, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), in_text);
    }

    fn check_attribute(value: &str, expected: &str) {
        let mut out = Vec::new();
        attribute(value, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn markup_is_escaped_and_white_space_stays() {
        check(b"a < b && c > \"d\"\n\t]]>", "a &lt; b &amp;&amp; c &gt; \"d\"\n\t]]&gt;");
        check(b"line\r\n", "line&#13;\n");
        check_attribute("\"a\"\t<b>\r\n", "&quot;a&quot;&#9;&lt;b&gt;&#13;&#10;");
    }

    #[test]
    fn no_line_begins_with_a_command() {
        check(b"::error::x\n ::stop\na::b ##vso[x]", "&#58;:error::x\n &#58;:stop\na::b &#35;#vso[x]");
        check_attribute("::a\n##[b]", "::a&#10;&#35;#[b]");
    }

    #[test]
    fn what_xml_cannot_hold_is_shown() {
        check(b"\x00\x1b[31m\x7f", r"\x00\x1b[31m\x7f");
        check("\u{fffe}\u{ffff}\u{9b}\u{85}".as_bytes(), r"\u{fffe}\u{ffff}\u{9b}\u{85}");
        check(b"\xff\xed\xa0\x80", r"\xff\xed\xa0\x80");
        check("é £ \u{feff}\u{fffd} 测试 😀".as_bytes(), "é £ \u{feff}\u{fffd} 测试 😀");
    }
}
