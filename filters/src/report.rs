//! What the commands share that write a report while the stream is read.

use std::fmt;
use std::io::{self, BufWriter, Write};

use anyhow::Context as _;
use cli::{Channels, Report, ReportArgs, Terminal, Verdict};
use formats::visible;
use streamresult::Summary;
use subunit::Status;

const BUFFER: usize = 32 * 1024;

/// How the commands exit that exit with 0 when no test ran, as their originals do.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(crate) struct LenientArgs {
    /// Exit with 0 whenever the report was made, whatever the tests did
    #[arg(long, alias = "no-verdict")]
    exit_zero: bool,
}

impl LenientArgs {
    /// What to exit with after a run of this accounting.
    pub(crate) fn verdict(self, summary: &Summary) -> Verdict {
        match Verdict::from(summary) {
            Verdict::Nothing => Verdict::Passed,
            verdict if verdict.is_of_run() && self.exit_zero => Verdict::Passed,
            verdict => verdict,
        }
    }
}

/// The end of the help of a command with [`LenientArgs`].
macro_rules! lenient_help {
    ($examples:expr) => {
        cli::help!([Passed = "the run succeeded, or no test ran", Failed], $examples)
    };
}
pub(crate) use lenient_help;

/// Sorts out what goes where, and shows what would do something to a terminal.
pub(crate) fn channels<'a>(
    args: &ReportArgs,
    output: &'a mut dyn Write,
    errors: &'a mut dyn Write,
    terminal: &Terminal,
) -> anyhow::Result<Channels<'a>> {
    let mut channels = args.channels(output, errors)?;
    if terminal.errors {
        channels.loose = channels.loose.take().map(|loose| Box::new(visible::Writer::new(loose)) as _);
    }
    Ok(channels)
}

/// A report that is written while the stream is read.
#[derive(Debug)]
pub(crate) struct Live<'a>(BufWriter<Report<'a>>);

impl<'a> Live<'a> {
    /// Takes the report out of the channels, which are then free to read the stream.
    pub(crate) fn take(channels: &mut Channels<'a>) -> anyhow::Result<Self> {
        // An `io::Sink` has no size: nothing is leaked.
        let [output, errors] = [(); 2].map(|()| Box::leak(Box::new(io::sink())) as &mut dyn Write);
        let nowhere = ReportArgs::default().channels(output, errors)?.report;
        let report = std::mem::replace(&mut channels.report, nowhere);
        Ok(Live(BufWriter::with_capacity(BUFFER, report)))
    }

    /// Says that the report is whole.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let report = self.0.into_inner().map_err(io::IntoInnerError::into_error);
        report.and_then(Report::finish).context("cannot write the report")
    }
}

impl Write for Live<'_> {
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

/// Tells of statuses that no list of tests can show, because they have no test id.
pub(crate) fn tell_of_the_run<W: Write + ?Sized>(words: &mut W, summary: &Summary) -> io::Result<()> {
    if summary.global_total() > 0 { writeln!(words, "{}", OfTheRun(summary)) } else { Ok(()) }
}

/// `statuses without a test id: 1 fail, 2 success`.
pub(crate) struct OfTheRun<'a>(pub(crate) &'a Summary);

impl fmt::Display for OfTheRun<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "statuses without a test id: ";
        for status in Status::ALL {
            let count = self.0.global(status);
            if count > 0 {
                write!(formatter, "{separator}{count} {status}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
