//! The command `subunit2html`: a stream as a page.

use cli::{Command, Streams, Verdict};
use page::{PageOptions, PageRecords};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Show a run as a page of HTML, which needs nothing else
///
/// One file, which refers to nothing elsewhere: open it from a disk, attach it to a mail, keep it with a build. It says
/// how the run went, then what failed and why, in groups of failures that say the same; then when what ran where, flaky
/// tests, the slowest ones, skips by reason, and all tests behind a search. It is written when the stream has ended.
///
/// Of attachments it has the text around what went wrong and at the end, and pictures up to 256 KiB, of tests that
/// failed, never finished or are flaky; 5 MiB in all. What it leaves out, it names.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2html",
    version,
    after_help = cli::help!(
        report,
        "  subunit2html -o run.html run.subunit\n  \
           make check | subunit2html -f -o run.html | subunit2junitxml -o run.xml\n  \
           subunit last --subunit | subunit2html --title 'nightly, 29 November' -o run.html"
    )
)]
pub struct Html {
    /// What the run is called, in the title of the page
    #[arg(long, value_name = "NAME")]
    title: Option<String>,
    #[command(flatten)]
    report: ReportArgs,
}

impl Command for Html {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let interrupt = streams.interrupt.clone();
        let (mut page, mut session) = self.report.open(streams)?;
        let (records, summary) = session.read(Records::new((PageRecords::default(), Summary::new())))?;
        let is_interrupted = interrupt.has_come();
        let exit_code = (!is_interrupted).then(|| session.verdict(&summary).code());
        let options = PageOptions { title: self.title, exit_code, is_interrupted, ..PageOptions::default() };
        records.write(&summary, &options, &mut page)?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Status, encode};

    use super::*;

    fn check(statuses: &[Status], verdict: Verdict, title: &str) {
        let mut stream = Vec::new();
        for (number, status) in statuses.iter().enumerate() {
            encode(&Event::status(&format!("test.{number}"), *status), &mut stream).unwrap();
        }
        let outcome = cli::run_with::<Html>(&["--title", "<nightly>"], &stream);
        assert_eq!(outcome.verdict, verdict);
        let expected = format!("<title>{title} – &lt;nightly&gt;</title>");
        assert!(outcome.output().contains(&expected), "{}", &outcome.output()[..1000]);
    }

    #[test]
    fn the_arguments_are_sound() {
        Html::command().debug_assert();
    }

    #[test]
    fn the_title_says_how_the_run_went() {
        check(&[Status::Success], Verdict::Passed, "Passed: the only test passed");
        check(&[Status::Success, Status::Fail], Verdict::Failed, "Failed: 1 of 2 tests failed");
        check(&[], Verdict::Nothing, "Nothing ran: there is no test in the stream");
        check(&[Status::InProgress], Verdict::Failed, "Incomplete: the only test never finished");
    }
}
