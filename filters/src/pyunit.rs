//! The command `subunit2pyunit`: a stream as the text of python's unittest.

use cli::{
    Command, InputArgs, OutputArgs, PassthroughArgs, ReportArgs, Streams, Terminal, Verdict, VerdictArgs,
};
use formats::pyunit::{LONGEST_TEXT, PyunitWriter};
use streamresult::{Records, Summary};

use crate::report::{self, Live};

/// Show a subunit stream as python's unittest shows a run
///
/// The report is written on stderr, as unittest does, and what stands between the packets of the stream on stdout.
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
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl Command for Pyunit {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let input = self.input.open(streams.input, &streams.interrupt);
        let args = ReportArgs { output: self.output, passthrough: self.passthrough, ..ReportArgs::default() };
        // The two have changed places: stdout takes what is loose.
        let terminal = Terminal { errors: streams.terminal.output, ..streams.terminal };
        let mut channels = report::channels(&args, streams.errors, streams.output, &terminal)?;
        let writer = PyunitWriter::new(Live::take(&mut channels)?);
        let mut records = Records::new((writer, Summary::new())).cap(LONGEST_TEXT);
        channels.drive(input, &mut records)?;
        let (writer, summary) = records.into_sink();
        writer.into_inner().finish()?;
        Ok(self.verdict.apply(Verdict::from(&summary)))
    }
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
