//! The status line of a run, and what is still failing because of others.

use std::fmt;
use std::io::{self, Write};

use cli::Verdict;
use formats::human::Age;
use formats::visible;
use repository::{Outstanding, Repository, RunState, Standing, Stored, StoredRun};

use super::display::{self, Count, CountsLine};

/// How what fails leaves the failing set.
const HOW_TESTS_GO: &str =
    "What passes leaves it, and what is gone by `subunit load --full` of a run of all tests";
const HOW_RUNS_GO: &str = "A later run of the same tests, without damage, puts it right";

/// `FAILED  7 tests: 6 passed, 1 failed in 7s`.
pub(super) struct Line<'a>(pub(super) &'a StoredRun);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(run) = self;
        write!(formatter, "{}  {}", display::standing(run).to_uppercase(), CountsLine(&run.counts))?;
        if let Some(duration) = run.duration().filter(|duration| duration.as_secs() > 0) {
            write!(formatter, " in {}", Age(duration))?;
        }
        match run.end.as_ref().and_then(|end| end.exit) {
            None | Some(0) => {}
            Some(exit) => write!(formatter, "; the command exited with {exit}")?,
        }
        match (run.state, run.standing()) {
            (RunState::Interrupted, Standing::Failed) => formatter.write_str("; it was interrupted"),
            (RunState::Incomplete, Standing::Failed) => formatter.write_str("; it is incomplete"),
            (RunState::Damaged, Standing::Failed) => formatter.write_str("; its stored stream is damaged"),
            _ => Ok(()),
        }
    }
}

/// The verdict on a run, and what is still failing because of others.
pub(super) struct RunStatus {
    verdict: Verdict,
    others: Outstanding,
}

impl RunStatus {
    pub(super) fn of(
        repository: &Repository,
        run: &StoredRun,
        verdict: Verdict,
    ) -> Result<Self, repository::Error> {
        Ok(RunStatus { verdict, others: repository.outstanding(run.id)? })
    }

    /// The verdict after the run: it may have passed while others still fail.
    pub(super) fn verdict(&self) -> Verdict {
        match self.verdict {
            Verdict::Passed if !self.others.lost.is_empty() => Verdict::Incomplete,
            Verdict::Passed if !self.others.is_empty() => Verdict::Outstanding,
            verdict => verdict,
        }
    }

    /// Writes what is still failing because of other runs.
    pub(super) fn write_others(&self, out: &mut dyn Write) -> io::Result<()> {
        let Outstanding { tests, runs, lost, .. } = &self.others;
        if *tests > 0 {
            let tests = Count(*tests, "test of an earlier run", "tests of earlier runs");
            writeln!(out, "still failing: {tests}: `subunit failing` shows what. {HOW_TESTS_GO}")?;
        }
        runs.iter().try_for_each(|run| write_whole(run, out))?;
        if !runs.is_empty() {
            writeln!(out, "`subunit show RUN` shows why. {HOW_RUNS_GO}")?;
        }
        lost.iter().try_for_each(|run| write_lost(run, out))
    }
}

/// Says that a run fails as a whole, and why.
pub(super) fn write_whole(run: &StoredRun, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "still failing: run {} as a whole: {}", run.id, why(run))
}

/// Says that it is not known any more what failed in a run, what of it is gone, and what to do.
pub(super) fn write_lost(run: &StoredRun, out: &mut dyn Write) -> io::Result<()> {
    let failed = run.counts.failed_tests();
    let failed = if failed > 0 {
        Count(failed, "failed test", "failed tests").to_string()
    } else {
        "what failed".to_owned()
    };
    let gone = match run.stored {
        Stored::Pruned => "its results are damaged, and its stream was pruned",
        Stored::Raw | Stored::Compressed => "its results and its stream are damaged",
    };
    let id = run.id;
    writeln!(
        out,
        "not known any more: {failed} of run {id}: {gone}. Put its files back and `subunit rebuild`, or load a run of \
         all tests with --full"
    )
}

/// Why a run fails as a whole.
pub(super) fn why(run: &StoredRun) -> String {
    let damaged = Count(run.counts.damaged, "damaged packet", "damaged packets");
    let global = Count(run.counts.global_failures, "failure without a test", "failures without a test");
    let parts = [damaged, global].into_iter().filter(|part| part.0 > 0);
    let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
    if parts.is_empty() { "its stream cannot be read".to_owned() } else { parts.join(", ") }
}

/// The command of a run, as people see it.
pub(super) fn command(run: &StoredRun) -> String {
    let words = run.info.command.iter().chain(&run.info.arguments);
    let words: Vec<_> = words.map(|word| visible::line(word)).collect();
    words.join(" ")
}
