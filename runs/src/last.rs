//! `subunit last`: the report of the latest run, or its stream.

use std::path::PathBuf;

use cli::{Streams, Verdict, VerdictArgs};
use repository::{Error, Repository, RunRef, RunState, StoredRun};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::report::ReportOrJsonArgs;
use super::run_name::RunName;
use super::run_status::RunStatus;
use super::show::{named, show, show_named, tell_of_running};
use super::{display, json};

/// Show the latest run
///
/// This is the latest run that is over; a line on stderr tells of a later one that is under way. With --subunit its
/// bytes go to stdout as they came in.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the run succeeded, and nothing is failing", Failed, Incomplete, Nothing, Outstanding],
    "  subunit last\n  \
       subunit last --verbose --slowest 20\n  \
       subunit last --subunit | subunit2junitxml >report.xml"
))]
pub struct Last {
    /// Show this stream instead, where `-` is stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    report: ReportOrJsonArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl RepositoryCommand for Last {
    const NAME: &'static str = "subunit last";

    fn without_runs(&self) -> Verdict {
        self.verdict.apply(Verdict::Nothing)
    }

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if let Some(file) = self.file {
            let verdict = show_named(&RunName::File(file), repo, &self.report, streams)?;
            return Ok(self.verdict.apply(verdict));
        }
        let repository = repo.snapshot()?;
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let (run, running) = latest(repository)?;
        let lent = Streams { input, output, errors: &mut *errors, terminal, interrupt };
        let verdict = if self.report.form.json {
            json::run(Some(run.id), &run, lent.output)?;
            display::verdict(&run)
        } else {
            show(repository, &run, &self.report.report, lent)?
        };
        let told = RunStatus::of(repository, &run, verdict)?;
        told.write_others(errors)?;
        if let Some(running) = running {
            tell_of_running(&running, &format!("subunit show {}", running.id), errors)?;
        }
        Ok(self.verdict.apply(told.verdict()))
    }
}

/// The latest run that is over, and a later one that is under way; when all are under way, the latest of them.
fn latest(repository: &Repository) -> Result<(StoredRun, Option<StoredRun>), Error> {
    let run = named(repository, RunRef::LATEST)?;
    let running = repository.runs()?.pop().filter(|last| last.state == RunState::Running && last.id > run.id);
    Ok((run, running))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    #[test]
    fn it_says_what_fails_of_earlier_runs() {
        let repo = Repo::with(&[&["a fail"], &["b success"]]);
        let outcome = repo.run(&["last"], b"");
        assert_eq!((outcome.verdict.code(), outcome.output()), (5, "PASSED  1 test: 1 passed\n"));
        let told = "still failing: 1 test of an earlier run: `subunit failing` shows what. What passes leaves it, and ";
        assert!(outcome.errors().starts_with(told), "{}", outcome.errors());
    }

    #[test]
    fn the_stream_is_what_came_in() {
        let input = [b"text\n", &stream(&["a success"])[..], b"\xb3 damage"].concat();
        let repo = Repo::with(&[]);
        repo.run(&["load"], &input);
        let outcome = repo.run(&["last", "--subunit"], b"");
        assert_eq!((outcome.verdict.code(), outcome.output, &*outcome.errors), (1, input, &b""[..]));
    }
}
