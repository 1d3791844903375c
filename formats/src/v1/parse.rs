//! Lines to events.
//!
//! In version 1 the keywords of the protocol are words that a program may well print at the start of a line, and there
//! is no framing. What a line is depends on where it stands ([`Place`]):
//!
//! - **A line** (`Line`): a keyword, or text. An outcome counts only for the label of the test that is open; others are
//!   the output of that test, such as the run of a test of a test runner. If another `test:` line came within the test,
//!   and its outcome comes first, both tests are real: the one within is the *shadow*.
//! - **Bracketed details** (`Bracketed`): all lines up to `]`; a blank before a `]` that is content is taken off. Only
//!   the start of a line can end them, so a line may go out in pieces, and it is remembered whether one starts.
//! - **Multipart details**: `Multipart` (a content type, or the end), then `Name`, then `Length` and `Chunk` by turns.
//!   A line that fits nowhere is damage; one that begins a test or tells a time shows that the reporter was killed,
//!   and the report is lost.
//!
//! A byte that begins a packet of version 2 begins one if the decoder finds it whole; in a stream that had none before,
//! what the decoder calls damage is text in some other encoding.
//!
//! Input comes in any pieces. What is done with is taken, and the rest is offered again with more behind it; for how
//! much of that no newline was found is remembered, so that a long line is not searched again and again.

use std::io;

use memchr::{memchr, memchr_iter};
use streamresult::{StreamResult, damage, deliver};
use subunit::{Decoder, Event, File, Frame, SIGNATURE, Status, Step, TEXT_TYPE, Timestamp, part};

use super::line::{self, Details, Line};
use super::scope::Scope;
use super::test::Test;
use super::{label, mime};
use crate::held::{HeldFile, HeldText, failure, text_file};
use crate::lines::{LONGEST_LINE, shortened};

/// Turns a v1 stream into events, as its bytes come.
///
/// - A test is `inprogress` at its `test:` line and ends at its outcome, with the tags in force. `failure` and
///   `error` are both `fail`. Times are those of `time:` lines, and absent before the first.
/// - Details are files: `traceback` of what failed, `reason` of what was skipped, `message` of what passed, or
///   what a multipart report names them.
/// - A test whose outcome never comes fails, with a file that says so. When another test begins within a test
///   that is its output, unless its outcome comes first: then both are reported.
/// - A failure whose test never began is a test that failed, and so is one whose line is too long to be read.
/// - A line that says nothing of this is text (see [`text_event`](streamresult::text_event)), in its place; a
///   malformed multipart report is damage, a failing test [`DAMAGE_ID`](streamresult::DAMAGE_ID).
/// - A packet of v2 that stands where a line may begin is passed on.
///
/// Input may be cut anywhere: files and text come in other pieces then, and are the same.
#[derive(Debug, Default)]
pub struct V1Parser {
    place: Place,
    now: Option<Timestamp>,
    scope: Scope,
    test: Test,
    in_test: bool,
    /// The last test that seemed to begin within another.
    shadow: Test,
    has_shadow: bool,
    report: Report,
    /// The type of the part whose name comes next.
    part_type: String,
    part: HeldFile,
    text: HeldText,
    has_packets: bool,
    /// How many bytes were consumed.
    offset: u64,
    /// How many bytes that are left over are known to hold no newline.
    searched: usize,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A line.
    #[default]
    Line,
    /// The rest of a line of text that is too long.
    LongLine,
    /// A line of bracketed details, from its start or from within.
    Bracketed { at_start: bool },
    /// A part of a multipart report, or its end.
    Multipart,
    /// The name of a part.
    Name,
    /// The length of a chunk.
    Length,
    /// The bytes of a chunk; this many are left.
    Chunk(u64),
}

/// The outcome whose details are being read.
#[derive(Clone, Copy, Debug)]
struct Report {
    status: Status,
    /// Whether it is that of the test within the test.
    of_shadow: bool,
    /// Whether its line ended in CR LF, so that the others do too.
    crlf: bool,
    has_traceback: bool,
}

impl Default for Report {
    fn default() -> Self {
        Report { status: Status::Fail, of_shadow: false, crlf: false, has_traceback: false }
    }
}

/// What became of the start of the input.
enum Progress {
    /// This many bytes are done with.
    Bytes(usize),
    /// It takes more of them to tell.
    NeedMore,
}

impl V1Parser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        V1Parser::default()
    }

    /// Takes the next bytes, and returns how many of them are done with; the others have to come again, with more
    /// behind them.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn feed(&mut self, input: &[u8], sink: &mut dyn StreamResult) -> io::Result<usize> {
        self.take_all(input, false, sink)
    }

    /// Passes on all that has come and would wait for more, then flushes the sink: reading may block.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.flush(sink)?;
        if matches!(self.place, Place::Bracketed { .. } | Place::Length | Place::Chunk(_)) {
            let V1Parser { part, test, shadow, report, now, .. } = self;
            let test = if report.of_shadow { shadow } else { test };
            part.flush(&test.event(*now), sink)?;
        }
        sink.flush()
    }

    /// Takes the last bytes, and ends what is open. The sink's run is not stopped.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn finish(&mut self, input: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.take_all(input, true, sink)?;
        self.text.flush(sink)?;
        if !matches!(self.place, Place::Line | Place::LongLine) {
            self.lose_report(sink)?;
        }
        if self.in_test { self.lose_test(sink) } else { Ok(()) }
    }

    fn take_all(&mut self, input: &[u8], eof: bool, sink: &mut dyn StreamResult) -> io::Result<usize> {
        let mut rest = input;
        while !rest.is_empty() {
            let taken = match self.place {
                Place::Line => self.take_line(rest, eof, sink)?,
                Place::LongLine => self.take_long_line(rest, sink)?,
                Place::Bracketed { at_start } => self.take_bracketed(rest, at_start, eof, sink)?,
                Place::Chunk(left) => self.take_chunk(rest, left, sink)?,
                Place::Multipart | Place::Name | Place::Length => self.take_part(rest, eof, sink)?,
            };
            match taken {
                Progress::Bytes(count) => {
                    rest = part(rest, count..);
                    self.offset += count as u64;
                    self.searched = 0;
                }
                Progress::NeedMore => break,
            }
        }
        Ok(input.len() - rest.len())
    }

    fn take_line(&mut self, rest: &[u8], eof: bool, sink: &mut dyn StreamResult) -> io::Result<Progress> {
        if rest.first() == Some(&SIGNATURE)
            && let Some(taken) = self.take_packet(rest, eof, sink)?
        {
            return Ok(taken);
        }
        match self.line_len(rest, eof) {
            Some(len) if len <= LONGEST_LINE => {
                self.line(part(rest, ..len), sink)?;
                Ok(Progress::Bytes(len))
            }
            None if rest.len() <= LONGEST_LINE => Ok(Progress::NeedMore),
            _ => {
                self.place = Place::LongLine;
                self.long_line(rest, sink)?;
                self.take_long_line(rest, sink)
            }
        }
    }

    /// How long the first line is, its end included.
    fn line_len(&mut self, rest: &[u8], eof: bool) -> Option<usize> {
        let unseen = part(rest, self.searched..);
        let newline = memchr(b'\n', unseen).map(|at| self.searched + at + 1);
        self.searched = rest.len();
        newline.or(eof.then_some(rest.len()))
    }

    /// Passes on a packet of v2; `None` when it is not a packet.
    fn take_packet(
        &mut self,
        rest: &[u8],
        eof: bool,
        sink: &mut dyn StreamResult,
    ) -> io::Result<Option<Progress>> {
        let (len, frame) = match Decoder::new().decode(rest, eof) {
            Step::NeedMore(_) => return Ok(Some(Progress::NeedMore)),
            Step::Frame { consumed: len, frame } => (len, frame),
            Step::End => return Ok(None),
        };
        match frame {
            Frame::Packet(_) => self.has_packets = true,
            // In a stream that is v1 alone, it is text in some other encoding.
            Frame::Corrupt(..) if self.has_packets => {}
            Frame::Corrupt(..) | Frame::Text(_) => return Ok(None),
        }
        self.text.flush(sink)?;
        deliver(&frame, self.offset, sink)?;
        Ok(Some(Progress::Bytes(len)))
    }

    fn line(&mut self, whole: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let (text, crlf) = without_end(whole);
        let is_said = match line::parse(text) {
            Some(Line::Outcome(..)) if !self.in_test => self.failure_alone(text, crlf, sink)?,
            Some(Line::Test(label)) => self.begin(label, sink)?,
            Some(Line::Outcome(status, outcome)) => self.outcome(status, outcome, crlf, sink)?,
            Some(Line::Tags(words)) => self.scope.change(words, self.in_test),
            Some(Line::Time(time)) => {
                self.now = Some(time);
                true
            }
            // Nobody writes it within a test but as output.
            Some(Line::Progress) => !self.in_test,
            None => false,
        };
        if is_said { Ok(()) } else { self.push_text(whole, sink) }
    }

    fn begin(&mut self, label: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        if self.in_test {
            self.shadow.set(label, self.now);
            self.has_shadow = true;
            return Ok(false);
        }
        self.text.flush(sink)?;
        self.test.set(label, self.now);
        self.in_test = true;
        self.test.begin(sink)?;
        Ok(true)
    }

    fn outcome(
        &mut self,
        status: Status,
        outcome: &[u8],
        crlf: bool,
        sink: &mut dyn StreamResult,
    ) -> io::Result<bool> {
        let own = line::details_of(&self.test.label, outcome);
        let shadow = || line::details_of(&self.shadow.label, outcome).filter(|_| self.has_shadow);
        let Some((details, of_shadow)) =
            own.map(|details| (details, false)).or_else(|| shadow().map(|details| (details, true)))
        else {
            return Ok(false);
        };
        self.text.flush(sink)?;
        if of_shadow {
            self.shadow.begin(sink)?;
        }
        self.report(Report { status, of_shadow, crlf, has_traceback: false }, details, sink)?;
        Ok(true)
    }

    /// A failure whose test was never told to begin: what told it got lost.
    fn failure_alone(&mut self, text: &[u8], crlf: bool, sink: &mut dyn StreamResult) -> io::Result<bool> {
        let Some((status, label, details)) = line::failure_alone(text) else { return Ok(false) };
        self.text.flush(sink)?;
        self.test.set(label, self.now);
        self.in_test = true;
        self.report(Report { status, of_shadow: false, crlf, has_traceback: false }, details, sink)?;
        Ok(true)
    }

    /// What follows an outcome, or its end.
    fn report(&mut self, report: Report, details: Details, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.report = report;
        match details {
            Details::None => self.end_report(report.status, sink)?,
            Details::Bracketed => {
                let (name, mime_type) = bracketed_file(report.status);
                self.begin_part(name, mime_type);
                self.place = Place::Bracketed { at_start: true };
            }
            Details::Multipart => self.place = Place::Multipart,
        }
        Ok(())
    }

    fn begin_part(&mut self, name: &str, mime_type: &str) {
        self.part = HeldFile::new(name.to_owned(), Some(mime_type.to_owned().into())).existing();
        self.report.has_traceback |= name == TRACEBACK;
    }

    /// Ends the test that the report is about.
    fn end_report(&mut self, status: Status, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.place = Place::Line;
        let test = if self.report.of_shadow { &self.shadow } else { &self.test };
        test.end(status, self.scope.current(), self.now, sink)?;
        self.has_shadow = false;
        if !self.report.of_shadow {
            self.in_test = false;
            self.scope.leave();
        }
        Ok(())
    }

    /// The stream ends, or goes on with something else, within a report.
    fn lose_report(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if matches!(self.place, Place::Bracketed { .. } | Place::Length | Place::Chunk(_)) {
            self.end_part(sink)?;
        }
        let of = match self.report.status {
            Status::Success => "success report of ",
            Status::UxSuccess => "uxsuccess report of ",
            Status::Skip => "skip report of ",
            Status::XFail => "xfail report of ",
            _ => "failure report of ",
        };
        self.lose(of, sink)
    }

    fn lose_test(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.report = Report::default();
        self.lose("", sink)
    }

    fn lose(&mut self, of: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
        let test = if self.report.of_shadow { &self.shadow } else { &self.test };
        let message = format!("lost connection during {of}test '{}'\n", test.id());
        let name = if self.report.has_traceback { "interrupted" } else { TRACEBACK };
        sink.status(&Event {
            file: Some(File { name, bytes: message.as_bytes() }),
            mime_type: Some(TRACEBACK_TYPE),
            eof: true,
            ..test.event(self.now)
        })?;
        self.end_report(Status::Fail, sink)
    }

    fn take_bracketed(
        &mut self,
        rest: &[u8],
        at_start: bool,
        eof: bool,
        sink: &mut dyn StreamResult,
    ) -> io::Result<Progress> {
        if at_start {
            match start_of_details(rest, self.report.crlf, eof) {
                Start::NeedMore => return Ok(Progress::NeedMore),
                Start::End(len) => {
                    self.end_part(sink)?;
                    self.end_report(self.report.status, sink)?;
                    return Ok(Progress::Bytes(len));
                }
                Start::Escaped => {
                    self.place = Place::Bracketed { at_start: false };
                    return Ok(Progress::Bytes(1));
                }
                Start::Plain => {}
            }
        }
        // Most lines are neither the end nor escaped, and go in one piece.
        let is_special = |at: &usize| !matches!(rest.get(at + 1), Some(byte) if !b"] ".contains(byte));
        let newline = memchr_iter(b'\n', rest).find(is_special);
        let len = newline.map_or(rest.len(), |at| at + 1);
        self.place = Place::Bracketed { at_start: newline.is_some() };
        self.push_part(part(rest, ..len), sink)?;
        Ok(Progress::Bytes(len))
    }

    fn take_chunk(&mut self, rest: &[u8], left: u64, sink: &mut dyn StreamResult) -> io::Result<Progress> {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        self.push_part(part(rest, ..len), sink)?;
        let left = left - len as u64;
        self.place = if left == 0 { Place::Length } else { Place::Chunk(left) };
        Ok(Progress::Bytes(len))
    }

    fn take_part(&mut self, rest: &[u8], eof: bool, sink: &mut dyn StreamResult) -> io::Result<Progress> {
        let Some(len) = self.line_len(rest, eof) else {
            if rest.len() <= LONGEST_LINE {
                return Ok(Progress::NeedMore);
            }
            self.damage(rest, sink)?;
            return Ok(Progress::Bytes(rest.len()));
        };
        let whole = part(rest, ..len);
        let (text, _) = without_end(whole);
        let is_done = match self.place {
            Place::Name => {
                let mime_type = std::mem::take(&mut self.part_type);
                self.begin_part(&label::string(text), &mime_type);
                self.place = Place::Length;
                true
            }
            Place::Length => self.length(text, sink)?,
            _ => self.head(text, whole, sink)?,
        };
        Ok(Progress::Bytes(if is_done { len } else { 0 }))
    }

    /// The length of a chunk; `false` when the line is something else, and has to be looked at again.
    fn length(&mut self, text: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let digits = text.trim_ascii_end();
        let number = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
        match number.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(0) => {
                self.place = Place::Multipart;
                self.end_part(sink)?;
                Ok(true)
            }
            Some(length) => {
                self.place = Place::Chunk(length);
                Ok(true)
            }
            None => {
                self.place = Place::Multipart;
                self.end_part(sink)?;
                Ok(false)
            }
        }
    }

    /// The first line of a part, or the end of the report; `false` when it is not part of the report, and has to be
    /// looked at again.
    fn head(&mut self, text: &[u8], whole: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        if text == b"]" {
            self.end_report(self.report.status, sink)?;
        } else if let Some(mime_type) = content_type(text) {
            let mime_type = label::string(mime_type);
            self.part_type = mime::from_v1(&mime_type).into_owned();
            self.place = Place::Name;
        } else if matches!(line::parse(text), Some(Line::Test(_) | Line::Time(_))) {
            self.lose_report(sink)?;
            return Ok(false);
        } else if !text.is_empty() {
            self.damage(whole, sink)?;
        }
        Ok(true)
    }

    /// Reports bytes that do not belong to a report.
    fn damage(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.place = Place::Multipart;
        let message = format!(
            "damaged report at offset {} of the stream: neither a content type nor the end of the report",
            self.offset
        );
        damage(bytes, &message, sink)
    }

    fn push_part(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let test = if self.report.of_shadow { &self.shadow } else { &self.test };
        self.part.push(bytes, self.now, &test.event(self.now), sink)
    }

    fn end_part(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let test = if self.report.of_shadow { &self.shadow } else { &self.test };
        self.part.end(&test.event(self.now), sink)
    }

    /// A line that is too long to be read begins. It is text, but if it says that a test failed, that is told.
    fn long_line(&mut self, rest: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let start = part(rest, ..LONGEST_LINE);
        let Some((_, label, _)) = line::failure_alone(start) else { return Ok(()) };
        self.text.flush(sink)?;
        let why = text_file("reason", b"its line is too long to be read, and says that it failed\n");
        sink.status(&Event { runnable: true, ..failure(&shortened(&label::string(label)), &why, self.now) })
    }

    fn take_long_line(&mut self, rest: &[u8], sink: &mut dyn StreamResult) -> io::Result<Progress> {
        let newline = memchr(b'\n', rest);
        let len = newline.map_or(rest.len(), |at| at + 1);
        if newline.is_some() {
            self.place = Place::Line;
        }
        self.push_text(part(rest, ..len), sink)?;
        Ok(Progress::Bytes(len))
    }

    fn push_text(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.text.push(bytes, None, sink)
    }
}

const TRACEBACK: &str = "traceback";
const TRACEBACK_TYPE: &str = "text/x-traceback;charset=utf8";

/// The name and type of the file that bracketed details are.
fn bracketed_file(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Skip => ("reason", TEXT_TYPE),
        Status::Success => ("message", TEXT_TYPE),
        _ => (TRACEBACK, TRACEBACK_TYPE),
    }
}

/// The line without LF or CR LF, and whether it had both.
fn without_end(line: &[u8]) -> (&[u8], bool) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").map_or((line, false), |line| (line, true))
}

fn content_type(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = line.split_at_checked(b"content-type:".len())?;
    name.eq_ignore_ascii_case(b"content-type:").then(|| value.trim_ascii())
}

/// What begins a line of bracketed details.
enum Start {
    /// The end of the details, this many bytes long.
    End(usize),
    /// A blank that is not part of the line.
    Escaped,
    Plain,
    NeedMore,
}

fn start_of_details(rest: &[u8], crlf: bool, eof: bool) -> Start {
    match rest {
        [b']', b'\n', ..] => Start::End(2),
        [b']', b'\r', b'\n', ..] if crlf => Start::End(3),
        [b']'] | [b']', b'\r'] if eof => Start::End(rest.len()),
        [b']', b'\r'] if crlf => Start::NeedMore,
        [b']' | b' '] if !eof => Start::NeedMore,
        [b' ', b']', ..] => Start::Escaped,
        _ => Start::Plain,
    }
}
