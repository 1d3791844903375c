//! The text of attachments for reports that people read: harmless, and indented.

use std::io::{self, Read, Write};

use streamresult::Attachment;

use crate::charset::{Content, split_whole_characters};
use crate::{ci, visible};
use subunit::part;

/// Text is shown in pieces of this many bytes.
const PIECE: usize = 32 << 10;

/// Writes text with a prefix before each line.
pub(crate) struct Indented<'a, W> {
    out: &'a mut W,
    prefix: &'static str,
    /// Whether empty lines have it, too.
    is_padded: bool,
    at_line_start: bool,
}

impl<'a, W: Write> Indented<'a, W> {
    /// Writes to `out`, which is at the beginning of a line. Empty lines stay empty.
    pub(crate) fn new(out: &'a mut W, prefix: &'static str) -> Self {
        Indented { out, prefix, is_padded: false, at_line_start: true }
    }

    /// The same, with the prefix before empty lines, too.
    pub(crate) fn padded(out: &'a mut W, prefix: &'static str) -> Self {
        Indented { is_padded: true, ..Indented::new(out, prefix) }
    }

    /// Writes a piece of text; control characters and what a CI system would obey are shown.
    pub(crate) fn text(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shown = visible::lossy_text(bytes);
        let shown = ci::defuse(&shown, self.at_line_start);
        for line in shown.split_inclusive('\n') {
            if self.at_line_start && (self.is_padded || line != "\n") {
                self.out.write_all(self.prefix.as_bytes())?;
            }
            self.out.write_all(line.as_bytes())?;
            self.at_line_start = line.ends_with('\n');
        }
        Ok(())
    }

    /// Ends the last line, if it has not ended.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.at_line_start, true) { Ok(()) } else { self.out.write_all(b"\n") }
    }

    /// Writes the text of an attachment, and says how many of its bytes are left out.
    pub(crate) fn attachment(&mut self, attachment: &Attachment<'_>, content: Content) -> io::Result<()> {
        let mut reader = attachment.reader();
        let mut buffer = Vec::with_capacity(PIECE);
        loop {
            let room = PIECE.saturating_sub(buffer.len()) as u64;
            let is_last = reader.by_ref().take(room).read_to_end(&mut buffer)? == 0;
            // Lines stay whole where they can: what begins one is looked at.
            let (whole, _) = if is_last { (&*buffer, &[][..]) } else { split_whole_characters(&buffer) };
            let len = match whole.iter().rposition(|byte| *byte == b'\n') {
                Some(at) if !is_last => at + 1,
                _ => whole.len(),
            };
            self.text(&content.decode(part(whole, ..len)))?;
            buffer.drain(..len);
            if is_last {
                break;
            }
        }
        self.end_line()?;
        match (attachment.left_out(), attachment.no_room()) {
            (0, _) => Ok(()),
            (count, None) => self.text(format!("[{count} bytes more, left out]\n").as_bytes()),
            (count, Some(why)) => self.text(format!("[{count} bytes more, left out: {why}]\n").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult, record_fn};
    use subunit::{Event, File, Status};

    use super::*;

    fn check(bytes: &[u8], cap: u64, expected: &str) {
        let mut found = Vec::new();
        let mut records = Records::new(record_fn(|record| {
            let file = record.attachment("log").unwrap();
            Indented::new(&mut found, "> ").attachment(&file, Content::of_attachment(&file)?)
        }))
        .cap(cap);
        let file = Some(File { name: "log", bytes });
        records.status(&Event { file, ..Event::status("a", Status::Fail) }).unwrap();
        drop(records);
        assert_eq!(String::from_utf8(found).unwrap(), expected);
    }

    #[test]
    fn each_line_is_indented_and_harmless() {
        check(b"one\n\n two\x1b[2J", u64::MAX, "> one\n\n>  two\\x1b[2J\n");
        check(b"", u64::MAX, "");
        check(b"::error::x\n", u64::MAX, "> \\x3a:error::x\n");
        check(b"a\xffb", 2, "> a\\xff\n> [1 bytes more, left out]\n");
    }

    #[test]
    fn long_text_is_shown_whole() {
        let lines = "::grün\n".repeat(20_000);
        check(lines.as_bytes(), u64::MAX, &lines.replace("::", "> \\x3a:"));
        let line = "ü".repeat(100_001);
        check(line.as_bytes(), u64::MAX, &format!("> {line}\n"));
    }
}
