//! What an attachment's MIME type says about its bytes.

use std::borrow::Cow;
use std::io;

use streamresult::Attachment;

/// So many bytes say whether something without a MIME type is text.
const HEAD: usize = 8192;

/// How the bytes of an attachment are to be shown. Closed: anything else is read as UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, usually in UTF-8: bytes that are not UTF-8 are shown escaped.
    Utf8,
    /// Text with one byte for each character.
    Latin1,
    /// Not text.
    Binary,
}

impl Content {
    /// What this MIME type says; without one, bytes are text unless a NUL is among the first, which are `head`.
    ///
    /// ```
    /// use formats::charset::Content;
    ///
    /// assert_eq!(Content::of(Some("text/plain; charset=\"utf8\""), b""), Content::Utf8);
    /// assert_eq!(Content::of(Some("image/png"), b""), Content::Binary);
    /// assert_eq!(Content::of(None, b"ready\n"), Content::Utf8);
    /// ```
    #[must_use]
    pub fn of(mime_type: Option<&str>, head: &[u8]) -> Self {
        let Some(mime_type) = mime_type else { return Content::guess(head) };
        let mut parts = mime_type.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence == "application/octet-stream" || essence.is_empty() {
            return Content::guess(head);
        }
        if !is_text(&essence) {
            return Content::Binary;
        }
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"));
        match charset.map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase()).as_deref() {
            Some("iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin-1" | "latin1" | "l1") => Content::Latin1,
            _ => Content::Utf8,
        }
    }

    /// How an attachment is to be shown.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn of_attachment(attachment: &Attachment<'_>) -> io::Result<Self> {
        Ok(Content::of(attachment.mime_type(), &attachment.head(HEAD)?))
    }

    fn guess(head: &[u8]) -> Self {
        let head = head.get(..HEAD).unwrap_or(head);
        if head.contains(&0) { Content::Binary } else { Content::Utf8 }
    }

    /// These bytes in UTF-8, so far as they are text.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Content::Latin1 if !bytes.is_ascii() => {
                Cow::Owned(bytes.iter().copied().map(char::from).collect::<String>().into_bytes())
            }
            _ => Cow::Borrowed(bytes),
        }
    }
}

fn is_text(essence: &str) -> bool {
    let name = essence.strip_prefix("application/").unwrap_or_default();
    essence.starts_with("text/")
        || matches!(name, "json" | "xml" | "yaml" | "x-yaml" | "toml" | "javascript" | "x-sh" | "x-ndjson")
        || name.ends_with("+json")
        || name.ends_with("+xml")
}

/// Cuts off the beginning of a UTF-8 character at the end of these bytes, if there is one.
#[must_use]
pub fn split_whole_characters(bytes: &[u8]) -> (&[u8], &[u8]) {
    // A character has four bytes at most, so that what is cut off has three.
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let width = match bytes.get(at) {
            Some(0xC2..=0xDF) => 2,
            Some(0xE0..=0xEF) => 3,
            Some(0xF0..=0xF4) => 4,
            Some(0x80..=0xBF) => continue,
            _ => break,
        };
        return bytes.split_at(if back < width { at } else { bytes.len() });
    }
    (bytes, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mime_type: &str, expected: Content) {
        assert_eq!(Content::of(Some(mime_type), b""), expected, "{mime_type}");
    }

    #[test]
    fn the_mime_type_says_what_is_text() {
        check("text/plain", Content::Utf8);
        check("TEXT/x-log;charset=utf-16", Content::Utf8);
        check("text/plain; a=b; charset=ISO-8859-1", Content::Latin1);
        check("application/problem+json", Content::Utf8);
        check("application/zip", Content::Binary);
        check("", Content::Utf8);
    }

    #[test]
    fn without_a_type_a_nul_tells() {
        assert_eq!(Content::of(None, b"\x7fELF\0"), Content::Binary);
        assert_eq!(Content::of(None, b"a\xff"), Content::Utf8);
    }

    #[test]
    fn latin1_has_a_character_a_byte() {
        assert_eq!(&*Content::Latin1.decode(b"gr\xfcn"), "grün".as_bytes());
        assert_eq!(&*Content::Utf8.decode(b"gr\xfcn"), b"gr\xfcn");
    }

    fn check_split(bytes: &[u8], rest: usize) {
        assert_eq!(split_whole_characters(bytes).1.len(), rest, "{bytes:?}");
    }

    #[test]
    fn only_the_beginning_of_a_character_is_cut_off() {
        check_split("grün".as_bytes(), 0);
        check_split("ü".as_bytes(), 0);
        check_split(b"a\xc3", 1);
        check_split(b"\xe6\xb5", 2);
        check_split(b"\xf0\x9f\x98", 3);
        check_split("😀".as_bytes(), 0);
        check_split(b"\x80\x80\x80\x80", 0);
        check_split(b"a\xff", 0);
        check_split(b"", 0);
    }
}
