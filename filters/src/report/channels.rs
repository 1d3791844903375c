//! What goes where: the report, the stream when it is forwarded, loose text, and words to the user.

use std::fmt;
use std::io::{self, Read, Write};

use anyhow::bail;
use cli::{Report, Shared};
use formats::harmless::HarmlessWriter;
use formats::packet_watch::PacketWatch;
use streamresult::{PROPERTIES_FILE, StreamResult, deliver};
use subunit::Frame;
use subunit::io::Reader;

use super::ReportArgs;

/// What is written beside a report.
pub(super) struct Channels<'a> {
    /// Where the stream goes when it is forwarded.
    forward: Option<Shared<'a>>,
    /// Whether text is forwarded with it.
    passthrough: bool,
    /// Text that stands between packets and files of no test, when they are to be shown.
    loose: Option<HarmlessWriter<Shared<'a>>>,
    pub(super) packets: PacketWatch,
    /// Stderr, for words to the user, unless the report is there.
    pub(super) words: Option<Shared<'a>>,
}

/// Sorts out what goes where.
pub(super) fn channels<'a>(
    args: &ReportArgs,
    output: &'a mut dyn Write,
    errors: &'a mut dyn Write,
) -> anyhow::Result<(Report<'a>, Channels<'a>)> {
    let (output, errors) = (Shared::new(output), Shared::new(errors));
    let (to, forward) = (&args.output, args.forward.forward);
    if forward && to.output_to.is_some() && to.is_stdout() {
        bail!("stdout cannot take both the stream (-f) and the report (-o -)");
    }
    let report = to.open(if forward { &errors } else { &output })?;
    let passthrough = !args.passthrough.no_passthrough;
    let channels = Channels {
        packets: PacketWatch::default(),
        passthrough,
        // What is forwarded carries its text along.
        loose: (passthrough && !forward).then(|| HarmlessWriter::new(errors.clone())),
        words: (to.output_to.is_some() || !forward).then_some(errors),
        forward: forward.then_some(output),
    };
    Ok((report, channels))
}

impl Channels<'_> {
    /// Reads a stream to its end, as [`streamresult::drive`] does, and passes on and shows of it what is to be.
    ///
    /// # Errors
    ///
    /// When reading fails, or writing, or the sink does.
    pub(super) fn drive<S: StreamResult + ?Sized>(
        &mut self,
        input: impl Read,
        sink: &mut S,
    ) -> io::Result<()> {
        let driven = sink.start_run().and_then(|()| self.pass(&mut Reader::new(input), sink));
        let shown = self.loose.as_mut().map_or(Ok(()), HarmlessWriter::finish);
        driven.and(sink.stop_run()).and(shown)
    }

    fn pass<S: StreamResult + ?Sized>(
        &mut self,
        reader: &mut Reader<impl Read>,
        sink: &mut S,
    ) -> io::Result<()> {
        let take = |(channels, sink): &mut (&mut Self, &mut S), frame: Frame<'_>, offset| {
            channels.packets.frame(&frame);
            if channels.forward.is_some() || channels.loose.is_some() {
                channels.frame(&frame)?;
            }
            deliver(&frame, offset, *sink)
        };
        reader.each(&mut (self, sink), take, |(channels, sink)| sink.flush().and_then(|()| channels.flush()))
    }

    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let text = loose_text(frame);
        if let Some(forward) = self.forward.as_mut().filter(|_| self.passthrough || text.is_none()) {
            forward.write_all(frame.as_bytes())?;
        }
        match (&mut self.loose, text) {
            (Some(loose), Some(text)) => loose.write_all(text),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.forward.as_mut().map_or(Ok(()), Write::flush)?;
        self.loose.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What is of no test: text between packets, or a piece of a file of the run as a whole, but for its properties.
fn loose_text<'a>(frame: &Frame<'a>) -> Option<&'a [u8]> {
    match frame {
        Frame::Text(text) => Some(text),
        // In this order: most packets have a status, which is seen at a glance.
        Frame::Packet(packet) if packet.status().is_none() && packet.test_id().is_none() => {
            packet.file().filter(|file| file.name != PROPERTIES_FILE).map(|file| file.bytes)
        }
        _ => None,
    }
}

impl fmt::Debug for Channels<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Channels").field("passthrough", &self.passthrough).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use cli::{ForwardArgs, InputArgs, OutputArgs, PassthroughArgs, Streams, Terminal, Verdict};
    use process::Interrupt;
    use streamresult::{Records, Summary, record_fn};

    use super::super::ClosingLine;
    use super::*;

    fn flags(output_to: Option<&Path>, forward: bool) -> ReportArgs {
        ReportArgs {
            output: OutputArgs { output_to: output_to.map(Path::to_owned) },
            forward: ForwardArgs { forward },
            ..ReportArgs::default()
        }
    }

    const STREAM: &[u8] = b"text \xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

    fn report(args: &ReportArgs, output: &mut dyn Write, errors: &mut dyn Write) -> anyhow::Result<Verdict> {
        let input = Box::new(STREAM);
        let (terminal, interrupt) = (Terminal::default(), Interrupt::never());
        let streams = Streams { input, output, errors, terminal, interrupt };
        let (mut page, mut session) = args.open(streams)?;
        let (_, summary) = session.read(Records::new((record_fn(|_| Ok(())), Summary::new())))?;
        assert_eq!(summary.announced(), 1);
        page.write_all(b"report")?;
        session.end(page, &summary, ClosingLine::Verdict)
    }

    /// `S` stands for the packet of the stream.
    fn check(args: &ReportArgs, expected: (&str, &str)) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        assert_eq!(report(args, &mut output, &mut errors).unwrap(), Verdict::Nothing);
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let packet = shown(&STREAM[5..]);
        let words = "0 tests: 1 announced but not run\n";
        let found = [output, errors].map(|bytes| shown(&bytes).replace(&packet, "S").replace(words, "words"));
        assert_eq!((&*found[0], &*found[1]), expected);
    }

    #[test]
    fn stdout_carries_one_format() {
        check(&flags(None, false), ("report", "text words"));
        check(&flags(None, true), ("text S", "report"));
        check(&flags(Some(Path::new("-")), false), ("report", "text words"));
        let silent =
            ReportArgs { passthrough: PassthroughArgs { no_passthrough: true }, ..flags(None, false) };
        check(&silent, ("report", "words"));
        let silent = ReportArgs { forward: ForwardArgs { forward: true }, ..silent };
        check(&silent, ("S", "report"));
        let both = flags(Some(Path::new("-")), true);
        assert!(report(&both, &mut Vec::new(), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_report_in_a_file_leaves_stdout_to_the_stream_and_stderr_to_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        check(&flags(Some(&path), true), ("text S", "words"));
        check(&flags(Some(&path), false), ("", "text words"));
        assert_eq!(fs::read(&path).unwrap(), b"report");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_before_anything_is_written() {
        let missing = InputArgs { files: vec!["/no/file".into()] };
        let args = ReportArgs { input: missing, ..flags(None, false) };
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        assert!(report(&args, &mut output, &mut errors).is_err());
        assert_eq!((output, errors), (Vec::new(), Vec::new()));
    }
}
