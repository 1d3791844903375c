//! The command `subunit2markdown`: a run as a comment.

use cli::{Command, Streams, Verdict};
use formats::markdown::MarkdownReport;
use formats::text::Conclusion;
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to Markdown, for a comment or a summary
///
/// First comes the verdict; then each failure with its message, its place in the sources and the end of its output; then
/// the flaky tests, the reasons for skips, and the slowest tests. Whatever does not fit is counted.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2markdown",
    version,
    after_help = cli::help!(
        report,
        "  subunit2markdown run.subunit | gh pr comment 12 --body-file -\n  \
           subunit2markdown --limit 1MiB -o summary.md run.subunit"
    )
)]
pub struct Markdown {
    #[command(flatten)]
    report: ReportArgs,
    /// Write at most so many bytes, at least 4 KiB; a comment on GitHub has room for 65536
    #[arg(long, value_name = "SIZE", default_value = "65536", value_parser = cli::value::size)]
    limit: u64,
}

impl Command for Markdown {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (mut page, mut session) = self.report.open(streams)?;
        let report = MarkdownReport::new(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let (report, summary) = session.read(Records::new((report, Summary::new())))?;
        let ending = Conclusion { interrupted: session.is_interrupted(), ..Conclusion::default() };
        report.write(&summary, ending, &mut page)?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Markdown::command().debug_assert();
    }

    #[test]
    fn an_empty_run_is_said() {
        let outcome = cli::run_with::<Markdown>(&["--limit", "4k"], b"");
        let expected = (Verdict::Nothing, "0 tests\n", "### NOTHING RAN: 0 tests\n");
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), expected);
    }
}
