//! Shows tests to people, as subunit2text does, or their packets to programs.

use std::io::{self, BufWriter, Read, Write};
use std::time::Duration;

use anyhow::Context as _;
use cli::{ColorArgs, JsonArgs, OutputArgs, PassthroughArgs, Shared, Streams};
use formats::harmless::HarmlessWriter;
use formats::text::{self, Conclusion, TextReport};
use repository::{Failure, TestResult};
use streamresult::{Outcome, PROPERTIES_FILE, StreamResult, from_fn};
use subunit::{Event, File, Status, TEXT_TYPE, Timestamp};

/// How a report looks, and where it goes.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ReportArgs {
    /// Write packets, and nothing else, to stdout
    #[arg(long)]
    pub(super) subunit: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
    #[command(flatten)]
    display: DisplayArgs,
}

/// A report, or the same for programs.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ReportOrJsonArgs {
    #[command(flatten)]
    pub(super) report: ReportArgs,
    #[command(flatten)]
    pub(super) form: JsonArgs,
}

/// How a report looks.
#[derive(clap::Args, Clone, Copy, Debug)]
struct DisplayArgs {
    /// Show a line for each test, too
    #[arg(short, long, conflicts_with = "subunit")]
    verbose: bool,
    /// Show the output of all tests, not only of those that failed, and in full, not only 1 MiB of each attachment
    #[arg(long, conflicts_with = "subunit")]
    all_output: bool,
    /// Show only the summary of the run, without single results and failures
    #[arg(long, conflicts_with_all = ["subunit", "all_output", "verbose"])]
    summary_only: bool,
    /// List the N slowest tests; 5 by default, when there are more
    #[arg(long, value_name = "N", conflicts_with = "subunit")]
    slowest: Option<usize>,
    /// Group failures by what they have in common; with `route`, also count the tests of each route
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "subunit")]
    group: Option<Group>,
    #[command(flatten)]
    color: ColorArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Group {
    Route,
    Status,
}

/// Takes what is to be shown.
pub(super) type Sink<'s> = &'s mut dyn StreamResult;

impl ReportArgs {
    /// Copies a stream to where the report would go.
    pub(super) fn copy(&self, mut stream: impl Read, streams: Streams<'_>) -> anyhow::Result<()> {
        self.refuse_terminal(&streams)?;
        let mut out = self.output.open(&Shared::new(streams.output))?;
        io::copy(&mut stream, &mut out)?;
        Ok(out.finish()?)
    }

    fn refuse_terminal(&self, streams: &Streams<'_>) -> anyhow::Result<()> {
        if self.output.is_stdout() { streams.terminal.refuse_packets() } else { Ok(()) }
    }

    /// Writes the events that `feed` gives as packets.
    pub(super) fn packets(
        &self,
        streams: Streams<'_>,
        feed: impl FnOnce(Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.refuse_terminal(&streams)?;
        let mut writer = subunit::io::Writer::new(self.output.open(&Shared::new(streams.output))?);
        let fed = feed(&mut writer);
        writer.into_inner()?.finish()?;
        fed
    }

    /// Writes a report of the events that `feed` gives. What it gave before an error is shown, too.
    pub(super) fn text(
        &self,
        streams: Streams<'_>,
        ending: Conclusion<'_>,
        feed: impl FnOnce(Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let interrupt = streams.interrupt.clone();
        let color = self.output.is_stdout() && self.display.color.output(&streams.terminal);
        let out = BufWriter::new(self.output.open(&Shared::new(streams.output))?);
        let mut report = TextReport::new(out, self.display.options(color));
        let mut silence = io::sink();
        let mut loose = HarmlessWriter::new(match self.passthrough.no_passthrough {
            true => &mut silence,
            false => streams.errors,
        });
        let beside = from_fn(|event: &Event<'_>| match event.file {
            Some(file) if file.name == PROPERTIES_FILE => Ok(()),
            Some(file) if event.test_id.is_none() && event.status.is_none() => loose.write_all(file.bytes),
            _ => Ok(()),
        });
        let fed = feed(&mut (&mut report, beside));
        let ending = Conclusion {
            incomplete: ending.incomplete || fed.is_err(),
            interrupted: ending.interrupted || interrupt.has_come(),
            ..ending
        };
        let out = report.finish(ending).context("cannot write the report")?;
        let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.finish().context("cannot write the report")?;
        loose.finish()?;
        fed
    }

    /// Writes something else to where the report would go.
    pub(super) fn write(
        &self,
        output: &mut dyn Write,
        fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = BufWriter::new(self.output.open(&Shared::new(output))?);
        let filled = fill(&mut out);
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        filled
    }

    /// The same, with each test and all of its output.
    pub(super) fn whole(&self) -> Self {
        let display = DisplayArgs { verbose: true, all_output: true, ..self.display };
        ReportArgs { display, ..self.clone() }
    }
}

impl DisplayArgs {
    fn options(self, color: bool) -> text::TextOptions {
        text::TextOptions {
            lines: self.verbose,
            color,
            slowest: self.slowest,
            group: self.group.map(|group| match group {
                Group::Route => text::GroupBy::Route,
                Group::Status => text::GroupBy::Status,
            }),
            all_output: self.all_output,
            summary_only: self.summary_only,
        }
    }
}

/// The stored result of a test whose stream was pruned.
pub(super) struct StoredResult<'a> {
    pub(super) test_id: &'a str,
    pub(super) route_code: Option<&'a str>,
    pub(super) outcome: Outcome,
    pub(super) start: Option<Timestamp>,
    pub(super) duration: Option<Duration>,
}

impl<'a> From<&TestResult<'a>> for StoredResult<'a> {
    fn from(result: &TestResult<'a>) -> Self {
        let TestResult { test_id, route_code, outcome, start, duration, .. } = *result;
        StoredResult { test_id, route_code, outcome, start, duration }
    }
}

impl<'a> From<&'a Failure> for StoredResult<'a> {
    fn from(failure: &'a Failure) -> Self {
        let Failure { test_id, route_code, outcome, start, duration, .. } = failure;
        let (outcome, start, duration) = (*outcome, *start, *duration);
        StoredResult { test_id, route_code: route_code.as_deref(), outcome, start, duration }
    }
}

impl StoredResult<'_> {
    /// Gives events that say what is known of the test.
    pub(super) fn tell(&self, sink: Sink<'_>) -> io::Result<()> {
        let event = |status, timestamp| Event {
            route_code: self.route_code,
            timestamp,
            ..Event::status(self.test_id, status)
        };
        let end = self.start.zip(self.duration);
        let end =
            end.and_then(|(start, took)| Timestamp::from_epoch(start.since_epoch().saturating_add(took)));
        let status = match self.outcome {
            Outcome::Exists => return sink.status(&event(Status::Exists, self.start)),
            Outcome::Success => Some(Status::Success),
            Outcome::Fail => Some(Status::Fail),
            Outcome::UxSuccess => Some(Status::UxSuccess),
            Outcome::XFail => Some(Status::XFail),
            Outcome::Skip => Some(Status::Skip),
            Outcome::Unfinished => None,
        };
        sink.status(&event(Status::InProgress, self.start))?;
        let Some(status) = status else { return Ok(()) };
        sink.status(&event(status, end.or(self.start)))
    }
}

/// Gives an event that says that a run failed, and why.
pub(super) fn fail_run(sink: Sink<'_>, why: &str) -> io::Result<()> {
    sink.status(&Event {
        status: Some(Status::Fail),
        file: Some(File { name: "reason", bytes: why.as_bytes() }),
        mime_type: Some(TEXT_TYPE),
        eof: true,
        ..Event::default()
    })
}
