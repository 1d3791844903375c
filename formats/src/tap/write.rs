//! Records to TAP.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use streamresult::{Extent, Outcome, Record, RecordSink};
use subunit::{Event, Status};

use super::yaml::{Besides, Which, write_block};
use crate::{harmless, visible};

/// How many bytes of an attachment a report shows: for [`Records::cap`](streamresult::Records::cap).
pub const LONGEST_TEXT: u64 = 1 << 20;
/// A reason is one line; the rest of it is left out.
const LONGEST_REASON: usize = 1000;

/// A version of TAP. Closed: there are no others in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 13, which all readers take.
    #[default]
    V13,
    /// 14, which those of today's distributions refuse.
    V14,
}

/// Writes a run as TAP: one test point per record, as it ends, and the plan at the end.
///
/// - A skipped test is `ok … # SKIP reason`, one that failed as expected is `not ok … # TODO`.
/// - An unexpected success and an unfinished test are `not ok`: consumers take `ok … # TODO` for a success.
/// - What is not `ok` has a block of YAML with its attachments, and so has a skipped test whose reason is longer than
///   its line.
/// - An announced test is not a test point.
///
/// ```
/// use formats::tap::TapWriter;
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new(TapWriter::new(Vec::new()));
/// records.start_run()?;
/// records.status(&Event::status("boot #1", Status::Success))?;
/// records.stop_run()?;
/// let out = records.into_sink().end(Some(&"all is well"))?;
/// assert_eq!(out, b"TAP version 13\nok 1 - boot \\#1\n# all is well\n1..1\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TapWriter<W> {
    out: W,
    version: Version,
    points: u64,
}

impl<W: Write> TapWriter<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        TapWriter { out, version: Version::default(), points: 0 }
    }

    /// Writes this version.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        TapWriter { version, ..self }
    }

    /// Ends the document: a comment, and the plan behind which nothing may stand. Gives back where it was written.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn end(mut self, comment: Option<&dyn Display>) -> io::Result<W> {
        if let Some(comment) = comment {
            writeln!(self.out, "# {comment}")?;
        }
        writeln!(self.out, "1..{}", self.points)?;
        Ok(self.out)
    }

    /// Writes a test point, and returns what its block has to say besides.
    fn point(&mut self, is_ok: bool, description: &str, directive: &str) -> io::Result<Besides> {
        self.points += 1;
        let word = if is_ok { "ok" } else { "not ok" };
        write!(self.out, "{word} {}", self.points)?;
        let is_doubtful = is_doubtful(description, directive);
        if !description.is_empty() {
            let text = escaped(description);
            let text = if is_doubtful { text.replace(r"\#", r"\x23") } else { text };
            write!(self.out, " - {text}")?;
        }
        writeln!(self.out, "{directive}")?;
        Ok(if is_doubtful { Besides::Id } else { Besides::Nothing })
    }

    fn skip(&mut self, record: &Record<'_>) -> io::Result<()> {
        let reason = Reason::of(record)?;
        let besides = self.point(true, record.test_id(), &reason.directive("SKIP"))?;
        if reason.is_whole && besides == Besides::Nothing {
            return Ok(());
        }
        write_block(record, besides, Which::Named(REASON), &mut self.out)
    }

    fn success(&mut self, record: &Record<'_>) -> io::Result<()> {
        match self.point(true, record.test_id(), "")? {
            Besides::Nothing => Ok(()),
            besides => write_block(record, besides, Which::None, &mut self.out),
        }
    }
}

impl<W: Write> RecordSink for TapWriter<W> {
    fn start_run(&mut self) -> io::Result<()> {
        let number = match self.version {
            Version::V13 => 13,
            Version::V14 => 14,
        };
        writeln!(self.out, "TAP version {number}")
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (id, outcome) = (record.test_id(), record.outcome());
        let besides = match outcome {
            Outcome::Exists => return Ok(()),
            Outcome::Success => return self.success(record),
            Outcome::Skip => return self.skip(record),
            Outcome::XFail => self.point(false, id, &Reason::of(record)?.directive("TODO")),
            Outcome::Fail | Outcome::UxSuccess | Outcome::Unfinished => self.point(false, id, ""),
        }?;
        write_block(record, besides, Which::All, &mut self.out)
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
            Some(file) => writeln!(self.out, "# {}", harmless::line(&visible::lossy_text(file.bytes))),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The attachment that says why.
const REASON: &str = "reason";

/// Why a test was skipped, or failed as expected.
struct Reason {
    /// Its first line.
    first: String,
    /// Whether that is all of it.
    is_whole: bool,
}

impl Reason {
    fn of(record: &Record<'_>) -> io::Result<Reason> {
        let (mut reason, mut is_cut) = (Cow::default(), false);
        if let Some(file) = record.attachment(REASON) {
            is_cut = file.kept() > LONGEST_REASON as u64;
            reason = file.head(LONGEST_REASON)?;
        }
        let shown = visible::lossy_text(&reason);
        let mut lines = shown.trim().lines();
        let first = escaped(lines.next().unwrap_or_default().trim_end());
        Ok(Reason { first, is_whole: lines.next().is_none() && !is_cut })
    }

    fn directive(&self, word: &str) -> String {
        if self.first.is_empty() { format!(" # {word}") } else { format!(" # {word} {}", self.first) }
    }
}

/// Whether a reader that takes `\#` for the start of a directive, such as tappy, would read another outcome out of this
/// line.
fn is_doubtful(description: &str, directive: &str) -> bool {
    let words = || description.split('#').skip(1).map(str::trim_start);
    let is_directive = |text: &str| {
        let word = text.get(..4).unwrap_or_default();
        word.eq_ignore_ascii_case("todo") || word.eq_ignore_ascii_case("skip")
    };
    directive.starts_with(" # TODO") && description.contains('#') || words().any(is_directive)
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
        let found = String::from_utf8(records.into_sink().end(None).unwrap()).unwrap();
        assert_eq!(found, format!("TAP version 13\n{expected}"));
    }

    fn with_file<'a>(name: &'a str, bytes: &'a [u8], event: Event<'a>) -> Event<'a> {
        Event { file: Some(File { name, bytes }), ..event }
    }

    #[test]
    fn version_14_is_written_where_it_is_asked_for() {
        let mut writer = TapWriter::new(Vec::new()).version(Version::V14);
        writer.start_run().unwrap();
        assert_eq!(writer.end(Some(&"done")).unwrap(), b"TAP version 14\n# done\n1..0\n");
    }

    #[test]
    fn a_test_that_ran_is_a_point() {
        check(&[], "1..0\n");
        check(&[Event::status("a", Status::Exists)], "1..0\n");
        check(&[Event::status("a #1 \\ b\n", Status::Success)], "ok 1 - a \\#1 \\\\ b\\\\n\n1..1\n");
        check(&[Event::status("", Status::Skip)], "ok 1 # SKIP\n1..1\n");
        check(
            &[with_file("reason", b" no net # x\n", Event::status("a", Status::Skip))],
            "ok 1 - a # SKIP no net \\# x\n1..1\n",
        );
    }

    #[test]
    fn a_name_that_could_be_taken_for_a_directive_is_in_the_block() {
        check(
            &[Event::status("a # TODO b", Status::Success), Event::status("c #1", Status::XFail)],
            concat!(
                "ok 1 - a \\x23 TODO b\n  ---\n  outcome: success\n  id: \"a # TODO b\"\n  ...\n",
                "not ok 2 - c \\x231 # TODO\n  ---\n  outcome: xfail\n  id: \"c #1\"\n  ...\n1..2\n"
            ),
        );
    }

    #[test]
    fn a_reason_of_several_lines_is_kept_whole() {
        check(
            &[with_file("reason", b"no net\n\nmore", Event::status("a", Status::Skip))],
            concat!(
                "ok 1 - a # SKIP no net\n  ---\n  outcome: skip\n  attachments:\n    - name: \"reason\"\n      bytes: 12\n",
                "      text: |\n        no net\n        \n        more\n  ...\n1..1\n"
            ),
        );
    }

    #[test]
    fn a_failure_has_all_that_is_known() {
        let at = Timestamp::new;
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
                "not ok 1 - a\n  ---\n  outcome: fail\n  tags: [\"x\", \"y: \\\"z\\\"\"]\n",
                "  duration_ms: 2.500\n  attachments:\n    - name: \"log\"\n      type: \"text/plain\"\n",
                "      bytes: 10\n      text: \"  one\\n...\\n\"\n",
                "    - name: \"core\"\n      bytes: 1\n  ...\n1..1\n"
            ),
        );
    }

    #[test]
    fn long_text_is_quoted_in_pieces() {
        let long = " ü".repeat(PIECES_OF_TEXT);
        let mut records = Records::new(TapWriter::new(Vec::new()));
        records.status(&with_file("log", long.as_bytes(), Event::status("a", Status::Fail))).unwrap();
        records.stop_run().unwrap();
        let found = String::from_utf8(records.into_sink().end(None).unwrap()).unwrap();
        let pieces: Vec<&str> = found.lines().filter(|line| line.starts_with("      text")).collect();
        assert!(pieces.len() == 4 && pieces.iter().all(|line| line.len() < 20_000), "{}", pieces.len());
        assert!(pieces[0].starts_with("      text: \" ü ü") && pieces[3].starts_with("      text-4: \""));
    }

    const PIECES_OF_TEXT: usize = 10_000;

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
