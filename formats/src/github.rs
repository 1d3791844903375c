//! Workflow commands of GitHub Actions: lines on stdout that become annotations of a change.
//!
//! A line is `::error file=F,line=N,title=T::MESSAGE`. GitHub shows ten of each kind for a step and drops the rest
//! without a word. So no more are written, and where there are more failures than that, the last annotation says how
//! many.

use std::io::{self, Write};

use streamresult::{Outcome, Record, RecordSink};
use subunit::{Event, Status};

use crate::text::section::run_as_a_whole;
use crate::text::title;
use crate::why::{Place, Why};

/// The evidence in an annotation is shown up to this many bytes: its end.
const EVIDENCE: usize = 2 << 10;

/// Writes an annotation for each test that failed, and one for each that was flaky.
///
/// ```
/// use formats::github::GithubAnnotations;
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new(GithubAnnotations::new(Vec::new(), None, 10));
/// records.status(&Event::status("boot", Status::Fail))?;
/// records.stop_run()?;
/// assert_eq!(records.into_sink().finish()?, b"::error title=boot::failed\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct GithubAnnotations<W> {
    out: W,
    /// The folder that paths are to be relative to, with a slash at its end.
    root: String,
    failures: Kind,
    flaky: Kind,
}

/// The annotations of a kind.
#[derive(Debug)]
struct Kind {
    command: &'static str,
    /// What happened to the tests that it counts.
    what: &'static str,
    most: u64,
    count: u64,
    /// The last that there is room for: where more come, their number takes its place.
    last: String,
}

impl<W: Write> GithubAnnotations<W> {
    /// Writes at most `most` errors and `most` warnings to `out`. GitHub wants paths relative to the repository: absolute
    /// ones below `root` are made so.
    pub fn new(out: W, root: Option<&str>, most: u64) -> Self {
        let root = root.map(|root| format!("{}/", root.trim_end_matches('/'))).unwrap_or_default();
        let kind = |command, what| Kind { command, what, most, count: 0, last: String::new() };
        let (failures, flaky) = (kind("error", "failed"), kind("warning", "were flaky"));
        GithubAnnotations { out, root, failures, flaky }
    }

    /// Writes what waits, or how many tests have no annotation of their own.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        for kind in [self.failures, self.flaky] {
            kind.finish(&mut self.out)?;
        }
        Ok(self.out)
    }

    fn failure(&mut self, title: &str, why: &Why) -> io::Result<()> {
        let text = why.text.trim_end();
        let is_told = text.is_empty() || text == why.message;
        let message = if is_told { why.message.clone() } else { format!("{}\n\n{text}", why.message) };
        let place = why.place.as_ref().map(|place| {
            let file = place.file.strip_prefix(&self.root).unwrap_or(&place.file);
            Place { file: file.to_owned(), line: place.line }
        });
        self.failures.push(title, place, &message, &mut self.out)
    }
}

impl<W: Write> RecordSink for GithubAnnotations<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let title = || title(record.test_id(), record.route_code());
        if record.outcome() == Outcome::Success && record.is_flaky() {
            let message = "passed only when it was tried again";
            return self.flaky.push(&title(), None, message, &mut self.out);
        }
        if !record.outcome().is_failure() || !self.failures.has_room() {
            return Ok(());
        }
        Why::of(record, EVIDENCE)?.map_or(Ok(()), |why| self.failure(&title(), &why))
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() || !self.failures.has_room() {
            return Ok(());
        }
        self.failure(&run_as_a_whole(event), &Why::of_run(event))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Kind {
    /// Whether another annotation is of use; where not, it is counted.
    fn has_room(&mut self) -> bool {
        let has_room = self.count < self.most;
        self.count += u64::from(!has_room);
        has_room
    }

    fn push(
        &mut self,
        title: &str,
        place: Option<Place>,
        message: &str,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if !self.has_room() {
            return Ok(());
        }
        self.count += 1;
        let line = self.line(title, place, message);
        if self.count < self.most {
            return out.write_all(line.as_bytes());
        }
        self.last = line;
        Ok(())
    }

    fn finish(self, out: &mut impl Write) -> io::Result<()> {
        // The one that waits is among them.
        let more = (self.count + 1).saturating_sub(self.most);
        if self.count <= self.most || self.most == 0 {
            return out.write_all(self.last.as_bytes());
        }
        let message =
            format!("{more} more tests {}: GitHub shows {} annotations of a step", self.what, self.most);
        out.write_all(self.line(&format!("{more} more"), None, &message).as_bytes())
    }

    fn line(&self, title: &str, place: Option<Place>, message: &str) -> String {
        let mut line = format!("::{} ", self.command);
        if let Some(Place { file, line: number }) = place {
            line.push_str(&format!("file={},", value(&file)));
            line.extend(number.map(|number| format!("line={number},")));
        }
        line.push_str(&format!("title={}::{}\n", value(title), data(message)));
        line
    }
}

/// Text behind the command, as GitHub reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of the command.
fn value(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use streamresult::{Records, StreamResult};
    use subunit::{File, Tags};

    use super::*;

    fn check(most: u64, events: &[Event<'_>], expected: &str) {
        let mut records = Records::new(GithubAnnotations::new(Vec::new(), Some("/srv/app/"), most));
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let out = records.into_sink().finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn failure<'a>(test_id: &'a str, text: &'a [u8]) -> Event<'a> {
        Event { file: Some(File { name: "traceback", bytes: text }), ..Event::status(test_id, Status::Fail) }
    }

    #[test]
    fn a_failure_is_an_error_at_its_place() {
        check(
            10,
            &[
                failure("a", b"/srv/app/src/a.rs:7:1: it broke\n100%\n"),
                Event { tags: Tags::from(&["flaky"]), ..Event::status("b", Status::Success) },
                Event::status("c", Status::InProgress),
                Event::status("d", Status::Skip),
                Event { test_id: None, ..Event::status("", Status::Fail) },
            ],
            "::error file=src/a.rs,line=7,title=a::/srv/app/src/a.rs:7:1: it broke%0A%0A/srv/app/src/a.rs:7:1: it broke%0A100%25\n\
             ::warning title=b::passed only when it was tried again\n\
             ::error title=(the run as a whole)::failed\n\
             ::error title=c::began and did not finish\n",
        );
    }

    #[test]
    fn nothing_of_a_test_is_a_command() {
        check(
            10,
            &[failure("a,b::c\n::error::x", b"::stop-commands::x\r\n")],
            "::error title=a%2Cb%3A%3Ac\\n%3A%3Aerror%3A%3Ax::::stop-commands::x%0A%0A::stop-commands::x\\r\n",
        );
    }

    #[test]
    fn where_there_are_more_the_last_says_how_many() {
        let fails = |count| vec![Event::status("a", Status::Fail); count];
        let line = "::error title=a::failed\n";
        check(2, &fails(2), &line.repeat(2));
        check(
            2,
            &fails(5),
            &format!(
                "{line}::error title=4 more::4 more tests failed: GitHub shows 2 annotations of a step\n"
            ),
        );
        check(0, &fails(5), "");
    }
}
