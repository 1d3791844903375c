//! The text of elements: as much of it as parsers take.

use std::io::{self, Read};

use streamresult::Attachment;

use super::escape;
use super::pen::Pen;
use crate::charset::{Content, split_whole_characters};

/// Text of one element, in bytes: libxml2 takes 10 MB at most, and we promise to stay below 8 MiB.
const LONGEST_TEXT: usize = 7 << 20;
/// Lines of ours among it, in bytes before they are escaped.
const LONGEST_NOTES: usize = 128 << 10;
/// Text is escaped in pieces of this many bytes.
const PIECE: usize = 16 << 10;

/// How much more text an element takes.
pub(crate) struct Room {
    left: usize,
    /// For lines of ours.
    left_for_notes: usize,
    /// How many of those there was no room for.
    unsaid: usize,
    /// Whether the text so far ends in a newline.
    at_line_start: bool,
}

impl Default for Room {
    fn default() -> Self {
        Room::of(LONGEST_TEXT)
    }
}

impl Room {
    /// Room for this many bytes.
    pub(crate) fn of(left: usize) -> Self {
        Room { left, left_for_notes: LONGEST_NOTES, unsaid: 0, at_line_start: true }
    }

    /// Appends a piece, if there is room for it.
    pub(crate) fn piece(&mut self, bytes: &[u8], pen: &mut Pen<'_>) -> bool {
        let before = pen.out().len();
        escape::lossy_text(bytes, pen.out());
        let Some(left) = self.left.checked_sub(pen.out().len() - before) else {
            pen.out().truncate(before);
            self.left = 0;
            return false;
        };
        self.left = left;
        self.at_line_start = bytes.last().map_or(self.at_line_start, |last| *last == b'\n');
        true
    }

    /// Appends a line of ours.
    pub(crate) fn note(&mut self, text: &str, pen: &mut Pen<'_>) {
        self.end_line(pen);
        match self.left_for_notes.checked_sub(text.len()) {
            Some(left) => {
                self.left_for_notes = left;
                escape::text(text, pen.out());
                pen.out().push(b'\n');
            }
            None => {
                self.left_for_notes = 0;
                self.unsaid += 1;
            }
        }
    }

    pub(crate) fn end_line(&mut self, pen: &mut Pen<'_>) {
        if !self.at_line_start {
            pen.out().push(b'\n');
            self.at_line_start = true;
        }
    }

    pub(crate) fn close(&self, pen: &mut Pen<'_>) {
        if self.unsaid > 0 {
            escape::text(&format!("[{} notes more, left out]\n", self.unsaid), pen.out());
        }
    }
}

/// Writes text as far as there is room, and whether that was all; of what is no text, nothing.
pub(crate) fn show(bytes: &[u8], content: Content, room: &mut Room, pen: &mut Pen<'_>) -> io::Result<bool> {
    Ok(content == Content::Binary || copy_bytes(bytes, content, room, pen)? == bytes.len() as u64)
}

/// Writes text as far as there is room, and says how many of its bytes that were.
fn copy_bytes(bytes: &[u8], content: Content, room: &mut Room, pen: &mut Pen<'_>) -> io::Result<u64> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = rest.get(..PIECE).map_or(rest, |piece| split_whole_characters(piece).0);
        if !room.piece(&content.decode(piece), pen) {
            break;
        }
        pen.settle()?;
        rest = rest.get(piece.len()..).unwrap_or_default();
    }
    Ok((bytes.len() - rest.len()) as u64)
}

/// Writes the text of an attachment as far as there is room, and says how many of its bytes that were.
pub(crate) fn copy(
    attachment: &Attachment<'_>,
    content: Content,
    room: &mut Room,
    pen: &mut Pen<'_>,
) -> io::Result<u64> {
    if let Some(bytes) = attachment.in_memory() {
        return copy_bytes(bytes, content, room, pen);
    }
    let mut reader = attachment.reader();
    let mut buffer = vec![0; PIECE];
    let (mut shown, mut waiting) = (0, 0);
    loop {
        let count = reader.read(buffer.get_mut(waiting..).unwrap_or_default())?;
        let bytes = buffer.get(..waiting + count).unwrap_or_default();
        let (now, rest) = if count == 0 { (bytes, &[][..]) } else { split_whole_characters(bytes) };
        if now.is_empty() && count == 0 || !room.piece(&content.decode(now), pen) {
            return Ok(shown);
        }
        pen.settle()?;
        shown += now.len() as u64;
        let done = now.len();
        waiting = rest.len();
        buffer.copy_within(done..done + waiting, 0);
    }
}

/// How an attachment is to be shown.
pub(crate) fn content(attachment: &Attachment<'_>) -> io::Result<Content> {
    match attachment.in_memory() {
        Some(bytes) => Ok(Content::of(attachment.mime_type(), bytes)),
        None => {
            let mut head = [0; 4096];
            let count = attachment.reader().read(&mut head)?;
            Ok(Content::of(attachment.mime_type(), head.get(..count).unwrap_or_default()))
        }
    }
}
