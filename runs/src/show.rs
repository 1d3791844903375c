//! `subunit show`: the report of a run, or its stream.

use std::io::{self, Read, Write};

use anyhow::Context as _;
use cli::{Streams, Verdict, VerdictArgs};
use formats::human::{Age, Bytes};
use formats::text::{Conclusion, title};
use repository::{Error, Repository, RunRef, RunState, Stored, StoredRun};
use streamresult::{Details, Records, StreamResult, Summary, drive, record_fn};
use subunit::{Event, Packet, Status, Timestamp};

use super::command::RepositoryCommand;
use super::display;
use super::repo_args::RepoArgs;
use super::report::{ReportArgs, ReportOrJsonArgs, Sink, StoredResult, fail_run};
use super::run_name::{Inputs, RunName};
use super::{git, json, list, run_page, run_status};

const SO_FAR: &str = "this is what came of it so far";

/// Show a run
///
/// The report has the failures with all their output, why tests were skipped, the slowest tests, and a line that says
/// how the run went. A run that is under way is shown as far as it has got.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed,
        Failed,
        Incomplete = "the run is incomplete, or under way, though nothing in it failed so far",
        Nothing,
    ],
    "  subunit show 42\n  \
       subunit show -2\n  \
       subunit show latest-failing\n  \
       subunit show yesterday.subunit\n  \
       subunit show --html -o run.html latest"
))]
pub struct Show {
    /// Its number, -1 for the latest, `latest` or `latest-failing`; or a FILE with a stream, where `-` is stdin
    #[arg(value_name = "RUN|FILE", allow_negative_numbers = true)]
    run: RunName,
    /// Write a page of HTML, as subunit2html does, with what became of the tests in the runs before
    #[arg(long, conflicts_with_all = ["subunit", "json", "verbose", "all_output", "summary_only", "slowest", "group"])]
    html: bool,
    #[command(flatten)]
    report: ReportOrJsonArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl RepositoryCommand for Show {
    const NAME: &'static str = "subunit show";

    fn without_runs(&self) -> Verdict {
        self.verdict.apply(Verdict::Nothing)
    }

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let verdict = match self.html {
            true => show_page(&self.run, repo, &self.report.report, streams)?,
            false => show_named(&self.run, repo, &self.report, streams)?,
        };
        Ok(self.verdict.apply(verdict))
    }
}

/// Writes the page about a run, or a file, and says how it stands.
fn show_page(
    name: &RunName,
    repo: &RepoArgs,
    report: &ReportArgs,
    streams: Streams<'_>,
) -> anyhow::Result<Verdict> {
    let Streams { input, output, errors, interrupt, .. } = streams;
    let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
    let found = name.find(repo, &mut inputs, errors)?;
    git::tell_of(&found.run, errors)?;
    run_page::write_to(report, (found.repository(), &found.run), output)?;
    Ok(display::verdict(&found.run))
}

/// Shows a run, or a file, and says how it stands.
pub(super) fn show_named(
    name: &RunName,
    repo: &RepoArgs,
    report: &ReportOrJsonArgs,
    streams: Streams<'_>,
) -> anyhow::Result<Verdict> {
    let Streams { input, output, errors, terminal, interrupt } = streams;
    let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
    let found = name.find(repo, &mut inputs, errors)?;
    let input = inputs.stdin.take().unwrap_or_else(|| Box::new(io::empty()));
    if report.form.json {
        json::run((!name.is_file()).then_some(found.run.id), &found.run, output)?;
        return Ok(display::verdict(&found.run));
    }
    let report = &report.report;
    let streams = Streams { input, output, errors, terminal, interrupt: interrupt.clone() };
    show(found.repository(), &found.run, report, streams)
}

/// The run of this name. While no run is over, the latest one is the latest that is under way.
pub(super) fn named(repository: &Repository, name: RunRef) -> Result<StoredRun, Error> {
    match repository.run(name) {
        Err(Error::Running(id)) => repository.run(id),
        run => run,
    }
}

/// Shows a run, and says how it stands.
pub(super) fn show(
    repository: &Repository,
    run: &StoredRun,
    report: &ReportArgs,
    streams: Streams<'_>,
) -> anyhow::Result<Verdict> {
    let verdict = display::verdict(run);
    git::tell_of(run, streams.errors)?;
    if report.subunit {
        report.copy(repository.stream(run.id)?, streams)?;
        return Ok(verdict);
    }
    match run.state {
        RunState::Running => return show_running(repository, run, report, streams),
        RunState::Incomplete if run.end.is_some() => {
            writeln!(streams.errors, "run {} is incomplete: sources or tests of it are missing", run.id)?;
        }
        RunState::Incomplete => {
            writeln!(streams.errors, "run {} is incomplete: its writer ended before the stream did", run.id)?
        }
        RunState::Interrupted => writeln!(streams.errors, "run {} was interrupted", run.id)?,
        RunState::Damaged => {
            writeln!(streams.errors, "run {} is damaged: part of what was stored is lost", run.id)?
        }
        RunState::Complete => {}
    }
    let ending = Conclusion {
        incomplete: run.state != RunState::Complete,
        interrupted: run.state == RunState::Interrupted,
        ..Conclusion::default()
    };
    if run.stored == Stored::Pruned {
        writeln!(streams.errors, "the stream of run {} was pruned: only its results are left", run.id)?;
    }
    report.text(streams, ending, |sink| feed(repository, run, sink))?;
    Ok(verdict)
}

/// Shows a run as far as it has got. A test that has only begun has not failed.
fn show_running(
    repository: &Repository,
    run: &StoredRun,
    report: &ReportArgs,
    streams: Streams<'_>,
) -> anyhow::Result<Verdict> {
    tell_of_running(run, SO_FAR, streams.errors)?;
    let mut summary = Summary::new();
    let mut records = Records::new(record_fn(|_| Ok(()))).details(Details::None);
    let Streams { input, output, errors, terminal, interrupt } = streams;
    let lent = Streams { input, output, errors: &mut *errors, terminal, interrupt };
    let ending = Conclusion { incomplete: true, ..Conclusion::default() };
    report.text(lent, ending, |sink| {
        let mut others = (Unstopped(&mut records), Unstopped(&mut summary));
        so_far(repository, run, &mut (Unstopped(sink), &mut others))
    })?;
    for test in records.open().into_iter().filter(|test| test.status() == Some(Status::InProgress)) {
        writeln!(errors, "in progress: {}", title(test.test_id(), test.route_code()))?;
    }
    Ok(if summary.is_success() { Verdict::Incomplete } else { Verdict::Failed })
}

/// Says that a run is under way, and shown as far as it has got.
pub(super) fn tell_if_running(run: &StoredRun, errors: &mut dyn Write) -> io::Result<()> {
    if run.state == RunState::Running { tell_of_running(run, SO_FAR, errors) } else { Ok(()) }
}

/// Says that a run is under way, and how far it is.
pub(super) fn tell_of_running(run: &StoredRun, what: &str, errors: &mut dyn Write) -> io::Result<()> {
    let age = run.start().map(|start| Age(Timestamp::now().saturating_since(start)));
    let age = age.map_or_else(String::new, |age| format!(" for {age}"));
    writeln!(errors, "run {} is under way{age}, {} so far: {what}", run.id, Bytes(run.disk))
}

/// Gives the events of a run: of one that is under way those that have come, without an end, and of a pruned one what
/// its results tell.
///
/// # Errors
///
/// When the run cannot be read, or the sink fails.
pub fn feed(repository: &Repository, run: &StoredRun, sink: &mut dyn StreamResult) -> anyhow::Result<()> {
    match (run.state, run.stored) {
        (RunState::Running, _) => so_far(repository, run, &mut Unstopped(sink)),
        (_, Stored::Pruned) => results(repository, run, sink),
        _ => stream(repository, run, sink),
    }
}

fn so_far(repository: &Repository, run: &StoredRun, sink: &mut impl StreamResult) -> anyhow::Result<()> {
    match drive(SoFar(repository.stream(run.id)?), sink) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        driven => Ok(driven?),
    }
}

/// Gives the events of a run's stream, and what its writer said of it.
fn stream(repository: &Repository, run: &StoredRun, sink: Sink<'_>) -> anyhow::Result<()> {
    let stream = repository.stream(run.id)?;
    // What a writer that was killed left of a packet is not damage.
    let whole = run.bytes.saturating_sub(run.tail);
    let driven = drive(stream.take(whole), sink);
    driven.with_context(|| format!("cannot read the stream of run {}", run.id))?;
    Ok(exit(run, sink)?)
}

/// Gives what is left of a run.
fn results(repository: &Repository, run: &StoredRun, sink: Sink<'_>) -> anyhow::Result<()> {
    list::each(repository, run.id, |result| Ok(StoredResult::from(result).tell(sink)?))?;
    if run.counts.run_failures() > 0 {
        fail_run(sink, &run_status::why(run))?;
    }
    exit(run, sink)?;
    Ok(sink.stop_run()?)
}

fn exit(run: &StoredRun, sink: Sink<'_>) -> io::Result<()> {
    match run.end.as_ref().and_then(|end| end.exit) {
        None | Some(0) => Ok(()),
        Some(exit) => fail_run(sink, &format!("the command exited with {exit}")),
    }
}

/// A stream that is still being written: where it ends for now is not reported as an end.
struct SoFar<R>(R);

impl<R: Read> Read for SoFar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Ok(0) if !buffer.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            read => read,
        }
    }
}

/// Events without an end: those of a run that is under way, or of one of several that are shown as one.
pub(super) struct Unstopped<'s>(pub(super) Sink<'s>);

impl StreamResult for Unstopped<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.status(event)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.0.packet(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};
    use super::*;

    #[test]
    fn a_run_is_named_by_number_or_from_the_end() {
        let repo = Repo::with(&[&["a success"], &["b fail"], &["c success"]]);
        let passed = "PASSED  1 test: 1 passed\n";
        repo.check(&["show", "1"], 0, passed);
        repo.check(&["show", "-1"], 0, passed);
        let failed =
            "---- failures ----\nFAIL  b\n\n---- failing tests ----\n  b\n\nFAILED  1 test: 1 failed\n";
        repo.check(&["show", "-2"], 1, failed);
        repo.check(&["show", "latest-failing"], 1, failed);
        repo.check(&["show", "--exit-zero", "2"], 0, failed);
        repo.check(&["show", "--verbose", "latest"], 0, &format!("ok                   c\n\n{passed}"));
        for (name, error) in [("7", "there is no run 7"), ("-9", "there is no run -9: the repository has 3")]
        {
            let outcome = repo.run(&["show", name], b"");
            assert_eq!(
                (outcome.verdict, outcome.errors()),
                (Verdict::Error, &*format!("subunit show: {error}\n"))
            );
        }
    }

    #[test]
    fn an_exit_status_fails_the_report_too() {
        let repo = Repo::with(&[]);
        repo.run(&["load", "--exit=3"], &stream(&["a success"]));
        let outcome = repo.run(&["last"], b"");
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert!(outcome.output().contains("the command exited with 3"), "{}", outcome.output());
        let end = "FAILED  1 test: 1 passed, 1 failure of the run as a whole\n";
        assert!(outcome.output().ends_with(end), "{}", outcome.output());
    }

    #[test]
    fn a_pruned_run_shows_its_results() {
        let repo = Repo::with(&[&["a success 3", "b skip", "c begun"], &["c success"], &["c success"]]);
        repo.run(&["prune", "--keep=1"], b"");
        let outcome = repo.run(&["show", "-v", "1"], b"");
        assert_eq!(outcome.errors(), "the stream of run 1 was pruned: only its results are left\n");
        assert!(outcome.output().starts_with("ok           3.000s  a\nskip                 b\n"));
        assert!(outcome.output().ends_with("FAILED  3 tests: 1 passed, 1 unfinished, 1 skipped in 3.000s\n"));
        assert_eq!(repo.run(&["show", "--subunit", "1"], b"").verdict, Verdict::Error);
    }

    #[test]
    fn a_run_under_way_is_no_success_and_no_failure() {
        let repo = Repo::with(&[]);
        let opened = Repository::open(repo.path()).unwrap();
        let mut writer = opened.begin(repository::RunInfo::default()).unwrap();
        writer.write_all(&stream(&["a success", "b begun"])).unwrap();
        Write::flush(&mut writer).unwrap();
        for args in [&["last"][..], &["show", "1"]] {
            let outcome = repo.run(args, b"");
            assert_eq!((outcome.verdict.code(), outcome.output()), (3, "INCOMPLETE  1 test: 1 passed\n"));
            assert!(outcome.errors().starts_with("run 1 is under way for "), "{}", outcome.errors());
            assert!(outcome.errors().ends_with("\nin progress: b\n"), "{}", outcome.errors());
        }
        drop(writer);
        assert_eq!(repo.run(&["last"], b"").verdict, Verdict::Failed);
    }
}
