//! `subunit failing`: what failed and was not put right since.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read as _, Write};

use cli::{Streams, Verdict, VerdictArgs};
use formats::text::Conclusion;
use formats::visible;
use repository::{Error, Failure, Repository, RunId, RunRef, StoredRun};
use streamresult::{DAMAGE_ID, StreamResult, drive};
use subunit::{Event, Packet};

use super::command::RepositoryCommand;
use super::json;
use super::repo_args::RepoArgs;
use super::report::{ReportOrJsonArgs, Sink, StoredResult, fail_run};
use super::run_status::{self, write_lost, write_whole};
use super::show::Unstopped;

/// At most this many tests of a run are looked up one by one.
const FEW: usize = 16;

/// Show what fails
///
/// A test counts as failing from the run in which it failed until a run in which it passes, or fails as expected. Being
/// skipped or not being run changes nothing. What is no test (setUpClass, a build, a document) goes when a later run of
/// its tests, or a later one of the same `subunit load --command`, is whole and green, and a test that is gone by
/// `subunit load --full`, or by a run that lists its tests and has others in place of those that are gone. A run whose stream is damaged fails as a whole, until its tests are run
/// again. The report shows each failure with its output, from the run that decided it.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "nothing is failing",
        Failed = "something is (--exit-zero makes it 0)",
        Incomplete = "nothing is, as far as is known: files of a run that failed are damaged",
        Nothing = "there are no runs yet (--allow-empty makes it 0)",
    ],
    "  subunit failing\n  \
       subunit failing --list >failing.txt || make check TESTS='--load-list failing.txt'\n  \
       subunit failing --subunit | subunit2junitxml >failing.xml"
))]
pub struct Failing {
    /// List the ids of the tests, one per line
    #[arg(long, conflicts_with_all = ["subunit", "json"])]
    list: bool,
    #[command(flatten)]
    report: ReportOrJsonArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl RepositoryCommand for Failing {
    const NAME: &'static str = "subunit failing";

    fn without_runs(&self) -> Verdict {
        self.verdict.apply(Verdict::Nothing)
    }

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
        let failing = repository.failing()?;
        if failing.is_clear() {
            // That nothing ever ran is another answer than that nothing fails.
            repository.run(RunRef::LATEST)?;
        }
        let verdict = match (failing.is_empty(), failing.is_clear()) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Incomplete,
            (true, true) => Verdict::Passed,
        };
        let repository::FailingSet { tests, runs, lost, .. } = failing;
        lost.iter().try_for_each(|run| write_lost(run, streams.errors))?;
        if self.report.form.json {
            let out = streams.output;
            tests.iter().try_for_each(|test| json::Test::failing(test).write(out))?;
            runs.iter().try_for_each(|run| json::whole(run, false, out))?;
            lost.iter().try_for_each(|run| json::whole(run, true, out))?;
        } else if self.list {
            write_ids(&tests, streams.output)?;
            runs.iter().try_for_each(|run| write_whole(run, streams.errors))?;
        } else if self.report.report.subunit {
            self.report.report.packets(streams, |sink| tell(repository, &tests, &runs, sink))?;
        } else if verdict == Verdict::Passed {
            writeln!(streams.output, "nothing is failing")?;
        } else if verdict == Verdict::Incomplete {
            writeln!(streams.output, "what is failing is not known")?;
        } else {
            self.report
                .report
                .text(streams, Conclusion::default(), |sink| tell(repository, &tests, &runs, sink))?;
        }
        Ok(self.verdict.apply(verdict))
    }
}

fn write_ids(tests: &[Failure], out: &mut dyn Write) -> io::Result<()> {
    // The same test on several workers is next to itself.
    let mut last = None;
    for test in tests {
        if last.replace(&test.test_id) != Some(&test.test_id) {
            writeln!(out, "{}", visible::line(&test.test_id))?;
        }
    }
    Ok(())
}

/// Gives the packets of the tests that fail, and says which runs fail as a whole.
fn tell(
    repository: &Repository,
    tests: &[Failure],
    runs: &[StoredRun],
    sink: Sink<'_>,
) -> anyhow::Result<()> {
    let mut of_run: BTreeMap<RunId, Vec<&Failure>> = BTreeMap::new();
    tests.iter().for_each(|test| of_run.entry(test.run).or_default().push(test));
    for (run, tests) in of_run {
        let mut sink = Unstopped(&mut *sink);
        if tests.len() <= FEW {
            tests.iter().try_for_each(|test| tell_one(repository, test, &mut sink))?;
        } else {
            tell_many(repository, run, &tests, &mut sink)?;
        }
    }
    for run in runs {
        let mut sink = Unstopped(&mut *sink);
        match repository.log(run.id, DAMAGE_ID, None, &mut sink) {
            Ok(1..) if run.counts.global_failures == 0 => {}
            Ok(_) | Err(Error::Pruned(_)) => {
                fail_run(&mut sink, &format!("run {}: {}", run.id, run_status::why(run)))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sink.stop_run()?)
}

/// Finds a test in the stream of its run.
fn tell_one(repository: &Repository, test: &Failure, sink: Sink<'_>) -> anyhow::Result<()> {
    let route = Some(test.route_code.as_deref());
    match repository.log(test.run, &test.test_id, route, &mut Unstopped(&mut *sink)) {
        Ok(1..) => Ok(()),
        Ok(0) | Err(Error::Pruned(_)) => Ok(StoredResult::from(test).tell(sink)?),
        Err(error) => Err(error.into()),
    }
}

/// Reads the whole stream of a run, which costs less than finding each of many tests in it.
fn tell_many(repository: &Repository, id: RunId, tests: &[&Failure], sink: Sink<'_>) -> anyhow::Result<()> {
    let run = repository.run(id)?;
    let mut wanted: Routes<'_> = HashMap::new();
    for test in tests {
        wanted.entry(&test.test_id).or_default().push((test.route_code.as_deref(), false));
    }
    match repository.stream(id) {
        Ok(stream) => {
            let whole = stream.take(run.bytes.saturating_sub(run.tail));
            drive(whole, &mut TestSelection { wanted: &mut wanted, sink: &mut *sink })?;
        }
        Err(Error::Pruned(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let is_lost = |test: &&&Failure| {
        let routes = wanted.get(&*test.test_id).map(Vec::as_slice).unwrap_or_default();
        routes.contains(&(test.route_code.as_deref(), false))
    };
    Ok(tests.iter().filter(is_lost).try_for_each(|test| StoredResult::from(*test).tell(&mut *sink))?)
}

/// The routes on which each test is wanted, and whether it was found there.
type Routes<'t> = HashMap<&'t str, Vec<(Option<&'t str>, bool)>>;

/// Lets the events of some tests pass, and notes of which there were any.
struct TestSelection<'w, 't, 's> {
    wanted: &'w mut Routes<'t>,
    sink: Sink<'s>,
}

impl TestSelection<'_, '_, '_> {
    fn is_wanted(&mut self, test_id: Option<&str>, route_code: Option<&str>) -> bool {
        let Some(routes) = test_id.and_then(|id| self.wanted.get_mut(id)) else { return false };
        let found = routes.iter_mut().find(|(route, _)| *route == route_code);
        found.map(|(_, found)| *found = true).is_some()
    }
}

impl StreamResult for TestSelection<'_, '_, '_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        if self.is_wanted(event.test_id, event.route_code) { self.sink.status(event) } else { Ok(()) }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let is_wanted = self.is_wanted(packet.test_id(), packet.route_code());
        if is_wanted { self.sink.packet(packet) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    #[test]
    fn ids_are_listed_once() {
        let repo = Repo::with(&[&["b fail @0", "b fail @1", "a\nx begun", "c success"]]);
        repo.check(&["failing", "--list"], 1, "a\\nx\nb\n");
        repo.check(&["failing", "--list", "--exit-zero"], 0, "a\\nx\nb\n");
    }

    #[test]
    fn nothing_is_another_answer_than_no_runs() {
        Repo::with(&[&["a fail"], &["a success"]]).check(&["failing"], 0, "nothing is failing\n");
        Repo::with(&[]).check(&["failing"], 4, "");
    }

    #[test]
    fn each_failure_comes_from_the_run_that_decided_it() {
        let repo = Repo::with(&[&["a fail", "b fail"], &["b success"], &["c uxsuccess"]]);
        let report = "---- failures ----\nFAIL  a\n\nUXSUCCESS  c\n\n---- failing tests ----\n  a\n  c\n\n\
                      FAILED  2 tests: 1 failed, 1 passed unexpectedly\n";
        repo.check(&["failing"], 1, report);
        let packets = [stream(&["a fail"]), stream(&["c uxsuccess"])].concat();
        assert_eq!(repo.run(&["failing", "--subunit"], b"").output, packets);
    }

    #[test]
    fn a_damaged_run_fails_as_a_whole() {
        let repo = Repo::with(&[]);
        repo.run(&["load"], b"\xb3\x29\x01");
        let outcome = repo.run(&["failing", "--list"], b"");
        assert_eq!((outcome.verdict.code(), outcome.output()), (1, ""));
        assert_eq!(outcome.errors(), "still failing: run 1 as a whole: 1 damaged packet\n");
        let stream = repo.run(&["failing", "--subunit"], b"");
        let mut summary = streamresult::Summary::new();
        streamresult::drive(&stream.output[..], &mut summary).unwrap();
        assert!(!summary.is_success());
    }

    #[test]
    fn many_failures_of_a_run_are_read_at_once() {
        let ids: Vec<String> = (10..40).map(|number| format!("{number} fail")).collect();
        let mut run: Vec<&str> = ids.iter().map(String::as_str).collect();
        let failing = stream(&run);
        run.insert(7, "a success");
        let repo = Repo::with(&[&run, &["a success"]]);
        assert_eq!(repo.run(&["failing", "--subunit"], b"").output, failing);
        repo.run(&["prune", "--run=1"], b"");
        assert_eq!(repo.run(&["failing", "--subunit"], b"").output, failing);
    }

    #[test]
    fn what_is_lost_is_no_success() {
        let repo = Repo::with(&[&["a fail", "b begun"], &["c success"]]);
        repo.run(&["prune", "--run=1"], b"");
        for file in ["runs/000001/results", "index.sqlite"] {
            std::fs::write(repo.path().join(".subunit").join(file), "").unwrap();
        }
        let lost = "not known any more: 2 failed tests of run 1: its results are damaged, and its stream was pruned. Put \
                    its files back and `subunit rebuild`, or load a run of all tests with --full\n";
        for args in [&["failing"][..], &["failing", "--list"], &["last"], &["rebuild"]] {
            let outcome = repo.run(args, b"");
            assert_eq!(outcome.verdict, cli::Verdict::Incomplete, "{args:?}: {}", outcome.errors());
            assert!(outcome.errors().contains(lost), "{args:?}: {}", outcome.errors());
            assert!(!outcome.errors().contains("the stream of run 1 is damaged"), "{}", outcome.errors());
        }
        assert_eq!(repo.run(&["load"], &stream(&["a success"])).verdict, cli::Verdict::Incomplete);
        assert_eq!(repo.run(&["load", "--full"], &stream(&["a success"])).verdict, cli::Verdict::Passed);
        repo.check(&["failing"], 0, "nothing is failing\n");
    }

    #[test]
    fn a_failure_outlives_its_stream() {
        let repo = Repo::with(&[&["a fail"], &["b success"], &["b success"]]);
        repo.run(&["prune", "--keep=1", "--failing-too"], b"");
        assert_eq!(repo.run(&["failing", "--subunit"], b"").output, stream(&["a fail"]));
    }
}
