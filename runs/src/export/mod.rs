//! `subunit export`: runs in the formats of other tools.

mod dumb;
mod formats;
mod names;
mod split;
mod testrepository;
#[cfg(test)]
mod tests;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cli::{OutputArgs, Report, Shared, Streams, Verdict};
use repository::{Error, Repository, RunRef, RunState, Stored, StoredRun};

use self::formats::Stream;

pub(super) use self::names::without_brackets;
use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::run_name::stored;

/// Write runs in another format
///
/// v2 is the bytes as they came in, json is one line per packet: both lose nothing. The others say what they can. No
/// test id, tag or file name can forge a line in any of them: such characters are escaped, a newline as \n.
///
/// Several runs are written one after the other; in csv and junit the routes of each begin with its number.
///
/// testrepository is a folder that testr and stestr read (let its name end in .stestr for that), with all runs under
/// their numbers, the failing set and the timings. Those tools know no text between tests, no routes and no tests that
/// were only announced. Attachments of more than 3 MiB are split, since the tools could not read them otherwise.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the runs are written, whatever their tests did", Nothing = "there are no runs"],
    "  subunit export | subunit2html >report.html\n  \
       subunit export latest-failing --format junit -o report.xml\n  \
       subunit export --all --format csv -o runs.csv\n  \
       subunit export --format testrepository -o .testrepository && testr last"
))]
pub struct Export {
    /// Their numbers, -1 for the latest, `latest` or `latest-failing`; the latest when there is none
    #[arg(value_name = "RUN", value_parser = stored, allow_negative_numbers = true)]
    runs: Vec<RunRef>,
    /// Write all runs that are over and have a stream; the default for testrepository
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "v2")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    V2,
    V1,
    Junit,
    Csv,
    Json,
    Testrepository,
}

impl Format {
    /// The kind of stream; `None` is a folder.
    fn stream(self) -> Option<Stream> {
        match self {
            Format::V2 => Some(Stream::V2),
            Format::V1 => Some(Stream::V1),
            Format::Junit => Some(Stream::Junit),
            Format::Csv => Some(Stream::Csv),
            Format::Json => Some(Stream::Json),
            Format::Testrepository => None,
        }
    }
}

impl RepositoryCommand for Export {
    const NAME: &'static str = "subunit export";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if self.format == Format::V2 && self.output.is_stdout() {
            streams.terminal.refuse_packets()?;
        }
        let repository = repo.snapshot()?;
        let Streams { output, errors, .. } = streams;
        let runs = self.choose(repository, errors)?;
        if runs.is_empty() {
            if repository.runs()?.is_empty() {
                repository.run(RunRef::LATEST)?;
            }
            writeln!(errors, "there are no runs that can be written")?;
            return Ok(Verdict::Nothing);
        }
        runs.iter().try_for_each(|run| warn(run, errors))?;
        match self.format.stream() {
            Some(stream) => {
                let report = self.output.open(&Shared::new(output))?;
                let mut report = BufWriter::with_capacity(64 * 1024, report);
                formats::write(repository, &runs, stream, &mut report)?;
                let report = report.into_inner().map_err(std::io::IntoInnerError::into_error);
                report.and_then(Report::finish).context("cannot write the runs")?;
            }
            None => {
                let path = self.output.output_to.unwrap_or_else(|| PathBuf::from(".testrepository"));
                check_folder(&path)?;
                testrepository::write(repository, &runs, &path)?;
                writeln!(output, "made {} of {} runs", path.display(), runs.len())?;
            }
        }
        Ok(Verdict::Passed)
    }
}

impl Export {
    fn choose(&self, repository: &Repository, errors: &mut dyn Write) -> anyhow::Result<Vec<StoredRun>> {
        if self.all || self.runs.is_empty() && self.format == Format::Testrepository {
            return all(repository, errors);
        }
        if self.runs.is_empty() {
            return match repository.run(RunRef::LATEST) {
                Err(Error::NoRuns { .. }) => Ok(Vec::new()),
                run => Ok(vec![has_stream(run?)?]),
            };
        }
        self.runs.iter().map(|name| has_stream(repository.run(*name)?)).collect()
    }
}

/// All that are over and have a stream.
fn all(repository: &Repository, errors: &mut dyn Write) -> anyhow::Result<Vec<StoredRun>> {
    let mut runs = repository.runs()?;
    let before = runs.len();
    runs.retain(|run| run.stored != Stored::Pruned);
    if runs.len() < before {
        writeln!(errors, "{} runs are left out: their streams were pruned", before - runs.len())?;
    }
    let before = runs.len();
    runs.retain(|run| run.state != RunState::Running);
    if runs.len() < before {
        writeln!(errors, "{} runs are left out: they are under way", before - runs.len())?;
    }
    Ok(runs)
}

fn has_stream(run: StoredRun) -> anyhow::Result<StoredRun> {
    match run.stored {
        Stored::Pruned => Err(Error::Pruned(run.id).into()),
        _ => Ok(run),
    }
}

/// Says what no format can: that part of the run is missing.
fn warn(run: &StoredRun, errors: &mut dyn Write) -> anyhow::Result<()> {
    let what = match run.state {
        RunState::Complete => return Ok(()),
        RunState::Running => "is under way: this is what came so far",
        RunState::Interrupted => "was interrupted before it was done",
        RunState::Incomplete => "is incomplete: its writer was killed",
        RunState::Damaged => "is damaged: its stream cannot be read to the end",
    };
    Ok(writeln!(errors, "run {} {what}", run.id)?)
}

fn check_folder(path: &Path) -> anyhow::Result<()> {
    if path.as_os_str() == "-" {
        bail!("a testrepository is a folder: name it with -o");
    }
    if path.symlink_metadata().is_ok() {
        bail!("{} exists already: runs are not added to another tool's repository", path.display());
    }
    Ok(())
}
