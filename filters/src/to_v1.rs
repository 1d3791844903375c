//! The command `subunit-2to1`: packets to lines of version 1.

use cli::{Command, InputArgs, PassthroughArgs, Streams, Verdict};
use formats::v1::V1Writer;
use streamresult::{Records, StreamResultExt as _, drive};

use crate::report::left_out;

/// Convert a subunit version 2 stream to version 1
///
/// Each test is written as it ends, with all its attachments; unfinished ones at the end, as errors. Text
/// between packets stays in its place. What v1 cannot say is lost: route codes, whether a test is runnable,
/// and tests that were only announced (`exists`). A test without times gets those of the test before it.
/// Characters that could forge a line are escaped, a newline as `\n`.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-2to1",
    version,
    after_help = cli::help!(
        filter,
        "  subunit-2to1 run.subunit | grep -A 20 ^failure\n  \
           ./tests | subunit-2to1 | legacy-consumer"
    )
)]
pub struct ToV1 {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
}

impl Command for ToV1 {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let input = self.input.open(streams.input, &streams.interrupt);
        let mut records = Records::new(V1Writer::new(streams.output));
        if self.passthrough.no_passthrough {
            let is_of_test_or_run =
                |event: &subunit::Event<'_>| event.test_id.is_some() || event.status.is_some();
            drive(input, &mut (&mut records).filtered(is_of_test_or_run))?;
        } else {
            drive(input, &mut records)?;
        }
        if let Some(line) = left_out(records.spool()) {
            writeln!(streams.errors, "{line}")?;
        }
        Ok(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, File, Status, encode};

    use super::*;

    fn check(args: &[&str], events: &[Event<'_>], expected: &str) {
        let mut stream = Vec::new();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        let outcome = cli::run_with::<ToV1>(args, &stream);
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), (Verdict::Passed, "", expected));
    }

    #[test]
    fn the_arguments_are_sound() {
        ToV1::command().debug_assert();
    }

    #[test]
    fn a_test_is_written_as_it_ends_and_text_in_its_place() {
        let events = [
            Event::status("a", Status::InProgress),
            Event::file("stdout", b"text\n"),
            Event {
                file: Some(File { name: "log", bytes: b"ready" }),
                ..Event::status("a", Status::Success)
            },
        ];
        let test = "test: a\nsuccessful: a [ multipart\nContent-Type: application/octet-stream\n\
                    log\n5\r\nready0\r\n]\n";
        check(&[], &events, &format!("text\n{test}"));
        check(&["--no-passthrough"], &events, test);
    }
}
