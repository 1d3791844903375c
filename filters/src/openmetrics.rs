//! The command `subunit2openmetrics`: a run as metrics.

use cli::{Command, Streams, Verdict};
use formats::openmetrics::RunMetrics;
use streamresult::{Details, Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to metrics of its run, for Prometheus: OpenMetrics
///
/// How many tests ended in which way, whether the run succeeded, how long it took and when it ended; each has the label
/// `run`. Numbers of single tests are not among them, since each would be a series of its own.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2openmetrics",
    version,
    after_help = cli::help!(
        report,
        "  subunit2openmetrics --name nightly -o /var/lib/node_exporter/nightly.prom run.subunit"
    )
)]
pub struct OpenMetrics {
    #[command(flatten)]
    report: ReportArgs,
    /// The label `run` of all metrics
    #[arg(long, value_name = "NAME", default_value = "subunit")]
    name: String,
}

impl Command for OpenMetrics {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (mut page, mut session) = self.report.open(streams)?;
        let records = Records::new((RunMetrics::default(), Summary::new())).details(Details::None);
        let (metrics, summary) = session.read(records)?;
        metrics.families(&self.name, &summary, !session.is_interrupted()).write(&mut page)?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        OpenMetrics::command().debug_assert();
    }
}
