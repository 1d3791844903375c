//! The Common Test Report Format: a run as one JSON document.
//!
//! The tests stand before the summary, so that the report is written while the run goes on and none of it is kept.
//! Times are in milliseconds since 1970. Of five statuses, `skipped` is also a test that failed as expected, and
//! `failed` also one that passed unexpectedly or never ended: `rawStatus` has the protocol's word.

use std::io::{self, Write};
use std::time::Duration;

use streamresult::{Outcome, Record, RecordSink, Summary};
use subunit::{Event, Status, Timestamp};

use crate::json::Object;
use crate::span::Span;
use crate::why::Why;

/// The evidence of a failure is kept up to this many bytes: its end.
const EVIDENCE: usize = 64 << 10;

/// Writes a report as the run goes on.
///
/// ```
/// use formats::ctrf::CtrfReport;
/// use streamresult::{Records, StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new((CtrfReport::new(Vec::new(), "pytest"), Summary::new()));
/// records.start_run()?;
/// records.status(&Event::status("boot", Status::Success))?;
/// records.stop_run()?;
/// let (report, summary) = records.into_sink();
/// assert!(report.finish(&summary)?.ends_with(b"\"start\":0,\"stop\":0}}}\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CtrfReport<W> {
    out: W,
    /// Bytes of the document that wait.
    line: Vec<u8>,
    tool: String,
    counts: Counts,
    span: Span,
}

#[derive(Debug, Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl<W: Write> CtrfReport<W> {
    /// A report of a run of this tool.
    pub fn new(out: W, tool: &str) -> Self {
        let tool = if tool.is_empty() { "subunit" } else { tool }.to_owned();
        let mut report =
            CtrfReport { out, line: Vec::new(), tool, counts: Counts::default(), span: Span::default() };
        report.head();
        report
    }

    fn head(&mut self) {
        let mut report = Object::new(&mut self.line);
        report.string("reportFormat", "CTRF");
        report.string("specVersion", "0.0.0");
        report.string("generatedBy", "subunit2json");
        let mut results = Object::new(report.key("results"));
        let mut tool = Object::new(results.key("tool"));
        tool.string("name", &self.tool);
        tool.end();
        results.key("tests").extend_from_slice(b"[\n");
    }

    /// Writes the end of the report.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self, summary: &Summary) -> io::Result<W> {
        self.line.extend_from_slice(b"\n],\"summary\":");
        let mut object = Object::new(&mut self.line);
        let Counts { passed, failed, skipped } = self.counts;
        object.number("tests", passed + failed + skipped);
        object.number("passed", passed);
        object.number("failed", failed);
        object.number("skipped", skipped);
        object.number("pending", 0);
        object.number("other", 0);
        object.number("flaky", summary.flaky());
        object.number("start", milliseconds(self.span.first().unwrap_or_default()));
        object.number("stop", milliseconds(self.span.last().unwrap_or_default()));
        object.end();
        self.line.extend_from_slice(b"}}\n");
        self.out.write_all(&self.line)?;
        Ok(self.out)
    }
}

impl<W: Write> CtrfReport<W> {
    /// Writes a test, and counts it.
    fn test(&mut self, name: &str, outcome: Outcome, rest: impl FnOnce(&mut Object<'_>)) -> io::Result<()> {
        if self.counts.passed + self.counts.failed + self.counts.skipped > 0 {
            self.line.extend_from_slice(b",\n");
        }
        let (status, count) = match outcome {
            Outcome::Success | Outcome::Exists => ("passed", &mut self.counts.passed),
            Outcome::Skip | Outcome::XFail => ("skipped", &mut self.counts.skipped),
            Outcome::Fail | Outcome::UxSuccess | Outcome::Unfinished => ("failed", &mut self.counts.failed),
        };
        *count += 1;
        let mut test = Object::new(&mut self.line);
        test.string("name", if name.is_empty() { "(empty id)" } else { name });
        test.string("status", status);
        test.string("rawStatus", outcome.as_str());
        rest(&mut test);
        test.end();
        self.out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> RecordSink for CtrfReport<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        self.span.add_record(record);
        let why = Why::of(record, EVIDENCE)?;
        self.test(record.test_id(), record.outcome(), |test| {
            push_times(record, test);
            if let Some(route) = record.route_code().filter(|route| !route.is_empty()) {
                test.string("threadId", route);
            }
            if !record.tags().is_empty() {
                test.strings("tags", record.tags().iter());
            }
            if record.is_flaky() {
                test.truth("flaky", true);
            }
            why.iter().for_each(|why| push_why(why, test));
        })
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() {
            return Ok(());
        }
        let why = Why::of_run(event);
        self.test("(the run as a whole)", Outcome::of(Some(status)), |test| {
            test.number("duration", 0);
            push_why(&why, test);
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn push_times(record: &Record<'_>, test: &mut Object<'_>) {
    test.number("duration", whole_milliseconds(record.duration().unwrap_or_default()));
    for (key, time) in [("start", record.first()), ("stop", record.last())] {
        if let Some(time) = time {
            test.number(key, milliseconds(time));
        }
    }
}

fn push_why(why: &Why, test: &mut Object<'_>) {
    test.string("message", &why.message);
    if !why.text.is_empty() {
        test.string("trace", &why.text);
    }
    if let Some(place) = &why.place {
        test.string("filePath", &place.file);
        place.line.iter().for_each(|line| test.number("line", u64::from(*line)));
    }
}

fn milliseconds(time: Timestamp) -> u64 {
    whole_milliseconds(time.since_epoch())
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use streamresult::{Records, StreamResult};
    use subunit::{File, Tags};

    use super::*;

    fn report(events: &[Event<'_>]) -> Value {
        let mut records = Records::new((CtrfReport::new(Vec::new(), ""), Summary::new()));
        records.start_run().unwrap();
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let (report, summary) = records.into_sink();
        let mut document: Value = serde_json::from_slice(&report.finish(&summary).unwrap()).unwrap();
        document["results"].take()
    }

    #[test]
    fn an_empty_run_is_a_whole_report() {
        let results = report(&[]);
        let summary = json!({
            "tests": 0, "passed": 0, "failed": 0, "skipped": 0, "pending": 0, "other": 0, "flaky": 0, "start": 0, "stop": 0
        });
        assert_eq!(results, json!({ "tool": { "name": "subunit" }, "tests": [], "summary": summary }));
    }

    #[test]
    fn each_outcome_has_a_status() {
        let traceback = Some(File { name: "traceback", bytes: b"src/a.rs:7:1: it broke" });
        let at = |seconds| Timestamp::new(seconds, 500_000_000);
        let results = report(&[
            Event { timestamp: at(1), route_code: Some("ash/0"), ..Event::status("a", Status::InProgress) },
            Event {
                timestamp: at(3),
                route_code: Some("ash/0"),
                file: traceback,
                ..Event::status("a", Status::Fail)
            },
            Event { tags: Tags::from(&["flaky"]), ..Event::status("", Status::Success) },
            Event::status("b", Status::XFail),
            Event::status("c", Status::InProgress),
            Event { test_id: None, ..Event::status("", Status::Fail) },
            Event::status("e", Status::Exists),
        ]);
        let expected = json!([
            {
                "name": "a", "status": "failed", "rawStatus": "fail", "duration": 2000, "start": 1500, "stop": 3500,
                "threadId": "ash/0", "message": "src/a.rs:7:1: it broke", "trace": "src/a.rs:7:1: it broke",
                "filePath": "src/a.rs", "line": 7
            },
            {
                "name": "(empty id)", "status": "passed", "rawStatus": "success", "duration": 0, "tags": ["flaky"],
                "flaky": true
            },
            { "name": "b", "status": "skipped", "rawStatus": "xfail", "duration": 0, "message": "failed as expected" },
            {
                "name": "(the run as a whole)", "status": "failed", "rawStatus": "fail", "duration": 0,
                "message": "failed"
            },
            {
                "name": "c", "status": "failed", "rawStatus": "unfinished", "duration": 0,
                "message": "began and did not finish"
            }
        ]);
        assert_eq!(results["tests"], expected);
        let summary = &results["summary"];
        assert_eq!(
            (&summary["tests"], &summary["failed"], &summary["start"], &summary["stop"]),
            (&json!(5), &json!(3), &json!(1500), &json!(3500))
        );
    }
}
