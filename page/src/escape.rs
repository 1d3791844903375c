//! Text of others in its place: in HTML, in the lines of the list, in a shell, in an address.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use formats::visible;

/// Text in an element or in an attribute between double quotes.
#[derive(Clone, Copy, Debug)]
pub struct Esc<'a>(pub &'a str);

impl fmt::Display for Esc<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['&', '<', '>', '"']) {
            let (before, entity) = match piece.as_bytes().last() {
                Some(b'&') => (piece.strip_suffix('&'), "&amp;"),
                Some(b'<') => (piece.strip_suffix('<'), "&lt;"),
                Some(b'>') => (piece.strip_suffix('>'), "&gt;"),
                Some(b'"') => (piece.strip_suffix('"'), "&quot;"),
                _ => (None, ""),
            };
            formatter.write_str(before.unwrap_or(piece))?;
            formatter.write_str(entity)?;
        }
        Ok(())
    }
}

/// One line of others' text: control characters are shown, as `\t` and `\x1b`.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(pub &'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Esc(&visible::line(self.0)).fmt(formatter)
    }
}

/// A field of the list, which can be read back: backslashes are doubled, so that those of `\t` and `\x1b` stand out.
pub(crate) fn field(text: &str) -> Cow<'_, str> {
    if text.contains('\\') {
        Cow::Owned(visible::line(&text.replace('\\', "\\\\")).into_owned())
    } else {
        visible::line(text)
    }
}

/// A word for a shell; for bash, where it has control characters.
pub(crate) fn shell(word: &str) -> Cow<'_, str> {
    if word.chars().any(char::is_control) { Cow::Owned(ansi_c(word)) } else { process::shell_word(word) }
}

/// The quotes of bash in which control characters can be written.
fn ansi_c(word: &str) -> String {
    let mut out = String::from("$'");
    for character in word.chars() {
        // Writing to a string cannot fail.
        let _ = match character {
            '\'' | '\\' => write!(out, "\\{character}"),
            '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", u32::from(character)),
            other => write!(out, "{other}"),
        };
    }
    out.push('\'');
    out
}

/// What a test is called in addresses: FNV-1a of its id.
pub(crate) fn anchor(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_in_html() {
        let check = |text, expected: &str| assert_eq!(Esc(text).to_string(), expected);
        check("", "");
        check("a<b>&\"c\" d", "a&lt;b&gt;&amp;&quot;c&quot; d");
        check("</script>", "&lt;/script&gt;");
        assert_eq!(Line("a\n<\x1b").to_string(), "a\\n&lt;\\x1b");
    }

    #[test]
    fn fields_can_be_read_back() {
        let check = |text, expected: &str| assert_eq!(field(text), expected);
        check("a b", "a b");
        check("a\tb", r"a\tb");
        check(r"a\tb", r"a\\tb");
        check("\u{202e}", r"\u{202e}");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        let check = |word, expected: &str| assert_eq!(shell(word), expected);
        check("a.b::c/d", "a.b::c/d");
        check("a b", "'a b'");
        check("it's", r"'it'\''s'");
        check("-x", "-x");
        check("", "''");
        check("a\nb'", r"$'a\x0ab\''");
    }

    #[test]
    fn anchors_are_fnv() {
        assert_eq!(anchor(""), 0x811c_9dc5);
        assert_eq!(anchor("a"), 0xe40c_292c);
    }
}
