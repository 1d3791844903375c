//! A text of the document on its way to a file.

use std::io;

use memchr::memmem;
use streamresult::StreamResult;
use subunit::{Event, File, TEXT_TYPE, part, split_part};

use super::explanation::Explanation;

/// Text is handed on in pieces of this size, however the input is cut.
const PIECE: usize = 64 << 10;

/// The text of the element that is being read.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) is_open: bool,
    /// Whether it belongs to the case rather than to the run.
    pub(crate) is_of_case: bool,
    /// The name of the file.
    name: String,
    /// Whether white space alone is worth a file.
    keeps_blank: bool,
    /// What the attributes of the element say.
    explanation: Explanation,
    is_said: bool,
    buffer: Vec<u8>,
    /// The end of what went before the buffer.
    tail: Vec<u8>,
    /// How many pieces have been passed on.
    pieces: u64,
}

impl Text {
    /// Begins a text.
    pub(crate) fn open(&mut self, name: &str, is_of_case: bool, keeps_blank: bool) {
        self.is_open = true;
        self.is_of_case = is_of_case;
        self.name.clear();
        self.name.push_str(name);
        self.keeps_blank = keeps_blank;
        self.explanation.clear();
        self.is_said = false;
        self.buffer.clear();
        self.tail.clear();
        self.pieces = 0;
    }

    /// What the attributes of the element say, to be set once it is open.
    pub(crate) fn explanation(&mut self) -> &mut Explanation {
        &mut self.explanation
    }

    /// Whether nothing has come but white space.
    pub(crate) fn is_blank(&self) -> bool {
        // A byte order mark is white space too, between documents.
        let text = self.buffer.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.buffer);
        self.pieces == 0 && text.trim_ascii().is_empty()
    }

    /// Forgets the white space that has come.
    pub(crate) fn forget(&mut self) {
        self.buffer.clear();
    }

    /// Takes more of the text; `event` says whose it is.
    #[inline]
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        event: &Event<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        while self.buffer.len() + bytes.len() > PIECE {
            let (piece, rest) = split_part(bytes, PIECE - self.buffer.len());
            self.buffer.extend_from_slice(piece);
            bytes = rest;
            self.flush(event, sink)?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends the text, and the file.
    pub(crate) fn close(&mut self, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.is_open = false;
        if self.pieces > 0 {
            self.look_for_message();
            let told = sink.status(&file(&self.name, &self.buffer, true, event));
            let beside = if self.is_said { None } else { self.explanation.beside(b"") };
            return told.and(beside.map_or(Ok(()), |line| pieces("message", line.as_bytes(), event, sink)));
        }
        if self.is_blank() && !self.keeps_blank {
            self.buffer.clear();
        }
        if let Some(mut line) = self.explanation.beside(&self.buffer) {
            if !self.buffer.is_empty() {
                line.push('\n');
            }
            self.buffer.splice(..0, line.into_bytes());
        }
        if self.buffer.is_empty() { Ok(()) } else { pieces(&self.name, &self.buffer, event, sink) }
    }

    fn flush(&mut self, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.is_blank() && !self.keeps_blank {
            self.buffer.clear();
            return Ok(());
        }
        self.look_for_message();
        let told = sink.status(&file(&self.name, &self.buffer, false, event));
        self.pieces += 1;
        self.buffer.clear();
        told
    }

    /// Looks whether the text says what the attributes do, also across the border of two pieces.
    fn look_for_message(&mut self) {
        let needle = self.explanation.needle();
        if self.is_said || needle.is_empty() {
            return;
        }
        let head = self.buffer.get(..needle.len()).unwrap_or(&self.buffer);
        self.tail.extend_from_slice(head);
        self.is_said =
            memmem::find(&self.tail, needle).is_some() || memmem::find(&self.buffer, needle).is_some();
        let end = self.buffer.len().saturating_sub(needle.len());
        self.tail.clear();
        self.tail.extend_from_slice(part(&self.buffer, end..));
    }
}

/// An event of a piece of a file.
pub(crate) fn file<'a>(name: &'a str, bytes: &'a [u8], eof: bool, event: &Event<'a>) -> Event<'a> {
    Event { file: Some(File { name, bytes }), mime_type: Some(TEXT_TYPE), eof, ..*event }
}

/// A whole file, in as many events as it takes.
pub(crate) fn pieces(
    name: &str,
    bytes: &[u8],
    event: &Event<'_>,
    sink: &mut dyn StreamResult,
) -> io::Result<()> {
    let mut rest = bytes;
    loop {
        let (piece, after) = rest.split_at_checked(PIECE).unwrap_or((rest, &[]));
        rest = after;
        sink.status(&file(name, piece, rest.is_empty(), event))?;
        if rest.is_empty() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, text: &[u8], keeps_blank: bool, expected: &[(&str, usize, bool)]) {
        let mut found = Vec::new();
        let mut sink = streamresult::from_fn(|event: &Event<'_>| {
            let file = event.file.unwrap();
            found.push((file.name.to_owned(), file.bytes.len(), event.eof));
            Ok(())
        });
        let mut out = Text::default();
        out.open("traceback", true, keeps_blank);
        out.explanation().message.push_str(message);
        for piece in text.chunks(1000) {
            out.push(piece, &Event::default(), &mut sink).unwrap();
        }
        out.close(&Event::default(), &mut sink).unwrap();
        let found: Vec<_> = found.iter().map(|(name, len, eof)| (name.as_str(), *len, *eof)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn short_text_is_one_event() {
        check("", b"text", false, &[("traceback", 4, true)]);
        check("", b" \n", false, &[]);
        check("", b" \n", true, &[("traceback", 2, true)]);
        check("", b"", true, &[]);
    }

    #[test]
    fn a_message_stands_above_its_text() {
        check("why", b"", false, &[("traceback", 3, true)]);
        check("why", b"text", false, &[("traceback", 8, true)]);
        check("why", b"that is why", false, &[("traceback", 11, true)]);
    }

    #[test]
    fn long_text_comes_in_pieces_and_the_message_after_it() {
        let long = vec![b'x'; PIECE + 10];
        check("", &long, false, &[("traceback", PIECE, false), ("traceback", 10, true)]);
        let pieces = [("traceback", PIECE, false), ("traceback", 10, true)];
        check("why", &long, false, &[pieces[0], pieces[1], ("message", 3, true)]);
        let mut said = vec![b'x'; PIECE - 2];
        said.extend_from_slice(b"why it is");
        check("why", &said, false, &[("traceback", PIECE, false), ("traceback", 7, true)]);
    }
}
