//! Any bytes as XML: what XML cannot hold is shown, nothing is dropped.

use std::io::Write as _;

/// The bytes that begin something that cannot stay as it is; `C2` and `EF` begin characters of which some are so.
const fn special(attribute: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = attribute || !matches!(byte as u8, b'\t' | b'\n');
        byte += 1;
    }
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'"' as usize] = attribute;
    table[0x7F] = true;
    table[0xC2] = true;
    table[0xEF] = true;
    table
}

static IN_TEXT: [bool; 256] = special(false);
static IN_ATTRIBUTE: [bool; 256] = special(true);

/// Appends the content of an element.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    escape(text, &IN_TEXT, out);
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
    escape(text, &IN_ATTRIBUTE, out);
}

#[inline]
fn escape(text: &str, special: &[bool; 256], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| special[usize::from(byte)]) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut characters = from.chars();
        if let Some(character) = characters.next() {
            replace(character, out);
        }
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
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
    fn what_xml_cannot_hold_is_shown() {
        check(b"\x00\x1b[31m\x7f", r"\x00\x1b[31m\x7f");
        check("\u{fffe}\u{ffff}\u{9b}\u{85}".as_bytes(), r"\u{fffe}\u{ffff}\u{9b}\u{85}");
        check(b"\xff\xed\xa0\x80", r"\xff\xed\xa0\x80");
        check("é £ \u{feff}\u{fffd} 测试 😀".as_bytes(), "é £ \u{feff}\u{fffd} 测试 😀");
    }
}
