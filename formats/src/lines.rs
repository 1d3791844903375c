//! Line-based formats: from bytes in any pieces to lines, and from lines to events.

use std::borrow::Cow;
use std::io::{self, Read};
use subunit::part;

use memchr::{memchr, memchr_iter, memrchr};
use streamresult::StreamResult;

use crate::charset::split_whole_characters;
use crate::utf16::Utf16;

/// A longer line comes in pieces.
pub(crate) const LONGEST_LINE: usize = 8 << 20;
/// A longer name is cut: ids have to fit into packets, whatever a line holds.
const LONGEST_NAME: usize = 1 << 20;
/// How much is read at a time.
const BLOCK: usize = 64 * 1024;
/// The byte order mark with which some programs begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line of the input, or a piece of one that is longer than 8 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes, with the LF or CR LF at its end if there is one.
    pub bytes: &'a [u8],
    /// Its number, counted from 1.
    pub number: u64,
    /// Whether it is not a piece of a line that is too long to be anything but text.
    pub is_whole: bool,
    /// Whether the line begins here; of its pieces it is the first that does.
    pub is_start: bool,
    /// The same as a text that a packet can hold: without a NUL. Where it is one, it may still be absent: whether it
    /// is, is found out for many lines at once.
    pub text: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Its bytes without the LF or CR LF at its end.
    #[must_use]
    pub fn content(&self) -> &'a [u8] {
        let content = self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes);
        if content.len() == self.bytes.len() {
            content
        } else {
            content.strip_suffix(b"\r").unwrap_or(content)
        }
    }
}

/// A line-based format: what its lines mean.
pub trait LineParser {
    /// Bytes came, or the end: the lines that end here arrive now, all at one time.
    fn arrive(&mut self) {}

    /// Takes the next line.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()>;

    /// Passes on what it held back for speed, then flushes the sink: reading may block.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        sink.flush()
    }

    /// Ends what is open: there are no more lines.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()>;
}

impl<P: LineParser + ?Sized> LineParser for Box<P> {
    fn arrive(&mut self) {
        (**self).arrive();
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        (**self).line(line, sink)
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        (**self).flush(sink)
    }

    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        (**self).finish(sink)
    }
}

/// Cuts bytes that come in any pieces into lines for a parser.
#[derive(Clone, Debug, Default)]
pub struct Lines<P> {
    parser: P,
    utf16: Utf16,
    /// The start of a line whose end has not come.
    held: Vec<u8>,
    /// The number of the last line that ended.
    number: u64,
    /// Whether pieces of the current line have been handed on.
    in_pieces: bool,
}

impl<P: LineParser> Lines<P> {
    /// Lines for this parser.
    pub fn new(parser: P) -> Self {
        Lines { parser, utf16: Utf16::default(), held: Vec::new(), number: 0, in_pieces: false }
    }

    /// The parser.
    pub fn parser(&self) -> &P {
        &self.parser
    }

    /// The parser, to tell it what the lines do not say.
    pub fn parser_mut(&mut self) -> &mut P {
        &mut self.parser
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.parser.arrive();
        let mut utf16 = self.utf16;
        let bytes = utf16.decode(bytes);
        self.utf16 = utf16;
        self.feed_utf8(&bytes, sink)
    }

    fn feed_utf8(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let text = text_of_whole_lines(bytes);
        let mut start = 0;
        for at in memchr_iter(b'\n', bytes) {
            let (line, range) = (part(part(bytes, start..), ..at + 1 - start), start..at + 1);
            start = at + 1;
            if self.held.is_empty() && line.len() <= LONGEST_LINE {
                self.hand_on(line, text.and_then(|text| text.get(range)), true, sink)?;
            } else {
                self.hold(line, sink)?;
                self.hand_on_held(true, sink)?;
            }
        }
        self.hold(part(bytes, start..), sink)
    }

    /// Reading may block: the parser hands on what it held back. A line without its end waits for it.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.parser.flush(sink)
    }

    /// Ends the last line, and what is open in the format. The sink's run is not stopped. Another document may
    /// follow, where the parser takes several: its lines are counted from 1 again.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.parser.arrive();
        let rest = self.utf16.finish();
        self.feed_utf8(&rest, sink)?;
        if !self.held.is_empty() {
            self.hand_on_held(true, sink)?;
        }
        (self.number, self.in_pieces) = (0, false);
        self.parser.finish(sink)
    }

    fn hold(&mut self, mut bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        // However the input is cut, a long line is cut at the same places.
        while self.held.len() + bytes.len() > LONGEST_LINE {
            let (piece, rest) = bytes.split_at(LONGEST_LINE - self.held.len());
            self.held.extend_from_slice(piece);
            bytes = rest;
            self.hand_on_held(false, sink)?;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn hand_on_held(&mut self, ended: bool, sink: &mut dyn StreamResult) -> io::Result<()> {
        let mut held = std::mem::take(&mut self.held);
        let handed = self.hand_on(&held, None, ended, sink);
        held.clear();
        self.held = held;
        handed
    }

    fn hand_on(
        &mut self,
        bytes: &[u8],
        text: Option<&str>,
        ended: bool,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let is_whole = ended && !self.in_pieces;
        let is_start = !self.in_pieces;
        let is_first = self.number == 0 && is_start;
        let (bytes, text) = match bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first) {
            Some(bytes) => (bytes, None),
            None => (bytes, text),
        };
        let line = Line { bytes, number: self.number + 1, is_whole, is_start, text };
        self.in_pieces = !ended;
        self.number += u64::from(ended);
        if bytes.is_empty() { Ok(()) } else { self.parser.line(&line, sink) }
    }
}

/// The lines that end in these bytes, from their start on, as a text that a packet can hold. They are found out to be
/// one at once, which takes a tenth of what it takes line by line; where one of them is not, none is.
fn text_of_whole_lines(bytes: &[u8]) -> Option<&str> {
    let len = memrchr(b'\n', bytes)? + 1;
    let text = std::str::from_utf8(part(bytes, ..len)).ok()?;
    memchr(0, text.as_bytes()).is_none().then_some(text)
}

/// A name as an id can hold it: without what is too much of it.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    match name.as_bytes().get(..LONGEST_NAME) {
        Some(begin) if name.len() > LONGEST_NAME => {
            let (whole, _) = split_whole_characters(begin);
            Cow::Owned(format!("{}…", name.get(..whole.len()).unwrap_or_default()))
        }
        _ => Cow::Borrowed(name),
    }
}

/// Reads a line-based format to its end and pushes all of it into `sink`, as [`streamresult::drive`] does with
/// subunit.
///
/// # Errors
///
/// When reading fails, or the sink does. Its run is stopped all the same, after all events that came before.
pub fn drive<P, R>(parser: P, mut input: R, sink: &mut dyn StreamResult) -> io::Result<()>
where
    P: LineParser,
    R: Read,
{
    let passed = sink.start_run().and_then(|()| pass(&mut Lines::new(parser), &mut input, sink));
    passed.and(sink.stop_run())
}

/// Reads one document to its end, and ends what is open in it. Another may follow, where the parser takes several.
/// The sink's run is neither started nor stopped.
///
/// # Errors
///
/// When reading fails, or the sink does; all that came before a failed read has been passed on then.
pub fn pass<P, R>(lines: &mut Lines<P>, input: &mut R, sink: &mut dyn StreamResult) -> io::Result<()>
where
    P: LineParser,
    R: Read,
{
    let mut block = vec![0; BLOCK];
    let read = loop {
        match input.read(&mut block) {
            Ok(0) => break Ok(()),
            Ok(count) => lines.feed(part(&block, ..count), sink)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // What came before is told, then the error.
            Err(error) => break Err(error),
        }
        lines.flush(sink)?;
    };
    let ended = lines.finish(sink);
    ended.and(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct KeptLines(Vec<(u64, bool, usize, Vec<u8>)>);

    impl LineParser for KeptLines {
        fn line(&mut self, line: &Line<'_>, _: &mut dyn StreamResult) -> io::Result<()> {
            let content = line.content();
            let text = if content.len() < 100 { content.to_vec() } else { Vec::new() };
            self.0.push((line.number, line.is_whole, line.bytes.len(), text));
            Ok(())
        }

        fn finish(&mut self, _: &mut dyn StreamResult) -> io::Result<()> {
            Ok(())
        }
    }

    fn check(input: &[u8], expected: &[(u64, bool, usize, &[u8])]) {
        for piece in [1, 2, 3, 7, 1000, LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, input.len().max(1)]
        {
            if input.len() > 1000 && piece <= 1000 {
                continue;
            }
            let mut lines = Lines::new(KeptLines::default());
            let mut sink = streamresult::from_fn(|_| Ok(()));
            for bytes in input.chunks(piece) {
                lines.feed(bytes, &mut sink).unwrap();
            }
            lines.finish(&mut sink).unwrap();
            let seen =
                lines.parser().0.iter().map(|line| (line.0, line.1, line.2, &*line.3)).collect::<Vec<_>>();
            assert_eq!(seen, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf_or_the_input() {
        check(b"", &[]);
        check(
            b"a\n\r\nb\rc\r\nd",
            &[(1, true, 2, b"a"), (2, true, 2, b""), (3, true, 5, b"b\rc"), (4, true, 1, b"d")],
        );
        check(b"a\r", &[(1, true, 2, b"a\r")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        check(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb", &[(1, true, 2, b"a"), (2, true, 4, b"\xEF\xBB\xBFb")]);
        check(b"\xEF\xBB\xBF", &[]);
    }

    #[test]
    fn utf_16_with_a_mark_is_read() {
        let bytes: Vec<u8> = "\u{feff}grün\r\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&bytes, &[(1, true, 7, "grün".as_bytes()), (2, true, 1, b"b")]);
        check(b"\xff", &[(1, true, 1, b"\xff")]);
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces() {
        let mut input = vec![b'x'; LONGEST_LINE + 5];
        input.extend_from_slice(b"\nend\n");
        let pieces = [(1, false, LONGEST_LINE, &b""[..]), (1, false, 6, b"xxxxx"), (2, true, 4, b"end")];
        check(&input, &pieces);
        let mut input = vec![b'x'; LONGEST_LINE - 1];
        input.push(b'\n');
        check(&input, &[(1, true, LONGEST_LINE, b"")]);
    }
}
