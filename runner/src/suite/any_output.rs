//! The output of any command, whose format its lines tell.
//!
//! Until a line tells the format, lines are text of the run and go out as they come: a build may say much before the
//! first test. From that line on the format's own reader has them. A command that never says anything about tests is
//! one test itself, and its exit status is its outcome.

use std::io;

use formats::gojson::GoJsonParser;
use formats::junit;
use formats::libtest::{LibtestFormat, LibtestParser};
use formats::lines::{LineParser, Lines};
use formats::recognise::recognise;
use formats::tap::TapParser;
use formats::v1::V1Parser;
use memchr::{memchr, memrchr};
use process::Captured;
use serde::Deserialize;
use streamresult::{StreamResult, text_event};
use subunit::{Event, SIGNATURE, Status, TEXT_TYPE, Timestamp};

use super::{Output, Packets};

/// How much of the output of a command that failed is with its test.
const KEPT: usize = 64 * 1024;

/// A format in which commands tell about their tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Found out by what comes.
    Auto,
    /// None: the command is one test, and its exit status the outcome.
    Exit,
    /// A stream of version 2.
    Subunit,
    /// A stream of version 1.
    V1,
    /// The Test Anything Protocol.
    Tap,
    /// What `go test -json` writes.
    GoJson,
    /// What `cargo test` and nextest write.
    Libtest,
    /// JUnit XML.
    Junit,
}

impl Format {
    fn reader(self) -> Option<Reader> {
        let lines: Box<dyn LineParser + Send> = match self {
            Format::Auto | Format::Exit => return None,
            Format::Subunit => return Some(Reader::Packets(Packets::default())),
            Format::V1 => return Some(Reader::V1(V1Parser::new(), Vec::new())),
            Format::Junit => return Some(Reader::Junit(Box::new(junit::read::Parser::new(options())))),
            Format::Tap => Box::new(TapParser::new().clock(Timestamp::now)),
            Format::GoJson => Box::new(GoJsonParser::new()),
            Format::Libtest => Box::new(LibtestParser::new(LibtestFormat::Auto)),
        };
        Some(Reader::Lines(Lines::new(lines)))
    }

    /// The format that a line is of, if it tells.
    fn of_line(line: &[u8]) -> Option<Format> {
        // A character that is cut short is none yet.
        let is_text = std::str::from_utf8(line).map_or_else(|error| error.error_len().is_none(), |_| true);
        if !is_text && memchr(SIGNATURE, line).is_some() {
            return Some(Format::Subunit);
        }
        match recognise(line)?.command() {
            "tap2subunit" => Some(Format::Tap),
            "gojson2subunit" => Some(Format::GoJson),
            "libtest2subunit" => Some(Format::Libtest),
            "subunit-1to2" => Some(Format::V1),
            _ => None,
        }
    }
}

enum Reader {
    Packets(Packets),
    Lines(Lines<Box<dyn LineParser + Send>>),
    /// With what of its input is not used up.
    V1(V1Parser, Vec<u8>),
    Junit(Box<junit::read::Parser>),
}

/// Times of reports that say only how long things took count from now.
fn options() -> junit::read::Options {
    junit::read::Options { start: Timestamp::now(), ..junit::read::Options::default() }
}

/// A broken report is a failing test, of which the reader has told.
fn unbroken(read: Result<(), junit::read::Error>) -> io::Result<()> {
    match read {
        Err(junit::read::Error::Io(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Reads the output of a command.
pub struct AnyOutput {
    format: Format,
    /// The id of the test that the command is, where it tells of no others.
    id: String,
    began: Timestamp,
    reader: Option<Reader>,
    /// A line that has no end yet.
    line: Vec<u8>,
    kept: Captured,
    has_tests: bool,
}

impl AnyOutput {
    /// Reads this format; where there are no tests, the command is one of this id.
    #[must_use]
    pub fn new(format: Format, id: &str) -> Self {
        AnyOutput {
            format,
            id: id.to_owned(),
            began: Timestamp::now(),
            reader: format.reader(),
            line: Vec::new(),
            kept: Captured::new(KEPT),
            has_tests: false,
        }
    }

    /// Passes lines on as text until one tells the format.
    fn look(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.kept.push(bytes);
        let Some(end) = memrchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            return if memchr(SIGNATURE, &self.line).is_some() { self.try_whole(sink) } else { Ok(()) };
        };
        let (whole, rest) = bytes.split_at(end + 1);
        let mut lines = std::mem::take(&mut self.line);
        lines.extend_from_slice(whole);
        self.line = rest.to_vec();
        let mut start = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.format == Format::Auto
                && let Some(format) = Format::of_line(line)
            {
                let (text, of_format) = lines.split_at(start);
                self.tell(text, sink)?;
                self.reader = format.reader();
                let rest = std::mem::take(&mut self.line);
                return self.read(&[of_format, &rest].concat(), sink);
            }
            start += line.len();
        }
        self.tell(&lines, sink)
    }

    /// Packets have no lines: what has come of one is enough.
    fn try_whole(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.format != Format::Auto || Format::of_line(&self.line).is_none() {
            return Ok(());
        }
        self.reader = Format::Subunit.reader();
        let line = std::mem::take(&mut self.line);
        self.read(&line, sink)
    }

    /// Takes the last line, which has no end.
    fn end_line(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let format = Format::of_line(&line).filter(|_| self.format == Format::Auto);
        self.reader = self.reader.take().or_else(|| format?.reader());
        if self.reader.is_some() { self.read(&line, sink) } else { self.tell(&line, sink) }
    }

    fn tell(&mut self, text: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if text.is_empty() { Ok(()) } else { sink.status(&text_event(text)) }
    }

    fn read(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let mut sink = Watched { sink, has_tests: &mut self.has_tests };
        match &mut self.reader {
            Some(Reader::Packets(packets)) => packets.feed(bytes, &mut sink),
            Some(Reader::Lines(lines)) => lines.feed(bytes, &mut sink),
            Some(Reader::V1(parser, rest)) => {
                rest.extend_from_slice(bytes);
                let used = parser.feed(rest, &mut sink)?;
                rest.drain(..used);
                Ok(())
            }
            Some(Reader::Junit(parser)) => unbroken(parser.feed(bytes, &mut sink)),
            None => Ok(()),
        }
    }

    /// The one test that the command is.
    fn conclude(&self, exited_with: Option<i32>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let event = |status, timestamp| Event {
            timestamp: Some(timestamp),
            runnable: false,
            ..Event::status(&self.id, status)
        };
        sink.status(&event(Status::InProgress, self.began))?;
        let Some(exit) = exited_with else { return Ok(()) };
        let now = Timestamp::now();
        if exit == 0 {
            return sink.status(&event(Status::Success, now));
        }
        let output = self.kept.text();
        if !output.is_empty() {
            let file =
                Event { mime_type: Some(TEXT_TYPE), eof: true, ..Event::file("stdout", output.as_bytes()) };
            sink.status(&Event { test_id: Some(&self.id), timestamp: Some(now), runnable: false, ..file })?;
        }
        let reason = format!("exit code {exit}\n");
        sink.status(&Event { timestamp: Some(now), ..streamresult::failure(&self.id, &reason) })
    }
}

impl Output for AnyOutput {
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.reader.is_some() { self.read(bytes, sink) } else { self.look(bytes, sink) }
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let mut sink = Watched { sink, has_tests: &mut self.has_tests };
        match &mut self.reader {
            Some(Reader::Lines(lines)) => lines.flush(&mut sink),
            Some(Reader::V1(parser, _)) => parser.flush(&mut sink),
            _ => Ok(()),
        }
    }

    fn is_test(&self) -> bool {
        !self.has_tests && matches!(self.format, Format::Auto | Format::Exit)
    }

    fn finish(&mut self, exited_with: Option<i32>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_line(sink)?;
        let mut watched = Watched { sink, has_tests: &mut self.has_tests };
        match &mut self.reader {
            Some(Reader::Packets(packets)) => packets.finish(exited_with, &mut watched)?,
            Some(Reader::Lines(lines)) => lines.finish(&mut watched)?,
            Some(Reader::V1(parser, rest)) => parser.finish(rest, &mut watched)?,
            Some(Reader::Junit(parser)) => unbroken(parser.finish(&mut watched))?,
            None => {}
        }
        if self.is_test() { self.conclude(exited_with, sink) } else { Ok(()) }
    }
}

/// Notes whether there are tests.
struct Watched<'a> {
    sink: &'a mut dyn StreamResult,
    has_tests: &'a mut bool,
}

impl StreamResult for Watched<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        *self.has_tests |= event.test_id.is_some();
        self.sink.status(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told, in any pieces.
    fn check(format: Format, output: &[u8], exit: Option<i32>, expected: &[&str]) {
        for piece in [1, 3, output.len().max(1)] {
            let mut seen: Vec<String> = Vec::new();
            let mut text = String::new();
            let mut sink = streamresult::from_fn(|event: &Event<'_>| {
                match (event.test_id, event.status, event.file) {
                    (Some(id), Some(status), _) => seen.push(format!("{id} {status:?}")),
                    (None, _, Some(file)) => text.push_str(&String::from_utf8_lossy(file.bytes)),
                    _ => {}
                }
                Ok(())
            });
            let mut any = AnyOutput::new(format, "make");
            for bytes in output.chunks(piece) {
                any.feed(bytes, &mut sink).unwrap();
                any.flush(&mut sink).unwrap();
            }
            any.finish(exit, &mut sink).unwrap();
            seen.extend(text.lines().map(|line| format!("| {line}")));
            assert_eq!(seen, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_line_tells_the_format() {
        check(
            Format::Auto,
            b"cc boot.c\nTAP version 13\n1..1\nok 1 - boots\n",
            Some(0),
            &["boots Success", "| cc boot.c"],
        );
        check(
            Format::Auto,
            b"cc\nt/a.t .. \n1..1\nok 1 - a\nok\nAll tests successful.\nResult: PASS\n",
            Some(0),
            &["t/a.t/a Success", "| cc", "| All tests successful.", "| Result: PASS"],
        );
        check(Format::Auto, b"cc\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b", Some(0), &["foo Exists", "| cc"]);
        check(Format::Auto, b"test: a\nsuccess: a\n", Some(0), &["a InProgress", "a Success"]);
    }

    #[test]
    fn a_command_that_tells_nothing_is_a_test() {
        check(
            Format::Auto,
            "caf\u{f3}\n".as_bytes(),
            Some(0),
            &["make InProgress", "make Success", "| caf\u{f3}"],
        );
        check(Format::Auto, b"no", Some(3), &["make InProgress", "make Fail", "| no"]);
        check(Format::Auto, b"", None, &["make InProgress"]);
        check(
            Format::Exit,
            b"1..1\nok 1 - a\n",
            Some(0),
            &["make InProgress", "make Success", "| 1..1", "| ok 1 - a"],
        );
    }

    #[test]
    fn a_format_that_is_given_has_to_come() {
        check(Format::Tap, b"hello\n", Some(0), &["tap document Fail", "| hello"]);
        check(Format::Subunit, b"hello\n", Some(0), &["| hello"]);
    }
}
