//! One run, from its beginning to its end in the repository.

use std::collections::HashSet;

use cli::Streams;
use fancy_regex::Regex;
use formats::text::Conclusion;
use plan::Plan;
use plan::compile::Results;
use plan::graph::Graph;
use process::Interrupt;
use repository::{Repository, RunEnd, RunInfo, StoredRun};
use runner::suite::{AnyOutput, Conditions, Format, Listing, Output, Packets, Planned, Suite, Test, Tests};
use streamresult::{Stop, StreamResult, StreamResultExt as _, failure};
use subunit::{Event, Status, Timestamp};

use super::choice::Chosen;
use super::guard::Guard;
use super::part::Part;
use super::steps::Steps;
use crate::git;
use crate::report::{ReportArgs, Sink};

/// How many earlier runs tell how long tests take.
const HISTORY: usize = 10;

/// How the run is done.
pub(super) struct Session<'a> {
    pub(super) parts: &'a [Part<'a>],
    /// What is run of the plan: all its suites, and the tasks that were chosen.
    pub(super) plan: Plan,
    /// Whether these are all suites and tasks there are.
    pub(super) is_all: bool,
    /// How many tasks run at the same time.
    pub(super) room: usize,
    pub(super) guard: &'a Guard,
    pub(super) is_isolated: bool,
    pub(super) keeps_order: bool,
    /// How many failures end it.
    pub(super) most_failures: Option<u32>,
    pub(super) format: Format,
    /// The id of the test that a command is.
    pub(super) id: String,
    /// The words of the command; none where it is a suite.
    pub(super) words: Vec<String>,
}

/// A run that is over.
pub(super) struct Done {
    pub(super) run: StoredRun,
    /// How many tests were not run to their end, since failures have ended it.
    pub(super) not_run: usize,
}

impl Session<'_> {
    /// Runs the tests, stores what comes and shows it.
    ///
    /// # Errors
    ///
    /// When it cannot be stored or shown.
    pub(super) fn run(
        &self,
        repository: &Repository,
        chosen: &[Chosen],
        report: &ReportArgs,
        streams: Streams<'_>,
    ) -> anyhow::Result<Done> {
        let interrupt = streams.interrupt.clone();
        let mut writer = repository.begin(self.info(repository, chosen, &interrupt))?;
        let is_listed =
            |part: &Part<'_>| matches!(&part.listing, Listing::Tests(tests) if tests.failure.is_none());
        // Of a task that tells of tests nobody knows which those are, unless it runs.
        let is_known = self.plan.tasks.iter().all(|task| task.results == Results::Exit);
        let is_whole = self.parts.iter().all(is_listed)
            && chosen.iter().all(|chosen| chosen.is_all)
            && self.is_all
            && is_known;
        let (stop, mut not_run) = (Stop::new(), 0);
        let mut feed = |sink: Sink<'_>| {
            let mut failures = 0;
            let both = ((&mut writer, sink), stop.clone());
            let mut both = both.fail_fast(|_| {
                failures += 1;
                if self.most_failures.is_some_and(|most| failures >= most) {
                    stop.request();
                }
            });
            both = both.each();
            both.start_run()?;
            let ran = self.steps(repository, chosen, &mut both, &interrupt);
            both.stop_run()?;
            not_run += ran?;
            Ok(())
        };
        let shown = if report.subunit {
            report.packets(streams, &mut feed)
        } else {
            // A command is run as it is, whatever failed.
            let rerun = self.words.is_empty().then_some("subunit run --failing");
            report.text(streams, Conclusion { rerun, ..Conclusion::default() }, &mut feed)
        };
        let interrupted = interrupt.has_come();
        let end = RunEnd {
            interrupted,
            // Nobody reads on: what was to come did not.
            incomplete: shown.is_err(),
            names_all_tests: is_whole && shown.is_ok() && !interrupted && !stop.is_requested(),
            ..RunEnd::default()
        };
        let run = writer.finish(end)?;
        shown?;
        Ok(Done { run, not_run: if stop.is_requested() { not_run } else { 0 } })
    }

    /// Runs all units, and counts the tests that were not run because the sink wants no more.
    fn steps(
        &self,
        repository: &Repository,
        chosen: &[Chosen],
        sink: Sink<'_>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<usize> {
        let mut run_suite =
            |number: usize, sink: Sink<'_>| match self.parts.get(number).zip(chosen.get(number)) {
                Some((part, chosen)) => self.tests(repository, part, chosen, sink, interrupt),
                None => Ok(0),
            };
        let ids = |number: usize| chosen.get(number).map(|chosen| chosen.ids.clone()).unwrap_or_default();
        let steps = Steps {
            plan: &self.plan,
            graph: Graph::new(self.plan.steps.clone(), self.room),
            variables: vec![self.guard.variable()],
            folder: self.guard.folder().to_owned(),
            run_suite: &mut run_suite,
            ids: &ids,
            sink,
            not_run: 0,
            error: None,
        };
        steps.run(interrupt)
    }

    fn info(&self, repository: &Repository, chosen: &[Chosen], interrupt: &Interrupt) -> RunInfo {
        let mut words = self.words.iter().cloned();
        let suites = self.parts.iter().map(|part| part.suite.command.trim().to_owned());
        let tasks = self.plan.tasks.iter().map(|task| format!("task {}", task.id));
        let commands: Vec<String> = suites.chain(tasks).collect();
        let command = words.next().unwrap_or_else(|| commands.join("; "));
        let workers = self.parts.iter().map(|part| part.workers).max().map(u32::try_from);
        RunInfo {
            command: Some(command),
            arguments: words.collect(),
            is_selection: self.words.is_empty()
                && !(self.is_all && chosen.iter().all(|chosen| chosen.is_all)),
            git: git::checked_out(repository.path(), interrupt),
            workers: workers.and_then(Result::ok),
            ..RunInfo::default()
        }
    }

    fn tests(
        &self,
        repository: &Repository,
        part: &Part<'_>,
        chosen: &Chosen,
        sink: Sink<'_>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<usize> {
        let none = Tests::default();
        let listing = &part.listing;
        let tests = match listing {
            Listing::Tests(tests) => tests,
            Listing::Unknown => &none,
            Listing::Failed(why) => {
                fail_listing(part, why, sink)?;
                return Ok(0);
            }
            Listing::Interrupted => return Ok(0),
        };
        if let Some(why) = &tests.failure {
            fail_listing(part, why, sink)?;
        }
        if matches!(listing, Listing::Tests(_)) && chosen.ids.is_empty() {
            return Ok(0);
        }
        // Of a file nothing comes but what is in it, and of a test with subtests there may come no more.
        let comes_itself = !tests.are_files && tests.subtests.is_none();
        for id in chosen.ids.iter().filter(|_| comes_itself) {
            sink.status(&Event { timestamp: Some(Timestamp::now()), ..Event::status(id, Status::Exists) })?;
        }
        let conditions = Conditions {
            workers: part.workers,
            instances: part.instances.names(),
            limits: part.limits,
            startup: tests.took,
            is_isolated: self.is_isolated,
            retries: part.retries,
            known: tests.all.iter().map(|test| test.id.clone()).collect(),
        };
        let output = || self.output(part.suite);
        let tests = self.plan(repository, part.suite, tests.of(&chosen.ids), &chosen.first)?;
        Ok(runner::suite::Run::new(part.suite, tests, conditions, &output, sink)?.run(interrupt)?)
    }

    fn output(&self, suite: &Suite) -> Box<dyn Output> {
        match &suite.recipe {
            Some(recipe) => Box::new(AnyOutput::new(recipe.preset.run.format, "")),
            None if self.words.is_empty() => Box::new(Packets::default()),
            None => Box::new(AnyOutput::new(self.format, &self.id)),
        }
    }

    /// What is known of the tests.
    fn plan(
        &self,
        repository: &Repository,
        suite: &Suite,
        tests: Vec<Test>,
        first: &HashSet<String>,
    ) -> anyhow::Result<Vec<(Test, Planned)>> {
        let timings = repository.timings(HISTORY)?;
        let group = suite.group.as_deref().map(|group| Regex::new(&format!("^(?:{group})"))).transpose();
        let group = group.map_err(|error| anyhow::anyhow!("group_regex: {error}"))?;
        let plan = |test: Test| {
            let matched = group.as_ref().and_then(|group| group.find(&test.id).ok().flatten());
            let matched = matched.map(|matched| matched.as_str().to_owned()).filter(|text| !text.is_empty());
            let duration = if self.keeps_order { None } else { timings.get(&test.id) };
            let is_first = first.contains(&test.id);
            (test, Planned { duration, group: matched, is_first, ..Planned::default() })
        };
        Ok(tests.into_iter().map(plan).collect())
    }
}

/// A listing that failed is a failing test.
fn fail_listing(part: &Part<'_>, why: &str, sink: Sink<'_>) -> anyhow::Result<()> {
    Ok(sink.status(&Event { timestamp: Some(Timestamp::now()), ..failure(&part.listing_id, why) })?)
}
