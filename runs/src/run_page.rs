//! A stored run as a page: the run itself, and what became of its tests in the runs before it.

use std::io::Write;

use page::frame::Site;
use page::{PageOptions, PageRecords, Past as _, PastRun, Running};
use repository::{Past, Repository, RunState, Stored, StoredRun};
use streamresult::{Record, RecordSink, Records, Summary, place_of};
use subunit::{Status, Timestamp};

use super::show;

/// How many earlier runs are looked at.
const RUNS: usize = 20;

/// What became of tests in earlier runs, for the page.
#[derive(Debug)]
struct StoredPast(Past);

impl page::Past for StoredPast {
    fn runs(&self) -> Vec<u32> {
        self.0.runs().iter().map(|run| run.0).collect()
    }

    fn of(&self, test_id: &str) -> Vec<PastRun> {
        let past = self.0.get(test_id).iter();
        past.map(|past| PastRun {
            run: past.run.0,
            outcome: past.outcome,
            is_flaky: past.flaky,
            took: past.duration,
        })
        .collect()
    }
}

/// Writes the page about a run, as far as it has got.
///
/// # Errors
///
/// When the run cannot be read, or the page not be written.
pub fn write(
    repository: &Repository,
    run: &StoredRun,
    site: Option<Site<'_>>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let past = StoredPast(repository.past(run.id, RUNS)?);
    let mut records = Records::new((PageRecords::default(), Summary::new()));
    show::feed(repository, run, &mut records)?;
    let is_running = run.state == RunState::Running;
    let going = is_running.then(|| running(&records));
    let (kept, summary) = records.into_sink();
    let options = PageOptions {
        title: Some(title(run)),
        is_interrupted: run.state == RunState::Interrupted,
        is_incomplete: matches!(run.state, RunState::Incomplete | RunState::Damaged),
        note: note(run),
        past: (!past.runs().is_empty()).then_some(&past),
        going,
        site,
        ..PageOptions::default()
    };
    Ok(kept.write(&summary, &options, out)?)
}

fn title(run: &StoredRun) -> String {
    let words = run.info.command.iter().chain(&run.info.arguments).map(|word| process::shell_word(word));
    let command = words.collect::<Vec<_>>().join(" ");
    match &*command {
        "" => format!("run {}", run.id),
        command => format!("run {}, {command}", run.id),
    }
}

/// What is not there.
fn note(run: &StoredRun) -> Option<String> {
    let note = match run.state {
        RunState::Damaged => "Part of what was stored of this run is lost.",
        RunState::Incomplete if run.end.is_some() => "Sources or tests of this run are missing.",
        RunState::Incomplete => "The writer of this run ended before its stream did.",
        _ if run.stored == Stored::Pruned => "Its stream was pruned: only results are left.",
        _ => return None,
    };
    Some(note.to_owned())
}

fn running<S: RecordSink>(records: &Records<S>) -> Vec<Running> {
    let now = Timestamp::now();
    let of = |test: &Record<'_>| Running {
        test_id: test.test_id().to_owned(),
        place: place_of(test.route_code(), test.tags().iter()).into_owned(),
        age: test.first().map(|first| now.saturating_since(first)),
    };
    let open = records.open();
    open.iter().filter(|test| test.status() == Some(Status::InProgress)).map(of).collect()
}

/// Writes the page to a file or to stdout.
pub(super) fn write_to(
    report: &super::report::ReportArgs,
    (repository, run): (&Repository, &StoredRun),
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    report.write(output, |out| write(repository, run, None, out))
}

#[cfg(test)]
mod tests {
    use repository::{RunEnd, RunInfo};

    use super::super::testing::{Repo, stream};
    use super::*;

    fn check(repo: &Repo, run: &str, code: u8, words: &[&str]) {
        let outcome = repo.run(&["show", "--html", run], b"");
        assert_eq!(outcome.verdict.code(), code, "{}", outcome.errors());
        for words in words {
            assert!(outcome.output().contains(words), "no `{words}` in the page of run {run}");
        }
    }

    #[test]
    fn a_page_says_what_failed_before() {
        let repo = Repo::with(&[
            &["a success", "b fail", "c success"],
            &["a success", "b fail", "c fail"],
            &["a fail", "b fail", "c success"],
        ]);
        check(
            &repo,
            "3",
            1,
            &[
                "<title>Failed: 2 of 3 tests failed – run 3</title>",
                "1 failure is new since run 2 and 1 test has been failing for 3 runs.",
                "<span class=\"badge new\">new</span>",
                "<figcaption>failing since run 1</figcaption>",
                "<p>1 test failed in run 2 and passed now.</p>",
            ],
        );
        let first = repo.run(&["show", "--html", "1"], b"");
        assert!(!first.output().contains("class=\"badge"), "there is nothing before the first run");
    }

    #[test]
    fn a_page_of_an_incomplete_run_is_not_green() {
        let repo = Repo::with(&[]);
        let repository = Repository::open(repo.path()).unwrap();
        let end = RunEnd { incomplete: true, ..RunEnd::default() };
        repository.load(&*stream(&["a success"]), RunInfo::default(), end).unwrap();
        check(
            &repo,
            "1",
            3,
            &["Incomplete: the only test did not fail", "Sources or tests of this run are missing."],
        );
    }
}
