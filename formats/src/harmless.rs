//! Text of others that can do nothing, neither to a terminal nor to a CI system: as `visible` shows it, with the
//! commands that `ci` knows made harmless.

use std::borrow::Cow;
use std::io;

use subunit::part;

use crate::charset::split_whole_characters;
use crate::{ci, visible};

/// One line, or what begins one: tabs and newlines are shown, too.
///
/// ```
/// assert_eq!(formats::harmless::line("::error::\x1b[2J\n"), r"\x3a:error::\x1b[2J\n");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    match visible::line(text) {
        Cow::Borrowed(text) => ci::defuse(text, true),
        Cow::Owned(text) => Cow::Owned(ci::defuse(&text, true).into_owned()),
    }
}

/// Appends one line of text that was checked, as [`line()`] shows it; it need not be a string yet.
///
/// ```
/// let mut out = b"1 ".to_vec();
/// formats::harmless::push_line(b"a\tb", &mut out);
/// assert_eq!(out, br"1 a\tb");
/// ```
pub fn push_line(text: &[u8], out: &mut Vec<u8>) {
    let is_plain =
        text.iter().fold(true, |plain, byte| plain & (0x20..0x7f).contains(byte) & (*byte != b'#'));
    if is_plain && !matches!(text, [b':' | b' ', ..]) {
        out.extend_from_slice(text);
    } else {
        out.extend_from_slice(line(&String::from_utf8_lossy(text)).as_bytes());
    }
}

/// Passes on text of several lines, however it is cut into pieces.
///
/// What may be the beginning of a character or of a command waits for the rest, until [`finish`](Self::finish).
#[derive(Debug)]
pub struct HarmlessWriter<W> {
    inner: W,
    waiting: Vec<u8>,
    /// Whether nothing but blanks were written since the last newline.
    at_line_start: bool,
}

impl<W: io::Write> HarmlessWriter<W> {
    /// Shows what is written on `inner`, which is at the beginning of a line.
    pub fn new(inner: W) -> Self {
        HarmlessWriter { inner, waiting: Vec::new(), at_line_start: true }
    }

    /// Says that the text has ended.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn finish(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.waiting);
        self.show(&rest)?;
        self.inner.flush()
    }

    /// Where it was written.
    pub fn into_inner(self) -> W {
        self.inner
    }

    fn show(&mut self, text: &[u8]) -> io::Result<()> {
        let shown = visible::lossy_text(text);
        self.inner.write_all(ci::defuse(&shown, self.at_line_start).as_bytes())?;
        let (has_ended, line) = match shown.rsplit_once('\n') {
            Some((_, line)) => (true, line),
            None => (self.at_line_start, &*shown),
        };
        self.at_line_start = has_ended && line.trim_start().is_empty();
        Ok(())
    }
}

impl<W: io::Write> io::Write for HarmlessWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let all = if waiting.is_empty() {
            bytes
        } else {
            waiting.extend(bytes);
            &waiting
        };
        let (whole, half) = split_whole_characters(all);
        let undecided = if half.is_empty() { ci::undecided(whole, self.at_line_start) } else { 0 };
        let now = all.len() - half.len() - undecided;
        self.show(part(all, ..now))?;
        self.waiting = part(all, now..).to_vec();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        for (first, second) in (0..=bytes.len()).flat_map(|end| (0..=end).map(move |at| (at, end))) {
            let mut writer = HarmlessWriter::new(Vec::new());
            for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                writer.write_all(piece).unwrap();
                writer.flush().unwrap();
            }
            writer.finish().unwrap();
            let found = String::from_utf8(writer.inner).unwrap();
            assert_eq!(found, expected, "cut at {first} and {second}");
        }
    }

    #[test]
    fn no_cut_lets_a_command_through() {
        check(b"a\n \t::error::x\n: :", "a\n \t\\x3a:error::x\n: :");
        check(b"a: ::b ##TeamCity[x] ###[y", "a: ::b \\x23#TeamCity[x] #\\x23#[y");
        check(b"\x1b[0m::error\r::x", "\\x1b[0m::error\\r::x");
    }

    #[test]
    fn no_cut_breaks_a_character() {
        check("grün: 测试 ##".as_bytes(), "grün: 测试 ##");
        check(b"a\xff\xc3", r"a\xff\xc3");
    }
}
