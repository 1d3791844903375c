//! From lines to events: which of the inputs a line belongs to.
//!
//! What `cargo test 2>&1` prints is three outputs in one: cargo's own, that of libtest (plain text or JSON), and what
//! tests write past libtest. Nothing marks which a line is of, and tests may print anything, also what looks like a
//! result. So each line is offered to those that may have written it, in the order of who can be sure:
//!
//! 1. an error of cargo that is being read, until a line does not belong to it ([`Place`]);
//! 2. the output of a failed test ([`Plain::is_in_output`]): within it, all is output until its heading says otherwise;
//! 3. JSON, where no binary writes plain text: a message is known by its keys, also behind text without a newline;
//! 4. cargo, where the line begins as its lines do: it names the next binary, or says that one failed;
//! 5. the plain text of a binary under way, or one that begins here, even if its first line is missing;
//! 6. and anything else is text of the run.
//!
//! One binary in plain text is open at a time, and any number that write JSON (nextest runs them side by side). What
//! is open when the next begins, or the stream ends, was lost, and is reported as a failure: an exit status is not in
//! this text, so that a binary that died must not come out green.

use std::io;

use streamresult::StreamResult;
use subunit::Timestamp;

use super::cargo::{self, Binary, Cargo};
use super::emit::{BinaryOut, Clock, ERROR, Emitter, suite_id};
use super::json::{self, Json};
use super::line::{self, Line as Said};
use super::message;
use super::names::Names;
use super::plain::{self, Plain};
use crate::colour::uncoloured;
use crate::lines::{Line, LineParser};
use crate::loose_json::objects;

/// What the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LibtestFormat {
    /// What it looks like, binary by binary.
    #[default]
    Auto,
    /// Plain text: lines of JSON are text of the tests.
    Plain,
    /// JSON: lines of plain text that look like results are text.
    Json,
}

/// Turns the output of Rust tests into events, line by line; see [the module](super).
#[derive(Clone, Debug)]
pub struct LibtestParser {
    format: LibtestFormat,
    names: Names,
    emitter: Emitter,
    /// The binary whose tests come in plain text.
    plain: Option<Plain>,
    json: Json,
    binary: Option<State>,
    place: Place,
}

/// What is known of the binary that cargo named last, or of the one that runs without a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    has_output: bool,
    /// Whether its tests, or some of them, were reported to the end.
    has_ended: bool,
    has_failed: bool,
}

/// What lines are about that do not belong to tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Tests,
    /// Cargo says why it cannot run tests.
    Build,
    /// Cargo says how the test binary with this id ended.
    End(String),
}

/// The id of what cargo does before it runs tests.
const CARGO: &str = "cargo";

impl Default for LibtestParser {
    fn default() -> Self {
        LibtestParser::new(LibtestFormat::Auto)
    }
}

impl LibtestParser {
    /// A parser of this format at the start of a stream. Events have the time of the clock.
    #[must_use]
    pub fn new(format: LibtestFormat) -> Self {
        LibtestParser::with_clock(format, || Some(Timestamp::now()))
    }

    /// A parser that asks this clock for the time, which may have none.
    #[must_use]
    pub fn with_clock(format: LibtestFormat, clock: Clock) -> Self {
        LibtestParser {
            format,
            names: Names::default(),
            emitter: Emitter::new(clock),
            plain: None,
            json: Json::default(),
            binary: None,
            place: Place::Tests,
        }
    }

    fn whole_line(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.place != Place::Tests {
            if !self.leaves_error(content) {
                return self.error_text(raw, sink);
            }
            self.end_error(sink)?;
        }
        if self.plain.as_ref().is_some_and(Plain::is_in_output) {
            return self.line_of_tests(content, raw, sink);
        }
        if self.plain.is_none() && self.format != LibtestFormat::Plain && self.json_line(content, sink)? {
            return Ok(());
        }
        if self.is_cargo_line(content) && self.cargo_line(content, sink)? {
            return Ok(());
        }
        if self.plain.is_some() || self.takes_plain() && self.begins_tests(content) {
            return self.line_of_tests(content, raw, sink);
        }
        self.text_line(content, raw, sink)
    }

    fn takes_plain(&self) -> bool {
        self.format != LibtestFormat::Json && !self.json.is_open()
    }

    /// Takes a message of JSON; what a test wrote last may stand before it.
    fn json_line(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        if content.trim_ascii_start().first() != Some(&b'{') && !self.json.is_open() {
            return Ok(false);
        }
        objects(content, &message::KEYS).try_fold(false, |is_taken, (before, line)| {
            if is_taken { Ok(true) } else { self.json_message(before, line, sink) }
        })
    }

    fn json_message(&mut self, before: &[u8], line: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let line = String::from_utf8_lossy(line);
        let line = message::with_escaped_name(&line);
        let Some(message) = message::parse(&line) else { return Ok(false) };
        if !before.trim_ascii().is_empty() {
            self.json.flush(&mut self.emitter, sink)?;
            self.emitter.push_text(before, sink)?;
        }
        match self.json.message(&message, &mut self.names, (&mut self.emitter, sink))? {
            json::MessageStep::No => return Ok(false),
            json::MessageStep::Done => {}
            json::MessageStep::Ended(is_green) => self.note_end(is_green),
        }
        self.emitter.drop_blanks();
        self.note_output();
        Ok(true)
    }

    /// Whether tests of a binary in plain text begin here. The first line may be lost.
    fn begins_tests(&mut self, content: &[u8]) -> bool {
        match line::parse(content) {
            Said::Running(..) => true,
            Said::Result(..) | Said::Totals(_) => {
                let is_own = self.names.is_named() && self.binary.is_some_and(|binary| !binary.has_ended);
                let now = self.emitter.now();
                self.begin_plain(if is_own { Plain::own(now) } else { Plain::new(None, now) });
                true
            }
            _ => false,
        }
    }

    fn begin_plain(&mut self, plain: Plain) {
        self.names.begin_tests();
        self.note_output();
        self.plain = Some(plain);
    }

    fn line_of_tests(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let taken = match &mut self.plain {
            Some(plain) => {
                let mut out = BinaryOut { prefix: self.names.current(), emitter: &mut self.emitter, sink };
                plain.line(content, raw, &mut out)?
            }
            None => plain::LineStep::Begins,
        };
        match taken {
            plain::LineStep::Done => Ok(()),
            plain::LineStep::Ended(is_green, wrong) => {
                self.plain = None;
                self.note_end(is_green);
                let Some(wrong) = wrong else { return Ok(()) };
                let id = suite_id(self.names.current());
                self.emitter.fail(&id, Some((ERROR, wrong.as_bytes())), sink)
            }
            plain::LineStep::Begins => self.running(content, raw, sink),
        }
    }

    /// `running 3 tests`.
    fn running(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let Said::Running(count, rest) = line::parse(content) else { return Ok(()) };
        self.lose_tests(sink)?;
        self.emitter.drop_blanks();
        self.begin_plain(Plain::new(Some(count), self.emitter.now()));
        // The seed of --shuffle is worth keeping.
        if rest.is_empty() { Ok(()) } else { self.emitter.push_text(raw, sink) }
    }

    fn text_line(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if content.is_empty() {
            self.emitter.push_blank();
            return Ok(());
        }
        if let Some(binary) = &mut self.binary {
            binary.has_output = true;
        }
        self.json.flush(&mut self.emitter, sink)?;
        self.emitter.push_text(raw, sink)
    }

    /// Whether a line may be cargo's. Behind the name of a test its error may follow on the same line.
    fn is_cargo_line(&self, content: &[u8]) -> bool {
        matches!(content.first(), Some(b' ' | b'e')) || self.plain.is_some() && content.ends_with(b"`")
    }

    /// Takes what cargo says.
    fn cargo_line(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        match cargo::parse(content) {
            Cargo::Binary(binary) => self.begin_binary(&binary, sink)?,
            Cargo::TestsFailed => return self.binary_failed(content, sink),
            Cargo::Error if self.is_outside() => {
                self.place = Place::Build;
                self.error_text(&[content, b"\n"].concat(), sink)?;
            }
            _ => return self.glued_cargo_line(content, sink),
        }
        Ok(true)
    }

    /// Takes what a test wrote last and what cargo says then.
    fn glued_cargo_line(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let Some(plain) = &mut self.plain else { return Ok(false) };
        let Some(at) = cargo::tests_failed_at(content) else { return Ok(false) };
        let (output, rest) = content.split_at(at);
        let mut out = BinaryOut { prefix: self.names.current(), emitter: &mut self.emitter, sink };
        if plain.is_pending() || !output.starts_with(b"test ") {
            plain.text(output, &mut out)?;
        } else {
            let _nothing_ends = plain.line(output, output, &mut out)?;
        }
        self.binary_failed(rest, sink)
    }

    /// Whether nothing runs that could have written what looks like an error of cargo.
    fn is_outside(&self) -> bool {
        let is_running = self.binary.is_some_and(|binary| !binary.has_ended);
        self.plain.is_none() && !self.json.is_open() && !is_running
    }

    fn begin_binary(&mut self, binary: &Binary<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.emitter.drop_blanks();
        self.lose_tests(sink)?;
        self.names.begin(binary);
        self.binary = Some(State::default());
        Ok(())
    }

    /// Cargo says that a binary failed: false when its tests say so, too.
    fn binary_failed(&mut self, content: &[u8], sink: &mut dyn StreamResult) -> io::Result<bool> {
        let mut wrong = self.lose_open(sink)?;
        if wrong.is_empty() && self.binary.is_some_and(|binary| binary.has_failed) {
            return Ok(false);
        }
        let (id, wrong_here) =
            wrong.pop().unwrap_or_else(|| (suite_id(self.names.current()).into_owned(), String::new()));
        self.tell_wrong(wrong, sink)?;
        self.emitter.drop_blanks();
        self.binary.get_or_insert_default().has_failed = true;
        self.place = Place::End(id);
        self.error_text(&[wrong_here.as_bytes(), content, b"\n"].concat(), sink)?;
        Ok(true)
    }

    /// Whether a line does not belong to the error before it.
    fn leaves_error(&self, content: &[u8]) -> bool {
        let begins = || matches!(cargo::parse(content), Cargo::Binary(_));
        match &self.place {
            Place::Tests => true,
            Place::Build => begins() || matches!(line::parse(content), Said::Running(..)),
            Place::End(_) => {
                let is_more = content.is_empty()
                    || content.starts_with(b"  ")
                    || content.starts_with(b"Caused by:")
                    || content.starts_with(b"note: ");
                !is_more || begins()
            }
        }
    }

    fn error_text(&mut self, raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        match &self.place {
            Place::Tests => self.emitter.push_text(raw, sink),
            Place::Build => self.emitter.attach(CARGO, (ERROR, raw), sink),
            Place::End(id) => self.emitter.attach(id, (ERROR, raw), sink),
        }
    }

    fn end_error(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        match std::mem::take(&mut self.place) {
            Place::Tests => Ok(()),
            Place::Build => self.emitter.fail(CARGO, None, sink),
            Place::End(id) => self.emitter.fail(&id, None, sink),
        }
    }

    /// The tests that are open never end. Returns what is wrong with which binary.
    fn lose_open(&mut self, sink: &mut dyn StreamResult) -> io::Result<Vec<(String, String)>> {
        let mut wrong = self.json.lose(&mut self.emitter, sink)?;
        if let Some(plain) = self.plain.take() {
            let mut out = BinaryOut { prefix: self.names.current(), emitter: &mut self.emitter, sink };
            let has_failed = plain.has_failed();
            match plain.lose(&mut out)? {
                Some(message) => wrong.push((suite_id(self.names.current()).into_owned(), message)),
                None => self.note_end(!has_failed),
            }
        }
        Ok(wrong)
    }

    fn lose_tests(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let wrong = self.lose_open(sink)?;
        self.tell_wrong(wrong, sink)
    }

    fn tell_wrong(&mut self, wrong: Vec<(String, String)>, sink: &mut dyn StreamResult) -> io::Result<()> {
        wrong.iter().try_for_each(|(id, what)| self.emitter.fail(id, Some((ERROR, what.as_bytes())), sink))
    }

    fn note_output(&mut self) {
        self.binary.get_or_insert_default().has_output = true;
    }

    fn note_end(&mut self, is_green: bool) {
        let binary = self.binary.get_or_insert_default();
        binary.has_ended = true;
        binary.has_failed |= !is_green;
    }
}

impl LineParser for LibtestParser {
    fn arrive(&mut self) {
        self.emitter.arrive();
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if line.is_whole {
            return self.whole_line(&uncoloured(line.content()), line.bytes, sink);
        }
        match &mut self.plain {
            _ if self.place != Place::Tests => self.error_text(line.bytes, sink),
            Some(plain) => {
                let mut out = BinaryOut { prefix: self.names.current(), emitter: &mut self.emitter, sink };
                plain.text(line.bytes, &mut out)
            }
            None => self.emitter.push_text(line.bytes, sink),
        }
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if let Some(plain) = &mut self.plain {
            let mut out = BinaryOut { prefix: self.names.current(), emitter: &mut self.emitter, sink };
            plain.flush(&mut out)?;
        }
        self.json.flush(&mut self.emitter, sink)?;
        self.emitter.flush(sink)?;
        sink.flush()
    }

    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_error(sink)?;
        self.lose_tests(sink)?;
        if self.binary.is_some_and(|binary| !binary.has_output) {
            let id = suite_id(self.names.current());
            let wrong = b"the output ends where that of this test binary begins\n";
            self.emitter.fail(&id, Some((ERROR, wrong)), sink)?;
        }
        self.emitter.flush(sink)
    }
}
