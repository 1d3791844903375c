//! A test's result as the renderings see it.

use std::io;
use std::time::Duration;

use streamresult::{Outcome, Record, RecordSink};
use subunit::Timestamp;

use crate::perfdata::Measured;

/// A check's own texts and numbers are shorter by far.
const LONGEST: usize = 1 << 20;

/// How a test stands, for those who tell more than success from failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    // From the mildest to the gravest: that nothing is known is worse than a warning, since it may hide worse.
    Ok,
    /// A failure that is known and expected.
    Expected,
    Skipped,
    Warning,
    Unknown,
    Critical,
}

impl Standing {
    fn of(record: &Record<'_>) -> Self {
        let tags = record.tags();
        let is = |tag| tags.contains(tag);
        match record.outcome() {
            Outcome::Success if is("warning") || is("failing") => Standing::Warning,
            Outcome::Success => Standing::Ok,
            Outcome::XFail => Standing::Expected,
            Outcome::Skip => Standing::Skipped,
            Outcome::UxSuccess => Standing::Warning,
            Outcome::Fail if is("unknown") || is("interrupted") => Standing::Unknown,
            Outcome::Fail if is("warning") => Standing::Warning,
            Outcome::Fail => Standing::Critical,
            // It never ran, or never ended.
            Outcome::Exists | Outcome::Unfinished => Standing::Unknown,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Standing::Ok => "ok",
            Standing::Expected => "expected",
            Standing::Skipped => "skipped",
            Standing::Warning => "warning",
            Standing::Unknown => "unknown",
            Standing::Critical => "critical",
        }
    }
}

/// A test's result.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) route: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) standing: Standing,
    /// Whether it succeeded, though not at once.
    pub(super) is_flaky: bool,
    pub(super) tags: Vec<String>,
    pub(super) reason: String,
    pub(super) summary: String,
    /// What would be done.
    pub(super) plan: String,
    pub(super) metrics: Vec<Measured>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) duration: Option<Duration>,
}

impl Shown {
    pub(super) fn new(record: &Record<'_>) -> Self {
        let text = |name| {
            let text = record.attachment(name).and_then(|file| file.text(LONGEST).ok());
            text.unwrap_or_default().trim_end().to_owned()
        };
        let metrics = record.attachment("metrics.json").and_then(|file| file.head(LONGEST).ok());
        Shown {
            id: record.test_id().to_owned(),
            route: record.route_code().map(str::to_owned),
            outcome: record.outcome(),
            standing: Standing::of(record),
            is_flaky: record.is_flaky() && Standing::of(record) == Standing::Ok,
            tags: record.tags().iter().map(str::to_owned).collect(),
            reason: text("reason"),
            summary: text("summary"),
            plan: text("plan"),
            metrics: Measured::read(&metrics.unwrap_or_default()),
            first: record.first(),
            last: record.last(),
            duration: record.duration(),
        }
    }

    /// The check, the target and the aspect of the id.
    pub(super) fn parts(&self) -> (&str, &str, &str) {
        let (check, rest) = self.id.split_once('.').unwrap_or((&self.id, ""));
        let (target, aspect) = rest.split_once('.').unwrap_or((rest, ""));
        (check, target, aspect)
    }

    /// What there is to say: the reason, else what was found; of a test that never ended, that.
    pub(super) fn words(&self) -> &str {
        match self.outcome {
            Outcome::Exists => "it was not run",
            Outcome::Unfinished => "it did not end",
            _ if self.reason.is_empty() => &self.summary,
            _ => &self.reason,
        }
    }
}

/// Takes the results of tests.
pub(super) trait Sink {
    /// The result of a test, once for each.
    fn test(&mut self, test: Shown) -> io::Result<()>;
}

/// From records to results: what was announced and never ran is a result, too, at the end.
pub(super) struct Results<S> {
    sink: S,
    announced: Vec<Shown>,
}

impl<S: Sink> Results<S> {
    pub(super) fn new(sink: S) -> Self {
        Results { sink, announced: Vec::new() }
    }

    pub(super) fn into_sink(self) -> S {
        self.sink
    }
}

impl<S: Sink> RecordSink for Results<S> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let test = Shown::new(record);
        if test.outcome == Outcome::Exists {
            self.announced.push(test);
            return Ok(());
        }
        self.announced.retain(|other| other.id != test.id || other.route != test.route);
        self.sink.test(test)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        std::mem::take(&mut self.announced).into_iter().try_for_each(|test| self.sink.test(test))
    }
}

#[cfg(test)]
pub(super) mod testing {
    use streamresult::{Records, StreamResult};
    use subunit::{Event, Status, Tags, Timestamp};

    use super::{Results, Sink};

    /// Hands the records of five tests to a sink: fine, over a warning, unknown, skipped, never ended.
    pub(in crate::render) fn records<S: Sink>(sink: S) -> S {
        let mut records = Records::new(Results::new(sink));
        let mut say = |event: Event<'_>, seconds| {
            let timestamp = Timestamp::new(seconds, 500_000_000);
            records.status(&Event { timestamp, route_code: Some("host"), ..event }).unwrap();
        };
        let file = |id, name, bytes| Event { test_id: Some(id), ..Event::file(name, bytes) };
        let metrics = br#"{"load":{"value":1.5,"unit":"%","warning":"1","critical":null},"time_seconds_p95":{"value":2,"unit":"s"}}"#;
        for id in ["fake.a.up", "fake.b.end"] {
            say(Event::status(id, Status::Exists), 9);
        }
        say(Event::status("fake.a.up", Status::InProgress), 10);
        say(file("fake.a.up", "summary", b"it is up"), 10);
        say(Event::status("fake.a.up", Status::Success), 12);
        say(file("fake.a.load", "reason", b"load = 1.5 % | high\nvery"), 12);
        say(file("fake.a.load", "metrics.json", metrics), 12);
        say(Event { tags: Tags::from(&["warning"]), ..Event::status("fake.a.load", Status::Success) }, 13);
        say(file("fake.b \"x\".up", "reason", b"no permission"), 13);
        let unknown = Tags::from(&["unknown", "infrastructure"]);
        say(Event { tags: unknown, ..Event::status("fake.b \"x\".up", Status::Fail) }, 13);
        say(Event::status("fake.b.load", Status::Skip), 14);
        records.stop_run().unwrap();
        records.into_sink().into_sink()
    }
}
