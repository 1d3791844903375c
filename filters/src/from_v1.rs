//! The command `subunit-1to2`: lines of version 1 to packets.

use std::io::{self, Read, Write};

use cli::{Command, InputArgs, PassthroughArgs, Streams, Verdict};
use formats::v1;
use streamresult::{Edit, StreamResultExt as _, TextEdit, edit_packets};
use subunit::SIGNATURE;
use subunit::io::Writer;

/// Convert a subunit version 1 stream to version 2
///
/// Text between the lines of v1 becomes pieces of a file `stdout`, in its place. A test whose outcome never
/// comes fails. Times are those of the stream; where it has none, there are none. What v2 cannot say is dropped:
/// `progress:` lines, and whether a test ended by `failure:` or by `error:`. A stream of version 2 is passed on
/// unchanged. Each FILE is a stream of its own.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-1to2",
    version,
    after_help = cli::help!(
        filter,
        "  ./legacy-tests | subunit-1to2 | subunit2junitxml\n  \
           subunit-1to2 .testrepository/0 >run.subunit"
    )
)]
pub struct FromV1 {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    passthrough: PassthroughArgs,
}

impl Command for FromV1 {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let FromV1 { input, passthrough } = self;
        for document in input.documents(streams.input, streams.interrupt) {
            convert(document.input, streams.output, passthrough.no_passthrough)?;
        }
        Ok(Verdict::Passed)
    }
}

fn convert(mut input: impl Read, output: &mut dyn Write, drop_text: bool) -> io::Result<()> {
    let mut head = Vec::new();
    input.by_ref().take(1).read_to_end(&mut head)?;
    let is_v2 = head == [SIGNATURE];
    let input = head.chain(input);
    if is_v2 {
        let text = if drop_text { TextEdit::Drop } else { TextEdit::Keep };
        return edit_packets(input, output, text, |_, _| Ok(Edit::Keep));
    }
    let mut writer = Writer::new(output);
    if drop_text {
        v1::drive(input, &mut writer.filtered(|event| event.test_id.is_some() || event.status.is_some()))
    } else {
        v1::drive(input, &mut writer)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::Frame;
    use subunit::io::Reader;

    use super::*;

    /// What a stream says, a line an event: id, status, file, time.
    fn told(stream: &[u8]) -> Vec<String> {
        let mut reader = Reader::new(stream);
        let mut lines = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            let Frame::Packet(packet) = frame else { panic!("{frame:?}") };
            let event = packet.event();
            let status = event.status.map_or("-", |status| status.as_str());
            let file = event.file.map(|file| format!("{} {}", file.name, file.bytes.escape_ascii()));
            let file = file.unwrap_or_default();
            lines.push(format!("{} {status} {file}", event.test_id.unwrap_or("-")).trim_end().to_owned());
        }
        lines
    }

    fn check(args: &[&str], input: &[u8], expected: &[&str]) {
        let outcome = cli::run_with::<FromV1>(args, input);
        assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
        assert_eq!(told(&outcome.output), expected);
    }

    #[test]
    fn the_arguments_are_sound() {
        FromV1::command().debug_assert();
    }

    #[test]
    fn lines_become_packets_and_text_a_file() {
        let input = b"hello\ntest: a\nnoise\nsuccess: a\n";
        let text = ["- - stdout hello\\n", "- - stdout noise\\n"];
        check(&[], input, &[text[0], "a inprogress", text[1], "a success"]);
        check(&["--no-passthrough"], input, &["a inprogress", "a success"]);
        check(&[], b"", &[]);
    }

    #[test]
    fn a_stream_of_version_2_stays_as_it_is() {
        let input = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1btest: text\n\xb3 damage";
        assert_eq!(cli::run_with::<FromV1>(&[], input).output, input);
    }

    #[test]
    fn each_file_is_a_stream_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut");
        std::fs::write(&path, "test: cut").unwrap();
        let lost = "cut - traceback lost connection during test \\'cut\\'\\n";
        let expected = ["cut inprogress", lost, "cut fail", "b inprogress", "b skip"];
        check(&[path.to_str().unwrap(), "-", "-"], b"test: b\nskip: b\n", &expected);
    }
}
