//! The text of elements: as much of it as parsers accept.

use std::io::{self, Read};

use streamresult::Attachment;
use subunit::{part, part_mut};

use super::case_writer::CaseWriter;
use super::escape;
use crate::charset::{Content, split_whole_characters};

/// Text of one element, in bytes: libxml2 takes 10 MB at most, and we promise to stay below 8 MiB.
const LONGEST_TEXT: usize = 7 << 20;
/// Our own lines in it, in bytes before they are escaped.
const LONGEST_NOTES: usize = 128 << 10;
/// Text is escaped in pieces of this many bytes.
const PIECE: usize = 16 << 10;

/// How much more text an element takes.
pub(crate) struct TextBudget {
    left: usize,
    /// For our own lines.
    left_for_notes: usize,
    /// How many of our own lines there was no room for.
    notes_left_out: usize,
    /// Whether the text so far ends in a newline.
    at_line_start: bool,
}

impl Default for TextBudget {
    fn default() -> Self {
        TextBudget::of(LONGEST_TEXT)
    }
}

impl TextBudget {
    /// A budget of this many bytes.
    pub(crate) fn of(left: usize) -> Self {
        TextBudget { left, left_for_notes: LONGEST_NOTES, notes_left_out: 0, at_line_start: true }
    }

    /// Appends a piece, if there is room for it.
    pub(crate) fn piece(&mut self, bytes: &[u8], writer: &mut CaseWriter<'_>) -> bool {
        let before = writer.out().len();
        escape::lossy_text(bytes, writer.out());
        let len = writer.out().len() - before;
        let is_taken = writer.takes();
        let Some(left) = self.left.checked_sub(len).filter(|_| is_taken) else {
            writer.out().truncate(before);
            if !is_taken {
                writer.leave_out(len);
            }
            self.left = 0;
            return false;
        };
        self.left = left;
        self.at_line_start = bytes.last().map_or(self.at_line_start, |last| *last == b'\n');
        true
    }

    /// Appends one of our own lines.
    pub(crate) fn note(&mut self, text: &str, writer: &mut CaseWriter<'_>) {
        self.end_line(writer);
        match self.left_for_notes.checked_sub(text.len()) {
            Some(left) => {
                self.left_for_notes = left;
                escape::text(text, writer.out());
                writer.out().push(b'\n');
            }
            None => {
                self.left_for_notes = 0;
                self.notes_left_out += 1;
            }
        }
    }

    pub(crate) fn end_line(&mut self, writer: &mut CaseWriter<'_>) {
        if !self.at_line_start {
            writer.out().push(b'\n');
            self.at_line_start = true;
        }
    }

    pub(crate) fn close(&self, writer: &mut CaseWriter<'_>) {
        if self.notes_left_out > 0 {
            escape::text(&format!("[{} notes more, left out]\n", self.notes_left_out), writer.out());
        }
    }
}

/// Writes text as far as there is room, and says whether that was all; nothing of what is not text.
pub(crate) fn show(
    bytes: &[u8],
    content: Content,
    budget: &mut TextBudget,
    writer: &mut CaseWriter<'_>,
) -> io::Result<bool> {
    Ok(content == Content::Binary || copy_bytes(bytes, content, budget, writer)? == bytes.len() as u64)
}

/// Writes text as far as there is room, and says how many of its bytes that were.
fn copy_bytes(
    bytes: &[u8],
    content: Content,
    budget: &mut TextBudget,
    writer: &mut CaseWriter<'_>,
) -> io::Result<u64> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = rest.get(..PIECE).map_or(rest, |piece| split_whole_characters(piece).0);
        if !budget.piece(&content.decode(piece), writer) {
            break;
        }
        writer.settle();
        rest = part(rest, piece.len()..);
    }
    Ok((bytes.len() - rest.len()) as u64)
}

/// Writes the text of an attachment as far as there is room, and says how many of its bytes that were.
pub(crate) fn copy(
    attachment: &Attachment<'_>,
    content: Content,
    budget: &mut TextBudget,
    writer: &mut CaseWriter<'_>,
) -> io::Result<u64> {
    if attachment.kept() <= PIECE as u64 {
        return copy_bytes(&attachment.head(PIECE)?, content, budget, writer);
    }
    let mut reader = attachment.reader();
    let mut buffer = vec![0; PIECE];
    let (mut shown, mut waiting) = (0, 0);
    loop {
        let count = reader.read(part_mut(&mut buffer, waiting..))?;
        let bytes = part(&buffer, ..waiting + count);
        let (now, rest) = if count == 0 { (bytes, &[][..]) } else { split_whole_characters(bytes) };
        if now.is_empty() && count == 0 || !budget.piece(&content.decode(now), writer) {
            return Ok(shown);
        }
        writer.settle();
        shown += now.len() as u64;
        let done = now.len();
        waiting = rest.len();
        buffer.copy_within(done..done + waiting, 0);
    }
}
