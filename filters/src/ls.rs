//! The command `subunit-ls`: the tests of a stream, one per line.

use std::io::{self, Write};

use cli::query::{Query, of_stream};
use cli::{Command, JsonArgs, Streams, Verdict};
use formats::json::Object;
use formats::{harmless, time};
use streamresult::{Details, Outcome, Record, RecordSink, Records, Summary};

use crate::report::{ClosingLine, ReportArgs, ReportWriter};

/// List the tests of a subunit stream
///
/// Tests are listed as they end; those that never do come last, in the order in which they began. Control characters
/// in an id are escaped, a newline as `\n`: each line is one test.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-ls",
    version,
    mut_arg("allow_empty", |arg| arg.hide(true)),
    after_help = cli::help!(
        lenient,
        "  subunit-ls run.subunit\n  \
           subunit-ls --times run.subunit | sort -k 2 -n | tail\n  \
           subunit-filter --no-skip <run.subunit | subunit-ls --routes\n  \
           subunit-ls --query 'is:fail,unfinished on:ash' run.subunit\n  \
           subunit-ls --json run.subunit | jq -r 'select(.status == \"fail\") | .id'"
    )
)]
pub struct Ls {
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    form: Form,
    /// List the tests that this query means, such as 'is:fail tag:slow >10s boot': see `subunit help selectors`
    #[arg(long, value_name = "QUERY", value_parser = of_stream, allow_hyphen_values = true)]
    query: Option<Query>,
}

/// What a line is made of.
#[derive(clap::Args, Clone, Copy, Debug)]
struct Form {
    /// Add the time that each test took, in seconds; 0.000 if the stream does not say
    #[arg(long)]
    times: bool,
    /// Also list tests that were only announced
    #[arg(long)]
    exists: bool,
    /// Begin each line with the route code and a tab
    #[arg(long = "routes", alias = "route")]
    route: bool,
    #[command(flatten)]
    json: JsonArgs,
}

impl Command for Ls {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.lenient().open(streams)?;
        let asks_for_tags = self.form.json.json || self.query.is_some();
        let list = List { page, form: self.form, query: self.query, lines: Vec::new() };
        let records = Records::new((list, Summary::new())).details(Details::None);
        let records = if asks_for_tags { records } else { records.without_tags() };
        let (list, summary) = session.read(records)?;
        session.end(list.page, &summary, ClosingLine::GlobalStatuses)
    }
}

/// At most this many bytes of lines wait.
const WAITING: usize = 32 << 10;

struct List<'a> {
    page: ReportWriter<'a>,
    form: Form,
    query: Option<Query>,
    /// Lines that were not written yet.
    lines: Vec<u8>,
}

impl List<'_> {
    fn write(&mut self) -> io::Result<()> {
        let written = self.page.write_all(&self.lines);
        self.lines.clear();
        written
    }
}

impl RecordSink for List<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists && !self.form.exists {
            return Ok(());
        }
        if self.query.as_ref().is_some_and(|query| !query.matches(record)) {
            return Ok(());
        }
        if self.form.json.json {
            push_object(record, &mut self.lines);
        } else {
            self.form.push_line(record, &mut self.lines);
        }
        self.lines.push(b'\n');
        if self.lines.len() < WAITING { Ok(()) } else { self.write() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.page.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.write()
    }
}

impl Form {
    fn push_line(self, record: &Record<'_>, line: &mut Vec<u8>) {
        if self.route {
            harmless::push_line(record.route_code_bytes().unwrap_or_default(), line);
            line.push(b'\t');
        }
        harmless::push_line(record.test_id_bytes(), line);
        if self.times {
            line.push(b' ');
            time::push_seconds(record.duration().unwrap_or_default(), line);
        }
    }
}

fn push_object(record: &Record<'_>, line: &mut Vec<u8>) {
    let mut object = Object::new(line);
    object.string("id", record.test_id());
    object.optional("route", record.route_code());
    object.string("status", record.outcome().as_str());
    object.strings("tags", record.tags().iter());
    let has_stopped = record.outcome() != Outcome::Unfinished;
    object.time("start", record.first());
    object.time("stop", record.last().filter(|_| has_stopped));
    object.seconds("duration", record.duration());
    object.end();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Status, Tags, Timestamp, encode};

    use super::*;

    fn stream(events: &[Event<'_>]) -> Vec<u8> {
        let mut stream = Vec::new();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        stream
    }

    fn run() -> Vec<u8> {
        let at = Timestamp::new;
        stream(&[
            Event::status("never", Status::InProgress),
            Event { timestamp: at(1, 0), route_code: Some("0"), ..Event::status("b", Status::InProgress) },
            Event::status("known", Status::Exists),
            Event { tags: Tags::from(&["x"]), ..Event::status("a\nb", Status::Skip) },
            Event {
                timestamp: at(3, 1_000_000),
                route_code: Some("0"),
                ..Event::status("b", Status::Success)
            },
        ])
    }

    fn check(args: &[&str], expected: &str) {
        let outcome = cli::run_with::<Ls>(args, &run());
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), (Verdict::Failed, "", expected));
    }

    #[test]
    fn the_arguments_are_sound() {
        Ls::command().debug_assert();
    }

    #[test]
    fn lists_each_test_once_as_it_ends_and_unfinished_ones_last() {
        check(&[], "a\\nb\nb\nnever\n");
        check(&["--exists"], "known\na\\nb\nb\nnever\n");
        check(&["--times"], "a\\nb 0.000\nb 2.001\nnever 0.000\n");
        check(&["--route"], "\ta\\nb\n0\tb\n\tnever\n");
        check(
            &["--json"],
            concat!(
                r#"{"id":"a\nb","route":null,"status":"skip","tags":["x"],"start":null,"stop":null,"duration":null}"#,
                "\n",
                r#"{"id":"b","route":"0","status":"success","tags":[],"start":"1970-01-01T00:00:01Z","stop":"1970-01-01T00:00:03.001Z","duration":2.001}"#,
                "\n",
                r#"{"id":"never","route":null,"status":"unfinished","tags":[],"start":null,"stop":null,"duration":null}"#,
                "\n"
            ),
        );
    }

    #[test]
    fn what_has_no_id_is_told_beside_the_list() {
        let stream = stream(&[Event { status: Some(Status::Fail), ..Event::file("log", b"text\n") }]);
        let outcome = cli::run_with::<Ls>(&["--no-passthrough"], &stream);
        let told = "statuses without a test id: 1 fail\n";
        assert_eq!((outcome.verdict, outcome.output(), outcome.errors()), (Verdict::Failed, "", told));
    }

    #[test]
    fn loose_text_is_no_test() {
        let outcome = cli::run_with::<Ls>(&[], b"make: done\n");
        assert_eq!(
            (outcome.verdict, outcome.output(), outcome.errors()),
            (Verdict::Passed, "", "make: done\n")
        );
        assert_eq!(cli::run_with::<Ls>(&["--no-passthrough"], b"make: done\n").errors(), "");
    }
}
