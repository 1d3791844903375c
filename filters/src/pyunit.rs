//! The command `subunit2pyunit`: a stream as the text of python's unittest.

use cli::{Command, Streams, Terminal, Verdict};
use formats::pyunit::{LONGEST_TEXT, PyunitWriter};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Show a subunit stream as python's unittest shows a run
///
/// The report goes to stderr, as with unittest, and text between the packets of the stream to stdout.
/// Durations are those of the stream. Up to 1 MiB of each attachment is shown.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2pyunit",
    version,
    after_help = cli::help!(
        report,
        "  subunit2pyunit run.subunit\n  \
           make check | subunit2pyunit --no-passthrough"
    )
)]
pub struct Pyunit {
    #[command(flatten)]
    report: ReportArgs,
    /// Does nothing: with python-subunit it asks for a report that needs bzrlib
    #[arg(long, hide = true)]
    progress: bool,
}

impl Command for Pyunit {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        // A stream that is forwarded takes stdout for itself.
        let streams = if self.report.forward.forward { streams } else { exchanged(streams) };
        let (page, mut session) = self.report.open(streams)?;
        let records = Records::new((PyunitWriter::new(page), Summary::new())).cap(LONGEST_TEXT);
        let (writer, summary) = session.read(records)?;
        session.end(writer.into_inner(), &summary, ClosingLine::None)
    }
}

/// The report is on stderr, and what is loose on stdout.
fn exchanged(streams: Streams<'_>) -> Streams<'_> {
    let Terminal { output, errors, .. } = streams.terminal;
    let terminal = Terminal { output: errors, errors: output, ..streams.terminal };
    Streams { output: streams.errors, errors: streams.output, terminal, ..streams }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Status, encode};

    use super::*;

    fn check(args: &[&str], events: &[Event<'_>], verdict: Verdict, loose: &str, last: &str) {
        let mut stream = b"loose\n".to_vec();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        let outcome = cli::run_with::<Pyunit>(args, &stream);
        assert_eq!((outcome.verdict, outcome.output()), (verdict, loose));
        assert_eq!(outcome.errors().lines().next_back(), Some(last), "{}", outcome.errors());
    }

    #[test]
    fn the_arguments_are_sound() {
        Pyunit::command().debug_assert();
    }

    #[test]
    fn the_report_is_on_stderr_and_loose_text_on_stdout() {
        let passed = [Event::status("a", Status::Success)];
        check(&[], &passed, Verdict::Passed, "loose\n", "OK");
        check(&["--no-passthrough"], &passed, Verdict::Passed, "", "OK");
        let failed = [Event::status("a", Status::Fail)];
        check(&[], &failed, Verdict::Failed, "loose\n", "FAILED (failures=1)");
        check(&[], &[], Verdict::Nothing, "loose\n", "NO TESTS RAN");
    }
}
