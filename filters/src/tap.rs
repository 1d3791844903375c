//! The command `subunit2tap`: a stream as TAP.

use cli::{Command, Streams, Verdict};
use formats::tap::{LONGEST_TEXT, TapWriter, Version};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to TAP
///
/// Each test is a test point, written as the test ends. Unexpected successes and unfinished tests are `not ok`; an
/// expected failure is `not ok` with the directive TODO. The attachments of tests that are not ok are in their YAML
/// blocks, up to 1 MiB of each, and so is a reason to skip that has several lines. Before the plan, which is the last
/// line, a comment says how the run went.
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
    /// The version of TAP to write, 13 or 14
    ///
    /// They say the same. Many readers in use refuse a document of version 14.
    #[arg(long, value_name = "VERSION", default_value = "13", value_parser = version)]
    tap_version: Version,
    #[command(flatten)]
    report: ReportArgs,
}

fn version(text: &str) -> Result<Version, String> {
    match text {
        "13" => Ok(Version::V13),
        "14" => Ok(Version::V14),
        _ => Err("it is 13 or 14".to_owned()),
    }
}

impl Command for Tap {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.open(streams)?;
        let writer = TapWriter::new(page).version(self.tap_version);
        let records = Records::new((writer, Summary::new())).cap(LONGEST_TEXT);
        let (writer, summary) = session.read(records)?;
        let page = writer.end(Some(&summary))?;
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
        let points = "ok 1 - a\nok 2 - b # SKIP\n# 2 tests: 1 passed, 1 skipped\n1..2\n";
        check(&[], Verdict::Passed, &tests, &format!("TAP version 13\n{points}"));
        check(&["--tap-version", "14"], Verdict::Passed, &tests, &format!("TAP version 14\n{points}"));
        check(&[], Verdict::Nothing, &[], "TAP version 13\n# 0 tests\n1..0\n");
        check(&["--allow-empty"], Verdict::Passed, &[], "TAP version 13\n# 0 tests\n1..0\n");
    }
}
