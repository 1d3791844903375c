//! Records to TAP 14.

use std::io::{self, Read as _, Write};

use streamresult::{Extent, Outcome, Record, RecordSink};
use subunit::{Event, Status};

use super::yaml;
use crate::visible;

/// How many bytes of an attachment a report shows: for [`Records::cap`](streamresult::Records::cap).
pub const LONGEST_TEXT: u64 = 1 << 20;
/// A reason is one line; the rest of it is left out.
const LONGEST_REASON: u64 = 1000;

/// Writes a run as TAP 14: one test point per record, as it ends, and the plan at the end.
///
/// - A skipped test is `ok … # SKIP reason`, one that failed as expected is `not ok … # TODO`.
/// - An unexpected success and an unfinished test are `not ok`: consumers take `ok … # TODO` for a success.
/// - What is not `ok` has a block of YAML with its attachments.
/// - An announced test is not a test point.
///
/// ```
/// use formats::tap::TapWriter;
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut out = Vec::new();
/// let mut records = Records::new(TapWriter::new(&mut out));
/// records.start_run()?;
/// records.status(&Event::status("boot #1", Status::Success))?;
/// records.stop_run()?;
/// drop(records);
/// assert_eq!(out, b"TAP version 14\nok 1 - boot \\#1\n1..1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TapWriter<W> {
    out: W,
    points: u64,
}

impl<W: Write> TapWriter<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        TapWriter { out, points: 0 }
    }

    /// Where it was written.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn point(&mut self, is_ok: bool, description: &str, directive: &str) -> io::Result<()> {
        self.points += 1;
        let word = if is_ok { "ok" } else { "not ok" };
        write!(self.out, "{word} {}", self.points)?;
        if !description.is_empty() {
            write!(self.out, " - {}", escaped(description))?;
        }
        writeln!(self.out, "{directive}")
    }
}

impl<W: Write> RecordSink for TapWriter<W> {
    fn start_run(&mut self) -> io::Result<()> {
        self.out.write_all(b"TAP version 14\n")
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (id, outcome) = (record.test_id(), record.outcome());
        match outcome {
            Outcome::Exists => return Ok(()),
            Outcome::Success => return self.point(true, id, ""),
            Outcome::Skip => return self.point(true, id, &directive("SKIP", record)?),
            Outcome::XFail => self.point(false, id, &directive("TODO", record)?),
            Outcome::Fail | Outcome::UxSuccess | Outcome::Unfinished => self.point(false, id, ""),
        }?;
        yaml::write_block(record, &mut self.out)
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let Some(file) = event.file else { return Ok(()) };
        let (id, name) = (visible::line(event.test_id.unwrap_or_default()), visible::line(file.name));
        writeln!(self.out, "# {} bytes of {name:?} came after the end of {id:?}", file.bytes.len())
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() {
            return writeln!(self.out, "# {status} of the run as a whole");
        }
        self.point(false, &format!("run as a whole: {status}"), "")?;
        match event.file {
            Some(file) => writeln!(self.out, "# {}", visible::line(&visible::lossy_text(file.bytes))),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        writeln!(self.out, "1..{}", self.points)
    }
}

/// A directive with the first line of the reason.
fn directive(word: &str, record: &Record<'_>) -> io::Result<String> {
    let mut reason = Vec::new();
    if let Some(file) = record.attachment("reason") {
        file.reader().take(LONGEST_REASON).read_to_end(&mut reason)?;
    }
    let shown = visible::lossy_text(&reason);
    let first = escaped(shown.trim().lines().next().unwrap_or_default());
    Ok(if first.is_empty() { format!(" # {word}") } else { format!(" # {word} {first}") })
}

/// One line, in which nothing begins a directive.
fn escaped(text: &str) -> String {
    visible::line(text).replace('\\', r"\\").replace('#', r"\#")
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult};
    use subunit::{File, Tags, Timestamp};

    use super::*;

    fn check(events: &[Event<'_>], expected: &str) {
        let mut records = Records::new(TapWriter::new(Vec::new())).cap(LONGEST_TEXT);
        records.start_run().unwrap();
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let found = String::from_utf8(records.into_sink().into_inner()).unwrap();
        assert_eq!(found, format!("TAP version 14\n{expected}"));
    }

    fn with_file<'a>(name: &'a str, bytes: &'a [u8], event: Event<'a>) -> Event<'a> {
        Event { file: Some(File { name, bytes }), ..event }
    }

    #[test]
    fn a_test_that_ran_is_a_point() {
        check(&[], "1..0\n");
        check(&[Event::status("a", Status::Exists)], "1..0\n");
        check(&[Event::status("a # TODO \\ b\n", Status::Success)], "ok 1 - a \\# TODO \\\\ b\\\\n\n1..1\n");
        check(&[Event::status("", Status::Skip)], "ok 1 # SKIP\n1..1\n");
        check(
            &[with_file("reason", b" no net # x\nmore", Event::status("a", Status::Skip))],
            "ok 1 - a # SKIP no net \\# x\n1..1\n",
        );
    }

    #[test]
    fn a_failure_has_all_that_is_known() {
        let at = |seconds, nanoseconds| Some(Timestamp { seconds, nanoseconds });
        let begun = Event {
            mime_type: Some("text/plain"),
            timestamp: at(1, 0),
            ..with_file("log", b"  one\n...\n", Event::status("a", Status::InProgress))
        };
        let failed = Event {
            tags: Tags::from(&["x", "y: \"z\""]),
            timestamp: at(1, 2_500_000),
            ..with_file("core", b"\0", Event::status("a", Status::Fail))
        };
        check(
            &[begun, failed],
            concat!(
                "not ok 1 - a\n  ---\n  outcome: fail\n  tags:\n    - \"x\"\n    - \"y: \\\"z\\\"\"\n",
                "  duration_ms: 2.500\n  attachments:\n    - name: \"log\"\n      type: \"text/plain\"\n",
                "      bytes: 10\n      text: |2\n          one\n        ...\n",
                "    - name: \"core\"\n      bytes: 1\n  ...\n1..1\n"
            ),
        );
    }

    #[test]
    fn only_what_counts_against_the_run_is_not_ok_without_a_directive() {
        let block = |outcome| format!("  ---\n  outcome: {outcome}\n  ...\n");
        let expected = [
            format!("not ok 1 - x # TODO\n{}", block("xfail")),
            format!("not ok 2 - u\n{}", block("uxsuccess")),
            format!("not ok 3 - n\n{}", block("unfinished")),
            "1..3\n".to_owned(),
        ];
        check(
            &[
                Event::status("n", Status::InProgress),
                Event::status("x", Status::XFail),
                Event::status("u", Status::UxSuccess),
            ],
            &expected.concat(),
        );
    }

    #[test]
    fn what_belongs_to_no_test_is_said() {
        let global = |status| Event { status: Some(status), ..Event::default() };
        check(
            &[
                global(Status::Success),
                with_file("log", b"disk full\n", global(Status::Fail)),
                Event::status("a", Status::Success),
                Event { status: None, ..with_file("log", b"late", Event::status("a", Status::Success)) },
            ],
            concat!(
                "# success of the run as a whole\nnot ok 1 - run as a whole: fail\n# disk full\\n\n",
                "ok 2 - a\n# 4 bytes of \"log\" came after the end of \"a\"\n1..2\n"
            ),
        );
    }
}
