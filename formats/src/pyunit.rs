//! The text of Python's unittest.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use streamresult::{Attachment, Extent, Outcome, Record, RecordSink};
use subunit::{BYTES_TYPE, Event, Status};

use crate::charset::Content;
use crate::postponed::Postponed;
use crate::shown::Indented;
use crate::span::Span;
use crate::{ci, harmless, visible};

/// How many bytes of an attachment a report shows: for [`Records::cap`](streamresult::Records::cap).
pub const LONGEST_TEXT: u64 = 1 << 20;

/// Writes a run as Python's unittest does with `--verbose`: one line per test, as it ends; at the end, the failures
/// with their attachments, and a line that says how it went.
///
/// ```
/// use formats::pyunit::PyunitWriter;
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut out = Vec::new();
/// let mut records = Records::new(PyunitWriter::new(&mut out));
/// records.status(&Event::status("boot", Status::Success))?;
/// records.stop_run()?;
/// drop(records);
/// let line = "-".repeat(70);
/// assert_eq!(String::from_utf8(out)?, format!("boot ... ok\n\n{line}\nRan 1 test in 0.000s\n\nOK\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PyunitWriter<W> {
    out: W,
    /// The failures.
    sections: Postponed,
    counts: Counts,
    /// The first and the last time of the run.
    span: Span,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    run: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    expected_failures: u64,
    unexpected_successes: u64,
}

impl<W: Write> PyunitWriter<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        let sections = Postponed::default();
        PyunitWriter { out, sections, counts: Counts::default(), span: Span::default() }
    }

    /// Keeps what has to wait for the end in this folder, where it is long.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        PyunitWriter { sections: self.sections.in_folder(folder), ..self }
    }

    /// Where it was written.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Counts a test, and gives unittest's word for its outcome.
    fn count(&mut self, record: &Record<'_>) -> io::Result<String> {
        let counts = &mut self.counts;
        counts.run += 1;
        let (count, word) = match record.outcome() {
            Outcome::Exists | Outcome::Success => return Ok("ok".to_owned()),
            Outcome::Skip => (&mut counts.skipped, skipped(record)?),
            Outcome::XFail => (&mut counts.expected_failures, "expected failure".to_owned()),
            Outcome::UxSuccess => (&mut counts.unexpected_successes, "unexpected success".to_owned()),
            _ if kind(record) == "FAIL" => (&mut counts.failures, "FAIL".to_owned()),
            _ => (&mut counts.errors, "ERROR".to_owned()),
        };
        *count += 1;
        Ok(word)
    }

    fn section(&mut self, record: &Record<'_>) -> io::Result<()> {
        let out = &mut self.sections;
        write_head(kind(record), &title(record), out)?;
        if record.outcome() == Outcome::Unfinished {
            writeln!(out, "the test began and did not finish; its last event was: {}", record.last_sign())?;
        }
        write_attachments(record, out)?;
        writeln!(out)
    }

    fn duration(&self) -> Duration {
        self.span.length().unwrap_or_default()
    }
}

impl<W: Write> RecordSink for PyunitWriter<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        self.span.add_record(record);
        let word = self.count(record)?;
        let line = format!("{} ... {word}", title(record));
        writeln!(self.out, "{}", ci::defuse(&line, true))?;
        if record.outcome().is_failure() { self.section(record) } else { Ok(()) }
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let (Some(id), Some(file)) = (event.test_id, event.file) else { return Ok(()) };
        let (id, name) = (visible::line(id), harmless::line(file.name));
        write_head("LATE", &id, &mut self.sections)?;
        writeln!(self.sections, "{name}: {} bytes came after the end of the test\n", file.bytes.len())
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        writeln!(self.out, "the run as a whole ... {status}")?;
        if status.is_failure() {
            self.counts.failures += 1;
            write_head("FAIL", "the run as a whole", &mut self.sections)?;
            let mut text = Indented::new(&mut self.sections, "");
            text.text(event.file.map_or(&[], |file| file.bytes))?;
            text.end_line()?;
            writeln!(self.sections)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        writeln!(self.out)?;
        self.sections.copy(&mut self.out)?;
        let Counts { run, .. } = self.counts;
        let tests = if run == 1 { "test" } else { "tests" };
        writeln!(self.out, "{:-<70}\nRan {run} {tests} in {:.3}s\n", "", self.duration().as_secs_f64())?;
        writeln!(self.out, "{}", self.counts.verdict())
    }
}

impl Counts {
    fn verdict(self) -> String {
        let failed = self.failures + self.errors + self.unexpected_successes > 0;
        let word = match (failed, self.run) {
            (true, _) => "FAILED",
            (false, 0) => "NO TESTS RAN",
            (false, _) => "OK",
        };
        let parts: Vec<String> = [
            ("failures", self.failures),
            ("errors", self.errors),
            ("skipped", self.skipped),
            ("expected failures", self.expected_failures),
            ("unexpected successes", self.unexpected_successes),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
        if parts.is_empty() { word.to_owned() } else { format!("{word} ({})", parts.join(", ")) }
    }
}

/// Unittest's word for a failure: anything but a test's own failure is an error.
fn kind(record: &Record<'_>) -> &'static str {
    match record.outcome() {
        Outcome::UxSuccess => "UNEXPECTED SUCCESS",
        Outcome::Unfinished => "ERROR",
        _ if record.is_damage() => "ERROR",
        _ => "FAIL",
    }
}

/// The test's id, and where it ran.
fn title(record: &Record<'_>) -> String {
    let id = visible::line(record.test_id());
    match record.route_code() {
        Some(route) => format!("{id} [{}]", visible::line(route)),
        None => id.into_owned(),
    }
}

fn skipped(record: &Record<'_>) -> io::Result<String> {
    let Some(reason) = record.attachment("reason") else { return Ok("skipped".to_owned()) };
    Ok(format!("skipped {}", repr(reason.text(1000)?.trim_end())))
}

/// A string as Python writes it.
fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let text = text.replace('\\', r"\\");
    let text = if quote == '\'' { text.replace('\'', r"\'") } else { text };
    format!("{quote}{}{quote}", visible::line(&text))
}

fn write_head(kind: &str, title: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:=<70}\n{kind}: {}\n{:-<70}", "", ci::defuse(title, false), "")
}

/// Writes the names of files that are not text, then the texts, and the traceback last.
fn write_attachments(record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut traceback = None;
    for attachment in record.attachments() {
        let content = Content::of_attachment(&attachment)?;
        match attachment.name() {
            "traceback" if content != Content::Binary => traceback = Some((attachment, content)),
            _ => write_attachment(&attachment, content, out)?,
        }
    }
    match traceback {
        Some((attachment, content)) => Indented::new(out, "").attachment(&attachment, content),
        None => Ok(()),
    }
}

fn write_attachment(attachment: &Attachment<'_>, content: Content, out: &mut impl Write) -> io::Result<()> {
    let name = harmless::line(attachment.name());
    if content == Content::Binary || attachment.is_empty() {
        let mime_type = attachment.mime_type().unwrap_or(BYTES_TYPE);
        return writeln!(out, "{name}: {} bytes ({})", attachment.len(), visible::line(mime_type));
    }
    writeln!(out, "{name}: {{{{{{")?;
    Indented::new(out, "").attachment(attachment, content)?;
    writeln!(out, "}}}}}}\n")
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult};
    use subunit::{File, Timestamp};

    use super::*;

    fn check(events: &[Event<'_>], expected: &str) {
        let mut records = Records::new(PyunitWriter::new(Vec::new())).cap(LONGEST_TEXT);
        records.start_run().unwrap();
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let found = String::from_utf8(records.into_sink().into_inner()).unwrap();
        let expected =
            expected.replace("==\n", &format!("{:=<70}\n", "")).replace("--\n", &format!("{:-<70}\n", ""));
        assert_eq!(found, expected);
    }

    fn with_file<'a>(name: &'a str, bytes: &'a [u8], event: Event<'a>) -> Event<'a> {
        Event { file: Some(File { name, bytes }), ..event }
    }

    #[test]
    fn each_outcome_has_its_word() {
        check(
            &[
                Event::status("a", Status::Success),
                with_file("reason", b"no net\n", Event::status("b", Status::Skip)),
                Event::status("c", Status::XFail),
                Event::status("d", Status::Exists),
            ],
            "a ... ok\nb ... skipped 'no net'\nc ... expected failure\n\n--\nRan 3 tests in 0.000s\n\nOK (skipped=1, expected failures=1)\n",
        );
        check(&[], "\n--\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n");
    }

    #[test]
    fn no_id_is_a_command_wherever_it_stands() {
        check(
            &[Event::status("##vso[x]", Status::Fail)],
            concat!(
                "\\x23#vso[x] ... FAIL\n\n==\nFAIL: \\x23#vso[x]\n--\n\n",
                "--\nRan 1 test in 0.000s\n\nFAILED (failures=1)\n"
            ),
        );
    }

    #[test]
    fn failures_stand_at_the_end_with_their_attachments() {
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let interim = Event { status: None, ..Event::status("a\n", Status::Fail) };
        check(
            &[
                Event { timestamp: at(5), ..with_file("traceback", b"boom", interim) },
                with_file("log", b"::error::x\n", interim),
                Event { timestamp: at(7), ..with_file("core", b"\0", Event::status("a\n", Status::Fail)) },
                Event { route_code: Some("0"), ..Event::status("u", Status::UxSuccess) },
                Event::status("n", Status::InProgress),
                Event { status: Some(Status::Fail), ..Event::file("log", b"disk full") },
            ],
            concat!(
                "a\\n ... FAIL\nu [0] ... unexpected success\nthe run as a whole ... fail\nn ... ERROR\n\n",
                "==\nFAIL: a\\n\n--\nlog: {{{\n\\x3a:error::x\n}}}\n\ncore: 1 bytes (application/octet-stream)\nboom\n\n",
                "==\nUNEXPECTED SUCCESS: u [0]\n--\n\n",
                "==\nFAIL: the run as a whole\n--\ndisk full\n\n",
                "==\nERROR: n\n--\nthe test began and did not finish; its last event was: inprogress\n\n",
                "--\nRan 3 tests in 2.000s\n\nFAILED (failures=2, errors=1, unexpected successes=1)\n"
            ),
        );
    }
}
