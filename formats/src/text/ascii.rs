//! For terminals without UTF-8.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::charset::split_whole_characters;

/// Passes text on, in ASCII if that is asked for: other characters are shown as `\u{fc}`.
///
/// What is written must be UTF-8, however it is cut; what is not passes as `\xff`.
#[derive(Debug)]
pub struct Ascii<W> {
    inner: W,
    only_ascii: bool,
    /// The beginning of a character.
    rest: Vec<u8>,
}

impl<W: Write> Ascii<W> {
    /// Writes to `inner`.
    pub fn new(inner: W, only_ascii: bool) -> Self {
        Ascii { inner, only_ascii, rest: Vec::new() }
    }

    /// Where it was written.
    pub fn into_inner(self) -> W {
        self.inner
    }

    #[cold]
    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.rest);
        all.extend(bytes);
        let (now, rest) = split_whole_characters(&all);
        self.inner.write_all(shown(now).as_bytes())?;
        self.rest = rest.to_vec();
        Ok(())
    }
}

/// The text in ASCII.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_ascii() { out.push(character) } else { out.extend(character.escape_unicode()) }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, r"\x{byte:02x}");
        }
    }
    out
}

impl<W: Write> Write for Ascii<W> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.only_ascii || self.rest.is_empty() && bytes.is_ascii() {
            return self.inner.write_all(bytes);
        }
        self.show(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, only_ascii: bool, expected: &str) {
        for cut in 0..=text.len() {
            let (front, back) = text.as_bytes().split_at(cut);
            let mut out = Ascii::new(Vec::new(), only_ascii);
            out.write_all(front).unwrap();
            out.write_all(back).unwrap();
            assert_eq!(String::from_utf8(out.into_inner()).unwrap(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn other_characters_are_shown_where_it_is_asked_for() {
        check("grün 测", true, r"gr\u{fc}n \u{6d4b}");
        check("grün 测", false, "grün 测");
    }
}
