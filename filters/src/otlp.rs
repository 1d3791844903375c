//! The command `subunit2otlp`: a run as a trace.

use std::env;

use cli::{Command, Streams, Verdict};
use formats::otlp::{OtlpReport, TraceParent};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to spans of OpenTelemetry: OTLP in JSON
///
/// The run is a span, and each test one below it, with the attributes of OpenTelemetry's conventions for tests and for
/// pipelines; why a test failed is an event of its span. Collectors take the document at /v1/traces. Below a
/// $TRACEPARENT the run joins that trace.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2otlp",
    version,
    after_help = cli::help!(
        report,
        "  subunit2otlp --name nightly -o trace.json run.subunit\n  \
           subunit2otlp run.subunit | curl -H 'Content-Type: application/json' --data-binary @- \\\n    \
             http://localhost:4318/v1/traces"
    )
)]
pub struct Otlp {
    #[command(flatten)]
    report: ReportArgs,
    /// The name of the run, which is also that of the service
    #[arg(long, value_name = "NAME", default_value = "subunit")]
    name: String,
    /// The trace and the span that the run belongs to, as W3C's header has it; else $TRACEPARENT, or a new trace
    #[arg(long, value_name = "00-TRACE-SPAN-FLAGS")]
    traceparent: Option<TraceParent>,
}

impl Command for Otlp {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.open(streams)?;
        // A TRACEPARENT that cannot be read was not set by whoever called this: it is ignored.
        let inherited = || env::var("TRACEPARENT").ok()?.parse().ok();
        let parent = self.traceparent.or_else(inherited).unwrap_or_else(TraceParent::random);
        let report = OtlpReport::new(page, &self.name, parent);
        let (report, summary) = session.read(Records::new((report, Summary::new())))?;
        let page = report.finish(&summary, !session.is_interrupted())?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Otlp::command().debug_assert();
    }
}
