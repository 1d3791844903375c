//! The skeleton of all reports: arguments, where things go, reading, the closing line, the verdict.
//!
//! A report is a struct with its own options and [`ReportArgs`], and something that takes the records of a stream
//! and writes to a [`ReportWriter`]. The rest is the same for all of them:
//!
//! ```ignore
//! let (page, mut session) = self.report.open(streams)?;
//! let (list, summary) = session.read(Records::new((List { page }, Summary::new())))?;
//! session.end(list.page, &summary, ClosingLine::Verdict)
//! ```
//!
//! Nothing here is called through a pointer for each record: the writer and what uses it are types that the
//! compiler knows.

mod channels;
mod global_statuses;

use std::fmt::Display;
use std::io::{self, BufWriter, Read, Write};

use cli::{
    ForwardArgs, Input, InputArgs, OutputArgs, PassthroughArgs, Report, Streams, Verdict, VerdictArgs,
};
use process::Interrupt;
use streamresult::{RecordSink, Records, Spool, StreamResult, Summary};
use subunit::Frame;

use channels::{Channels, channels};
pub(crate) use global_statuses::{GlobalStatuses, write_global_statuses};

const BUFFER: usize = 32 * 1024;

/// The arguments that all reports have.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) forward: ForwardArgs,
    #[command(flatten)]
    pub(crate) passthrough: PassthroughArgs,
    #[command(flatten)]
    pub(crate) verdict: VerdictArgs,
}

impl ReportArgs {
    /// The same arguments, but a run without tests is a success, as for the originals of some commands.
    #[must_use]
    pub(crate) fn lenient(mut self) -> Self {
        self.verdict.allow_empty = true;
        self
    }

    /// Opens the stream, the report, and what is written beside it.
    pub(crate) fn open<'a>(
        &self,
        streams: Streams<'a>,
    ) -> anyhow::Result<(ReportWriter<'a>, ReportSession<'a>)> {
        if self.forward.forward {
            streams.terminal.refuse_packets()?;
        }
        let input = self.input.open(streams.input, &streams.interrupt);
        let (report, channels) = channels(self, streams.output, streams.errors)?;
        let session = ReportSession { input, channels, verdict: self.verdict, interrupt: streams.interrupt };
        Ok((ReportWriter::new(report), session))
    }
}

/// A report while it is made: the stream that is read, and where all but the report is written.
#[derive(Debug)]
pub(crate) struct ReportSession<'a, R = Input> {
    input: R,
    channels: Channels<'a>,
    verdict: VerdictArgs,
    interrupt: Interrupt,
}

/// The line that is written to stderr at the end of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClosingLine {
    None,
    /// How the run went, in a line.
    Verdict,
    /// Which statuses no list of tests can show.
    GlobalStatuses,
}

impl<'a, R: Read> ReportSession<'a, R> {
    /// Reads the stream through something.
    pub(crate) fn through<S: Read>(
        self,
        reader: impl FnOnce(R) -> io::Result<S>,
    ) -> io::Result<ReportSession<'a, S>> {
        let ReportSession { input, channels, verdict, interrupt } = self;
        Ok(ReportSession { input: reader(input)?, channels, verdict, interrupt })
    }

    /// Reads the stream to its end, and passes on or shows the parts that are to be.
    pub(crate) fn drive<S: StreamResult + ?Sized>(&mut self, sink: &mut S) -> io::Result<()> {
        self.channels.drive(&mut self.input, sink)
    }

    /// Reads the stream to its end as records, which are counted.
    pub(crate) fn read<S: RecordSink>(
        &mut self,
        mut records: Records<(S, Summary)>,
    ) -> io::Result<(S, Summary)> {
        self.drive(&mut records)?;
        if let Some(line) = left_out(records.spool()) {
            self.tell(line)?;
        }
        Ok(records.into_sink())
    }

    /// Whether a signal ended the reading: then the report is of what came before it.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.has_come()
    }

    /// Says that the report is whole, and how the run went.
    pub(crate) fn end(
        mut self,
        page: ReportWriter<'_>,
        summary: &Summary,
        closing: ClosingLine,
    ) -> anyhow::Result<Verdict> {
        page.finish()?;
        if let Some(found) = self.channels.packets.recognised() {
            self.tell(format_args!("there is no packet in the input; {found}"))?;
        }
        if self.is_interrupted() {
            self.tell("INTERRUPTED: this report covers what came in before the signal")?;
        }
        match closing {
            ClosingLine::None => {}
            ClosingLine::Verdict => self.tell(summary)?,
            ClosingLine::GlobalStatuses if summary.global_total() == 0 => {}
            ClosingLine::GlobalStatuses => self.tell(GlobalStatuses(summary))?,
        }
        Ok(self.verdict(summary))
    }

    /// Says a line to the user, unless the report is where it would go.
    pub(crate) fn tell(&mut self, line: impl Display) -> io::Result<()> {
        self.channels.words.as_mut().map_or(Ok(()), |words| writeln!(words, "{line}"))
    }

    /// What to exit with after a run with this summary.
    pub(crate) fn verdict(&self, summary: &Summary) -> Verdict {
        self.verdict.apply(Verdict::from(summary))
    }
}

/// Whether it is text between packets, or a piece of a file that belongs to no test: what --no-passthrough drops.
pub(crate) fn is_loose(frame: &Frame<'_>) -> bool {
    match frame {
        Frame::Packet(packet) => packet.test_id().is_none() && packet.status().is_none(),
        Frame::Text(_) => true,
        Frame::Corrupt(..) => false,
    }
}

/// What to say of attachments that are not whole for want of room.
pub(crate) fn left_out(spool: &Spool) -> Option<String> {
    let why = spool.failure().filter(|_| spool.left_out() > 0)?;
    Some(format!("{} bytes of attachments were left out: {why}", spool.left_out()))
}

/// What a report is written to.
#[derive(Debug)]
pub(crate) struct ReportWriter<'a>(BufWriter<Report<'a>>);

impl<'a> ReportWriter<'a> {
    pub(crate) fn new(report: Report<'a>) -> Self {
        ReportWriter(BufWriter::with_capacity(BUFFER, report))
    }

    /// Completes the report: only then does its file take its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

impl Write for ReportWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
