//! Text between tests: no line of it may be taken for a directive.

use std::io::{self, Write};
use subunit::split_part;

/// A line of text that begins with one of these would begin a test, or change what the next ones are.
const WORDS: [&[u8]; 7] = [b"test", b"testing", b"tags", b"time", b"progress", b"uxsuccess", b"failure"];

/// Writes text that comes in pieces, with a blank before each line that would be a directive.
///
/// The start of a line is held while it may become such a word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    held: Vec<u8>,
    in_line: bool,
}

impl Guard {
    pub(crate) fn text<W: Write + ?Sized>(&mut self, text: &[u8], out: &mut W) -> io::Result<()> {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if self.in_line {
                out.write_all(line)?;
            } else if self.held.is_empty() {
                self.start(line, out)?;
            } else {
                self.held.extend_from_slice(line);
                let held = std::mem::take(&mut self.held);
                self.start(&held, out)?;
            }
            if line.ends_with(b"\n") {
                self.in_line = false;
            }
        }
        Ok(())
    }

    /// Ends the text, so that a directive can follow on a line of its own.
    pub(crate) fn end<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        if !self.in_line && self.held.is_empty() {
            return Ok(());
        }
        out.write_all(&self.held)?;
        self.held.clear();
        self.in_line = false;
        out.write_all(b"\n")
    }

    /// Ends the stream: text may stay without a newline.
    pub(crate) fn finish<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.in_line |= !held.is_empty();
        out.write_all(&held)
    }

    fn start<W: Write + ?Sized>(&mut self, line: &[u8], out: &mut W) -> io::Result<()> {
        if is_start_of_word(line) {
            self.held.extend_from_slice(line);
            return Ok(());
        }
        if is_directive(line) {
            out.write_all(b" ")?;
        }
        self.in_line = true;
        out.write_all(line)
    }
}

/// Whether what follows may make it a directive.
fn is_start_of_word(line: &[u8]) -> bool {
    WORDS.iter().any(|word| word.starts_with(line))
}

fn is_directive(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| !byte.is_ascii_lowercase()).unwrap_or(line.len());
    let (word, after) = split_part(line, end);
    WORDS.contains(&word)
        && after.first().is_some_and(|byte| *byte == b':' || byte.is_ascii_whitespace() && *byte != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        for cut in 0..=text.len() {
            let (mut guard, mut out) = (Guard::default(), Vec::new());
            guard.text(&text.as_bytes()[..cut], &mut out).unwrap();
            guard.text(&text.as_bytes()[cut..], &mut out).unwrap();
            guard.end(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn text_that_would_be_a_directive_gets_a_blank() {
        check("test result: ok\n", " test result: ok\n");
        check("failure: x\n", " failure: x\n");
        check("a\ntest: x\ntags:\ty\ntesting: z\n", "a\n test: x\n tags:\ty\n testing: z\n");
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "",
            "\n",
            "error: no such file\nsuccess: x\n",
            "test\ntests: 3\n",
            "timer 5\n test: a\n",
            "testing",
        ] {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            check(text, &format!("{text}{end}"));
        }
    }
}
