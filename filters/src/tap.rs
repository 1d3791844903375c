//! The command `subunit2tap`: a stream as TAP 14.

use std::io::Write;

use cli::{Command, Streams, Verdict};
use formats::VerdictLine;
use formats::tap::{LONGEST_TEXT, TapWriter};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to TAP 14
///
/// Each test is a test point, written as the test ends. Unexpected successes and unfinished tests are `not ok`; an
/// expected failure is `not ok` with the directive TODO. The attachments of tests that are not ok are in their YAML
/// blocks, up to 1 MiB of each. The last line is a comment that says how the run went.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2tap",
    version,
    after_help = cli::help!(
        report,
        "  subunit2tap run.subunit\n  \
           make check | subunit2tap -f -o run.tap | subunit-stats"
    )
)]
pub struct Tap {
    #[command(flatten)]
    report: ReportArgs,
}

impl Command for Tap {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.open(streams)?;
        let records = Records::new((TapWriter::new(page), Summary::new())).cap(LONGEST_TEXT);
        let (writer, summary) = session.read(records)?;
        let mut page = writer.into_inner();
        writeln!(page, "# {}", VerdictLine(&summary))?;
        session.end(page, &summary, ClosingLine::None)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Status, encode};

    use super::*;

    fn check(args: &[&str], verdict: Verdict, events: &[Event<'_>], expected: &str) {
        let mut stream = b"loose\n".to_vec();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        let outcome = cli::run_with::<Tap>(args, &stream);
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), (verdict, "loose\n", expected));
    }

    #[test]
    fn the_arguments_are_sound() {
        Tap::command().debug_assert();
    }

    #[test]
    fn a_run_is_points_a_plan_and_a_verdict() {
        let tests = [Event::status("a", Status::Success), Event::status("b", Status::Skip)];
        let points = "ok 1 - a\nok 2 - b # SKIP\n1..2\n# 2 tests: 1 passed, 1 skipped\n";
        check(&[], Verdict::Passed, &tests, &format!("TAP version 14\n{points}"));
        check(&[], Verdict::Nothing, &[], "TAP version 14\n1..0\n# 0 tests\n");
        check(&["--allow-empty"], Verdict::Passed, &[], "TAP version 14\n1..0\n# 0 tests\n");
    }
}
