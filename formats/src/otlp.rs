//! A run as spans of OpenTelemetry: OTLP in JSON, as collectors take it at `/v1/traces`.
//!
//! The run is one span, and each test one below it. They have the attributes of two conventions, since neither is
//! stable: those of tests (`test.case.name`, `test.case.result.status`) and those of pipelines
//! (`cicd.pipeline.task.*`), which have words for a skip and for a worker. Why a test failed is an event `exception`.
//!
//! The tests stand before the run, so that the document is written while the run goes on and none of it is kept.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io::{self, Write};

use streamresult::{Outcome, Record, RecordSink, RunVerdict, Summary};
use subunit::{Event, Status, Timestamp};

use crate::json::Object;
use crate::span::Span;
use crate::why::Why;

/// The evidence of a failure is kept up to this many bytes: its end.
const EVIDENCE: usize = 16 << 10;
/// The codes of a span's status.
const UNSET: u64 = 0;
const OK: u64 = 1;
const ERROR: u64 = 2;
/// The kind of a span that is neither asked for nor asks.
const INTERNAL: u64 = 1;

/// The trace that spans belong to, and the span above them if there is one.
///
/// ```
/// use formats::otlp::TraceParent;
///
/// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let parent: TraceParent = header.parse().unwrap();
/// assert_eq!(parent.span, Some(0xb7ad6b7169203331));
/// assert!("00-0-0-01".parse::<TraceParent>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The id of the trace; not 0.
    pub trace: u128,
    /// The id of the span above; not 0.
    pub span: Option<u64>,
}

impl TraceParent {
    /// A trace of its own, by chance.
    #[must_use]
    pub fn random() -> Self {
        let half = || u128::from(RandomState::new().hash_one(0));
        TraceParent { trace: (half() << 64 | half()).max(1), span: None }
    }
}

/// What is no `traceparent` of W3C's Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTraceParent;

impl std::fmt::Display for NoTraceParent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("not a traceparent (00-TRACE-SPAN-FLAGS, in hexadecimal digits)")
    }
}

impl std::error::Error for NoTraceParent {}

impl std::str::FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Reads the value of the header `traceparent`, or of the variable `TRACEPARENT`.
    ///
    /// # Errors
    ///
    /// If it is not in that form, or an id is 0.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let mut parts = text.trim().split('-');
        let mut part = |len: usize| {
            parts.next().filter(|part| part.len() == len && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let [_, trace, span, flags] = [part(2), part(32), part(16), part(2)];
        flags.ok_or(NoTraceParent)?;
        let trace = trace.and_then(|trace| u128::from_str_radix(trace, 16).ok()).filter(|trace| *trace != 0);
        let span = span.and_then(|span| u64::from_str_radix(span, 16).ok()).filter(|span| *span != 0);
        Ok(TraceParent { trace: trace.ok_or(NoTraceParent)?, span: Some(span.ok_or(NoTraceParent)?) })
    }
}

/// Writes the spans of a run as it goes on.
///
/// ```
/// use formats::otlp::{OtlpReport, TraceParent};
/// use streamresult::{Records, StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let report = OtlpReport::new(Vec::new(), "nightly", TraceParent { trace: 1, span: None });
/// let mut records = Records::new((report, Summary::new()));
/// records.status(&Event::status("boot", Status::Success))?;
/// records.stop_run()?;
/// let (report, summary) = records.into_sink();
/// assert!(report.finish(&summary, true)?.starts_with(b"{\"resourceSpans\":[{"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OtlpReport<W> {
    out: W,
    /// Bytes of the document that wait.
    line: Vec<u8>,
    name: String,
    parent: TraceParent,
    /// The span of the run; those of its tests have the numbers behind it.
    run: u64,
    spans: u64,
    span_of_run: Span,
}

impl<W: Write> OtlpReport<W> {
    /// The spans of a run of this name, in that trace.
    pub fn new(out: W, name: &str, parent: TraceParent) -> Self {
        // Ids only have to differ within the trace.
        let run = (parent.trace as u64 ^ (parent.trace >> 64) as u64 ^ parent.span.unwrap_or_default()) | 1;
        let mut line = Vec::new();
        let mut document = Object::new(&mut line);
        document.key("resourceSpans").push(b'[');
        let mut resource_spans = Object::new(&mut line);
        let mut resource = Object::new(resource_spans.key("resource"));
        push_attributes(&[("service.name", Value::Text(name))], &mut resource);
        resource.end();
        resource_spans.key("scopeSpans").push(b'[');
        let mut scope_spans = Object::new(&mut line);
        let mut scope = Object::new(scope_spans.key("scope"));
        scope.string("name", "subunit2otlp");
        scope.end();
        scope_spans.key("spans").extend_from_slice(b"[\n");
        OtlpReport { out, line, name: name.to_owned(), parent, run, spans: 0, span_of_run: Span::default() }
    }

    /// Writes the span of the run, and the end of the document. A run that did not come to its end was aborted,
    /// whatever its tests did so far.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self, summary: &Summary, is_whole: bool) -> io::Result<W> {
        let times =
            (self.span_of_run.first().unwrap_or_default(), self.span_of_run.last().unwrap_or_default());
        let name = self.name.clone();
        let (state, result, code) = match summary.verdict() {
            RunVerdict::Failed => ("failure", "failure", ERROR),
            _ if !is_whole => ("aborted", "cancellation", ERROR),
            RunVerdict::Passed => ("success", "success", OK),
            RunVerdict::Nothing => ("skipped", "skip", UNSET),
        };
        let parent = self.parent.span;
        let id = self.run;
        self.span(id, parent, &name, times, |span| {
            let attributes = [
                ("test.suite.name", Value::Text(&name)),
                ("test.suite.run.status", Value::Text(state)),
                ("cicd.pipeline.name", Value::Text(&name)),
                ("cicd.pipeline.result", Value::Text(result)),
            ];
            push_attributes(&attributes, span);
            push_status(code, &summary.to_string(), span);
        });
        self.line.extend_from_slice(b"\n]}]}]}\n");
        self.out.write_all(&self.line)?;
        Ok(self.out)
    }

    /// Writes a test's span.
    fn test(
        &mut self,
        name: &str,
        times: (Timestamp, Timestamp),
        rest: impl FnOnce(&mut Object<'_>),
    ) -> io::Result<()> {
        self.spans += 1;
        let id = self.run.wrapping_add(self.spans.wrapping_mul(2));
        self.span(id, Some(self.run), name, times, rest);
        self.line.extend_from_slice(b",\n");
        self.out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    fn span(
        &mut self,
        id: u64,
        parent: Option<u64>,
        name: &str,
        (start, end): (Timestamp, Timestamp),
        rest: impl FnOnce(&mut Object<'_>),
    ) {
        let trace = self.parent.trace;
        let mut span = Object::new(&mut self.line);
        span.string("traceId", &format!("{trace:032x}"));
        span.string("spanId", &format!("{id:016x}"));
        if let Some(parent) = parent {
            span.string("parentSpanId", &format!("{parent:016x}"));
        }
        span.string("name", name);
        span.number("kind", INTERNAL);
        span.string("startTimeUnixNano", &start.since_epoch().as_nanos().to_string());
        span.string("endTimeUnixNano", &end.max(start).since_epoch().as_nanos().to_string());
        rest(&mut span);
        span.end();
    }
}

impl<W: Write> RecordSink for OtlpReport<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        self.span_of_run.add_record(record);
        // One without a time was there when others were.
        let latest = self.span_of_run.last().unwrap_or_default();
        let times = record.first().zip(record.last()).unwrap_or((latest, latest));
        let why = Why::of(record, EVIDENCE)?.unwrap_or_default();
        let outcome = record.outcome();
        self.test(record.test_id(), times, |span| {
            let id = Value::Text(record.test_id());
            let mut attributes = vec![
                ("test.case.name", id.clone()),
                ("cicd.pipeline.task.name", id),
                ("cicd.pipeline.task.type", Value::Text("test")),
                ("cicd.pipeline.task.run.result", Value::Text(task_result(outcome))),
                ("subunit.status", Value::Text(outcome.as_str())),
            ];
            attributes
                .extend(case_status(outcome).map(|status| ("test.case.result.status", Value::Text(status))));
            attributes.extend(record.route_code().map(|route| ("cicd.worker.name", Value::Text(route))));
            if !record.tags().is_empty() {
                attributes.push(("subunit.tags", Value::Texts(record.tags().iter().collect())));
            }
            if outcome == Outcome::Skip {
                attributes.push(("subunit.reason", Value::Text(&why.message)));
            }
            push_attributes(&attributes, span);
            if outcome.is_failure() {
                push_exception(&why, times.1, span);
            }
            push_status(if outcome.is_failure() { ERROR } else { OK }, &why.message, span);
        })
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() {
            return Ok(());
        }
        let why = Why::of_run(event);
        let time = event.timestamp.or(self.span_of_run.last()).unwrap_or_default();
        self.test("(the run as a whole)", (time, time), |span| {
            push_exception(&why, time, span);
            push_status(ERROR, &why.message, span);
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The word of the convention of tests, which has no others.
fn case_status(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Success | Outcome::XFail => Some("pass"),
        Outcome::Fail | Outcome::UxSuccess | Outcome::Unfinished => Some("fail"),
        Outcome::Skip | Outcome::Exists => None,
    }
}

/// The word of the convention of pipelines.
fn task_result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success | Outcome::XFail => "success",
        Outcome::Fail | Outcome::UxSuccess => "failure",
        Outcome::Unfinished => "error",
        Outcome::Skip | Outcome::Exists => "skip",
    }
}

fn push_exception(why: &Why, time: Timestamp, span: &mut Object<'_>) {
    let mut attributes = vec![("exception.message", Value::Text(&why.message))];
    attributes.extend(why.kind.as_deref().map(|kind| ("exception.type", Value::Text(kind))));
    if !why.text.is_empty() {
        attributes.push(("exception.stacktrace", Value::Text(&why.text)));
    }
    span.list("events", [attributes], |attributes, out| {
        let mut event = Object::new(out);
        event.string("timeUnixNano", &time.since_epoch().as_nanos().to_string());
        event.string("name", "exception");
        push_attributes(&attributes, &mut event);
        event.end();
    });
}

/// The value of an attribute.
#[derive(Clone, Debug)]
enum Value<'a> {
    Text(&'a str),
    Texts(Vec<&'a str>),
}

fn push_attributes(attributes: &[(&str, Value<'_>)], object: &mut Object<'_>) {
    object.list("attributes", attributes, |(name, value), out| {
        let mut attribute = Object::new(out);
        attribute.string("key", name);
        let mut typed = Object::new(attribute.key("value"));
        match value {
            Value::Text(text) => typed.string("stringValue", text),
            Value::Texts(texts) => {
                let mut array = Object::new(typed.key("arrayValue"));
                array.list("values", texts, |text, out| {
                    let mut value = Object::new(out);
                    value.string("stringValue", text);
                    value.end();
                });
                array.end();
            }
        }
        typed.end();
        attribute.end();
    });
}

fn push_status(code: u64, message: &str, span: &mut Object<'_>) {
    let mut status = Object::new(span.key("status"));
    status.number("code", code);
    if code == ERROR {
        status.string("message", message);
    }
    status.end();
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use streamresult::{Records, StreamResult};
    use subunit::{File, Tags};

    use super::*;

    /// The spans of a run.
    fn spans(events: &[Event<'_>], is_whole: bool) -> Vec<Json> {
        let parent = TraceParent { trace: 0xAB, span: Some(0x10) };
        let mut records = Records::new((OtlpReport::new(Vec::new(), "nightly", parent), Summary::new()));
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        let (report, summary) = records.into_sink();
        let document: Json = serde_json::from_slice(&report.finish(&summary, is_whole).unwrap()).unwrap();
        let resource = &document["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "nightly");
        resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }

    fn attribute<'a>(span: &'a Json, name: &str) -> &'a Json {
        let attributes = span["attributes"].as_array().unwrap();
        attributes
            .iter()
            .find(|attribute| attribute["key"] == name)
            .map_or(&Json::Null, |found| &found["value"])
    }

    #[test]
    fn a_run_without_tests_is_one_span_and_no_success() {
        let spans = spans(&[], true);
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0]["traceId"], "000000000000000000000000000000ab");
        assert_eq!(spans[0]["parentSpanId"], "0000000000000010");
        assert_eq!(attribute(&spans[0], "cicd.pipeline.result"), &json!({ "stringValue": "skip" }));
        assert_eq!(spans[0]["status"], json!({ "code": 0 }));
    }

    #[test]
    fn a_run_that_was_cut_off_is_no_success() {
        let check = |status, is_whole, expected: &str| {
            let spans = spans(&[Event::status("a", status)], is_whole);
            let state = attribute(spans.last().unwrap(), "test.suite.run.status");
            assert_eq!(state, &json!({ "stringValue": expected }));
        };
        check(Status::Success, true, "success");
        check(Status::Success, false, "aborted");
        check(Status::Fail, false, "failure");
    }

    #[test]
    fn a_test_is_a_span_below_the_run() {
        let at = |seconds| Timestamp::new(seconds, 5);
        let file = Some(File { name: "traceback", bytes: b"ValueError: 1" });
        let spans = spans(
            &[
                Event {
                    timestamp: at(1),
                    route_code: Some("ash/0"),
                    ..Event::status("a", Status::InProgress)
                },
                Event {
                    timestamp: at(3),
                    route_code: Some("ash/0"),
                    file,
                    ..Event::status("a", Status::Fail)
                },
                Event { tags: Tags::from(&["x", "y"]), ..Event::status("b", Status::Skip) },
            ],
            true,
        );
        let [a, b, run] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(
            (&a["startTimeUnixNano"], &a["endTimeUnixNano"]),
            (&json!("1000000005"), &json!("3000000005"))
        );
        assert_eq!((&a["parentSpanId"], &b["parentSpanId"]), (&run["spanId"], &run["spanId"]));
        assert_ne!(a["spanId"], b["spanId"]);
        assert_eq!(a["status"], json!({ "code": 2, "message": "1" }));
        assert_eq!(
            a["events"][0]["attributes"][1],
            json!({ "key": "exception.type", "value": { "stringValue": "ValueError" } })
        );
        assert_eq!(attribute(a, "test.case.result.status"), &json!({ "stringValue": "fail" }));
        assert_eq!(attribute(b, "test.case.result.status"), &Json::Null);
        let tags = json!({ "arrayValue": { "values": [{ "stringValue": "x" }, { "stringValue": "y" }] } });
        assert_eq!(attribute(b, "subunit.tags"), &tags);
        assert_eq!(
            (&run["startTimeUnixNano"], &run["endTimeUnixNano"]),
            (&json!("1000000005"), &json!("3000000005"))
        );
        assert_eq!(run["status"]["code"], 2);
    }

    #[test]
    fn a_trace_parent_is_that_of_w3c() {
        let check = |text: &str| text.parse::<TraceParent>().is_ok();
        assert!(check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert!(!check("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
        assert!(!check("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
        assert!(!check("0af7651916cd43dd8448eb211c80319c") && !check(""));
        assert_ne!(TraceParent::random().trace, TraceParent::random().trace);
    }
}
