//! The skeleton of all reports: arguments, where things go, reading, words beside the report, the verdict.
//!
//! A report is a struct with its own options and [`ReportArgs`], and something that takes the records of a stream
//! and writes to a [`Page`]. The rest is the same for all of them:
//!
//! ```ignore
//! let (page, mut making) = self.report.open(streams)?;
//! let (list, summary) = making.read(Records::new((List { page }, Summary::new())))?;
//! making.end(list.page, &summary, Words::Verdict)
//! ```
//!
//! Nothing here is called through a pointer for each record: a page and what writes to it are types that the
//! compiler knows.

mod channels;
mod words;

use std::fmt::Display;
use std::io::{self, BufWriter, Read, Write};

use cli::{
    ForwardArgs, Input, InputArgs, OutputArgs, PassthroughArgs, Report, Streams, Verdict, VerdictArgs,
};
use formats::VerdictLine;
use streamresult::{RecordSink, Records, StreamResult, Summary};

use channels::{Channels, channels};
pub(crate) use words::{OfTheRun, tell_of_the_run};

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
    /// The same, where a run without tests is a success, as it is for the originals of some commands.
    #[must_use]
    pub(crate) fn lenient(mut self) -> Self {
        self.verdict.allow_empty = true;
        self
    }

    /// Opens the stream, and what the report and all beside it are written to.
    pub(crate) fn open<'a>(&self, streams: Streams<'a>) -> anyhow::Result<(Page<'a>, Making<'a>)> {
        let input = self.input.open(streams.input, &streams.interrupt);
        let (report, channels) = channels(self, streams.output, streams.errors, &streams.terminal)?;
        Ok((Page::new(report), Making { input, channels, verdict: self.verdict }))
    }
}

/// A report while it is made: the stream, and all that is written beside the report.
#[derive(Debug)]
pub(crate) struct Making<'a, R = Input> {
    input: R,
    channels: Channels<'a>,
    verdict: VerdictArgs,
}

/// What is said on stderr beside a report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Words {
    None,
    /// How the run went, in a line.
    Verdict,
    /// Which statuses no list of tests can show.
    OfTheRun,
}

impl<'a, R: Read> Making<'a, R> {
    /// Reads the stream through something.
    pub(crate) fn through<S: Read>(
        self,
        reader: impl FnOnce(R) -> io::Result<S>,
    ) -> io::Result<Making<'a, S>> {
        let Making { input, channels, verdict } = self;
        Ok(Making { input: reader(input)?, channels, verdict })
    }

    /// Reads the stream to its end, and passes on and shows of it what is to be.
    pub(crate) fn drive<S: StreamResult + ?Sized>(&mut self, sink: &mut S) -> io::Result<()> {
        self.channels.drive(&mut self.input, sink)
    }

    /// Reads the stream to its end as records, which are counted.
    pub(crate) fn read<S: RecordSink>(
        &mut self,
        mut records: Records<(S, Summary)>,
    ) -> io::Result<(S, Summary)> {
        self.drive(&mut records)?;
        Ok(records.into_sink())
    }

    /// Says that the report is whole, and how the run went.
    pub(crate) fn end(mut self, page: Page<'_>, summary: &Summary, words: Words) -> anyhow::Result<Verdict> {
        page.finish()?;
        match words {
            Words::None => {}
            Words::Verdict => self.tell(VerdictLine(summary))?,
            Words::OfTheRun if summary.global_total() == 0 => {}
            Words::OfTheRun => self.tell(OfTheRun(summary))?,
        }
        Ok(self.verdict(summary))
    }

    /// Says a line to the user, unless the report is where it would go.
    pub(crate) fn tell(&mut self, line: impl Display) -> io::Result<()> {
        self.channels.words.as_mut().map_or(Ok(()), |words| writeln!(words, "{line}"))
    }

    /// What to exit with after a run of this accounting.
    pub(crate) fn verdict(&self, summary: &Summary) -> Verdict {
        self.verdict.apply(Verdict::from(summary))
    }
}

/// What a report is written to.
#[derive(Debug)]
pub(crate) struct Page<'a>(BufWriter<Report<'a>>);

impl<'a> Page<'a> {
    pub(crate) fn new(report: Report<'a>) -> Self {
        Page(BufWriter::with_capacity(BUFFER, report))
    }

    /// Says that the report is whole, which is when its file takes its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

impl Write for Page<'_> {
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
