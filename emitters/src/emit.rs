//! What the emitters share: from a format's events to a stream on stdout and a verdict.

use std::io::{self, Write};

use cli::{Verdict, VerdictArgs};
use streamresult::{StreamResult, StreamResultExt as _, Summary};
use subunit::io::Writer;

/// The flags of every emitter.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct EmitArgs {
    /// Tag every event with this; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Put this route code on every event, before one that it has
    #[arg(long = "route", alias = "route-code", value_name = "CODE")]
    route_code: Option<String>,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl EmitArgs {
    /// Writes to `output` all that `convert` pushes, and says how the run went. Times are up to the reader.
    ///
    /// # Errors
    ///
    /// When `convert` fails. What it pushed before has been written then.
    pub(crate) fn emit(
        self,
        output: &mut dyn Write,
        convert: impl FnOnce(&mut dyn StreamResult) -> anyhow::Result<()>,
    ) -> anyhow::Result<Verdict> {
        let mut summary = Summary::new();
        let converted = self.convert(output, &mut summary, convert);
        output.flush()?;
        converted?;
        Ok(self.verdict.apply(Verdict::from(&summary)))
    }

    fn convert(
        &self,
        output: &mut dyn Write,
        summary: &mut Summary,
        convert: impl FnOnce(&mut dyn StreamResult) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut sink = Sink { summary, writer: Writer::new(output) };
        match (self.tags.is_empty(), &self.route_code) {
            (true, None) => convert(&mut sink),
            (false, None) => convert(&mut sink.tagged(&self.tags, [""; 0])),
            (true, Some(code)) => convert(&mut sink.routed(code)),
            (false, Some(code)) => convert(&mut sink.tagged(&self.tags, [""; 0]).routed(code)),
        }
    }
}

/// The end of every emitter: the accounting and the stream.
struct Sink<'s, W: Write> {
    summary: &'s mut Summary,
    writer: Writer<W>,
}

impl<W: Write> StreamResult for Sink<'_, W> {
    fn status(&mut self, event: &subunit::Event<'_>) -> io::Result<()> {
        self.summary.status(event)?;
        self.writer.status(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        StreamResult::flush(&mut self.writer)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.summary.stop_run()?;
        self.writer.stop_run()
    }
}

#[cfg(test)]
mod tests {
    use subunit::{Event, Status};

    use super::*;

    fn check(args: &EmitArgs, status: Status, expected: Verdict) -> Vec<u8> {
        let mut output = Vec::new();
        let verdict = args.clone().emit(&mut output, |sink| {
            sink.start_run()?;
            sink.status(&Event::status("foo", status))?;
            Ok(sink.stop_run()?)
        });
        assert_eq!(verdict.unwrap(), expected);
        output
    }

    #[test]
    fn the_verdict_is_that_of_the_run() {
        let args = EmitArgs::default();
        check(&args, Status::Success, Verdict::Passed);
        check(&args, Status::Fail, Verdict::Failed);
        check(&args, Status::Exists, Verdict::Nothing);
        let verdict = VerdictArgs { exit_zero: true, allow_empty: false };
        check(&EmitArgs { verdict, ..args }, Status::Fail, Verdict::Passed);
    }

    #[test]
    fn no_time_is_made_up() {
        let recorded = check(&EmitArgs::default(), Status::Exists, Verdict::Nothing);
        assert_eq!(recorded, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
    }

    #[test]
    fn what_was_converted_before_an_error_is_written() {
        let mut output = Vec::new();
        let verdict = EmitArgs::default().emit(&mut output, |sink| {
            sink.status(&Event::status("foo", Status::Success))?;
            anyhow::bail!("line 3, column 7: no such element")
        });
        assert_eq!(verdict.unwrap_err().to_string(), "line 3, column 7: no such element");
        assert!(!output.is_empty());
    }

    #[test]
    fn tags_and_a_route_code_are_on_every_event() {
        let args = EmitArgs {
            tags: vec!["nightly".to_owned()],
            route_code: Some("ci".to_owned()),
            ..EmitArgs::default()
        };
        let output = check(&args, Status::Success, Verdict::Passed);
        let packet = subunit::Packet::parse(&output).unwrap();
        assert_eq!(packet.event().route_code, Some("ci"));
        assert_eq!(packet.event().tags.iter().collect::<Vec<_>>(), ["nightly"]);
    }
}
