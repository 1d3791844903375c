//! The command `subunit2json`: a stream as lines of JSON.

use std::io::{Read, Write};

use anyhow::Context as _;
use cli::{Command, InputArgs, OutputArgs, PassthroughArgs, Shared, Streams, Verdict, VerdictArgs};
use formats::ctrf::CtrfReport;
use formats::json::FrameWriter;
use streamresult::{Records, Summary};
use subunit::Frame;
use subunit::io::Reader;

use crate::report::{ClosingLine, ReportArgs, ReportWriter, is_loose};

/// Convert a subunit stream to lines of JSON, or to a report in the Common Test Report Format
///
/// A line is a packet, or text between packets, or bytes that could not be read. Nothing is lost: json2subunit makes
/// the same bytes of it. Keys: id, status, route, time, tags, runnable, file (name and text, or base64 if the bytes
/// are not UTF-8), mime, eof; text or base64 alone is what stood between packets; damage is base64. A packet has only
/// the keys of what it says; it has runnable only when that is unusual: false with an id, or true without one.
///
/// With --ctrf it is a report: one JSON document with a summary and the tests, which exits by the verdict of the run.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2json",
    version,
    mut_args(requires_ctrf),
    after_help = cli::help!(
        [
            Passed = "the stream was converted; with --ctrf, the run succeeded",
            Failed = "with --ctrf: something failed",
            Nothing = "with --ctrf: no test ran",
        ],
        "  subunit2json run.subunit | jq -r 'select(.status == \"fail\") | .id'\n  \
           subunit2json run.subunit | sed 's/old/new/' | json2subunit\n  \
           subunit2json --ctrf --tool pytest -o ctrf-report.json run.subunit"
    )
)]
pub struct Json {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
    /// Write a report in the Common Test Report Format, not lines
    #[arg(long)]
    ctrf: bool,
    /// The tool whose tests these are, for the report
    #[arg(long, value_name = "NAME", default_value = "subunit")]
    tool: String,
    #[command(flatten)]
    verdict: VerdictArgs,
}

/// What is about a report is of no use without one.
fn requires_ctrf(arg: clap::Arg) -> clap::Arg {
    if matches!(arg.get_id().as_str(), "tool" | "exit_zero" | "allow_empty") {
        arg.requires("ctrf")
    } else {
        arg
    }
}

impl Command for Json {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if self.ctrf {
            return self.report(streams);
        }
        let input = self.input.open(streams.input, &streams.interrupt);
        let mut page = ReportWriter::new(self.output.open(&Shared::new(streams.output))?);
        convert(input, &mut page, !self.passthrough.no_passthrough)?;
        page.finish()?;
        Ok(Verdict::Passed)
    }
}

impl Json {
    fn report(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Json { input, output, passthrough, verdict, tool, .. } = self;
        let args = ReportArgs { input, output, passthrough, verdict, ..ReportArgs::default() };
        let (page, mut session) = args.open(streams)?;
        let (report, summary) = session.read(Records::new((CtrfReport::new(page, &tool), Summary::new())))?;
        let page = report.finish(&summary)?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

fn convert(input: impl Read, out: &mut impl Write, passthrough: bool) -> anyhow::Result<()> {
    let (mut writer, mut line) = (FrameWriter::default(), Vec::new());
    let take = |out: &mut _, frame: Frame<'_>, _| {
        if !passthrough && is_loose(&frame) {
            return Ok(());
        }
        line.clear();
        writer.push(&frame, &mut line);
        Write::write_all(out, &line).context("cannot write the lines")
    };
    Reader::new(input).each(out, take, |out| out.flush().context("cannot write the lines"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const STREAM: &[u8] = b"text\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b\xb3damaged";

    fn check(args: &[&str], expected: &str) {
        let outcome = cli::run_with::<Json>(args, STREAM);
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), (Verdict::Passed, "", expected));
    }

    #[test]
    fn the_arguments_are_sound() {
        Json::command().debug_assert();
    }

    #[test]
    fn a_line_is_a_frame() {
        let packet = "{\"id\":\"foo\",\"status\":\"exists\"}\n";
        let damage = "{\"damage\":\"s2RhbWFnZWQ=\",\"error\":\"version 6 instead of 2 (at byte 1)\"}\n";
        check(&[], &format!("{{\"text\":\"text\\n\"}}\n{packet}{damage}"));
        check(&["--no-passthrough"], &format!("{packet}{damage}"));
    }
}
