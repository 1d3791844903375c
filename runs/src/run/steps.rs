//! The units of a plan, each when it may: tasks at the same time, suites by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use plan::graph::{Decision, Graph, Outcome};
use plan::task::Job;
use plan::{Part, Plan, Task};
use process::{Interrupt, chain};
use runner::{Work, Workload};
use streamresult::{StreamResult, deliver, failure};
use subunit::{Event, PushReader, Status, TEXT_TYPE, Tags, Timestamp};

use crate::report::Sink;

/// Runs the tests of a suite, by its number, and counts those that were not run.
pub(super) type RunSuite<'a> = &'a mut dyn FnMut(usize, Sink<'_>) -> anyhow::Result<usize>;

/// A plan that is run.
pub(super) struct Steps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) graph: Graph,
    /// What all processes of the run have in their environment.
    pub(super) variables: Vec<(String, String)>,
    /// Where the run can put files that are gone with it.
    pub(super) folder: PathBuf,
    pub(super) run_suite: RunSuite<'a>,
    /// The ids of the tests of a suite that are to be run.
    pub(super) ids: &'a dyn Fn(usize) -> Vec<String>,
    pub(super) sink: Sink<'a>,
    /// How many tests were not run, because the sink wants no more.
    pub(super) not_run: usize,
    /// What went wrong that is no failure of a test.
    pub(super) error: Option<anyhow::Error>,
}

impl Steps<'_> {
    /// Runs all, and counts the tests that were not run, because the sink wants no more.
    pub(super) fn run(mut self, interrupt: &Interrupt) -> anyhow::Result<usize> {
        for task in &self.plan.tasks {
            let event =
                Event { timestamp: Some(Timestamp::now()), ..Event::status(&task.id, Status::Exists) };
            self.sink.status(&event)?;
        }
        let ran = runner::execute(&mut self, interrupt);
        self.error.map_or(Ok(()), Err)?;
        ran?;
        Ok(self.not_run)
    }

    fn scratch(&self, unit: usize) -> PathBuf {
        self.folder.join("tasks").join(unit.to_string())
    }

    fn task(&self, unit: usize) -> Option<&Task> {
        match self.plan.parts.get(unit)? {
            Part::Task(number) => self.plan.tasks.get(*number),
            Part::Suite(_) => None,
        }
    }

    /// Where each datum is that a unit needs, by the units that made them.
    fn data(&self, unit: usize, from: &[Option<usize>]) -> BTreeMap<String, PathBuf> {
        let names = self.plan.steps.get(unit).map(|step| step.data.as_slice()).unwrap_or_default();
        let made = names.iter().zip(from).filter_map(|(name, from)| {
            let from = (*from)?;
            Some((name.clone(), Job::made(&self.scratch(from), name)))
        });
        made.collect()
    }

    /// Runs a suite to its end.
    fn suite(&mut self, unit: usize, number: usize, from: &[Option<usize>]) -> io::Result<()> {
        for (name, made) in self.data(unit, from) {
            let place = datum_of_suite(&self.folder, number, &name);
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            let _old = fs::remove_file(&place);
            symlink(made, place)?;
        }
        let mut watched = Watched { sink: &mut *self.sink, has_failed: false };
        let ran = (self.run_suite)(number, &mut watched);
        let outcome = if watched.has_failed || ran.is_err() { Outcome::Failed } else { Outcome::Passed };
        self.graph.ended(unit, outcome);
        ran.map(|not_run| self.not_run += not_run).map_err(|error| {
            self.error = Some(error);
            io::Error::other("a suite could not be run")
        })
    }

    /// The ids of all tests of a unit.
    fn tests(&self, unit: usize) -> Vec<String> {
        match self.plan.parts.get(unit) {
            Some(Part::Suite(number)) => (self.ids)(*number),
            _ => self.task(unit).map(|task| task.id.clone()).into_iter().collect(),
        }
    }

    /// Says of all tests of a unit why they are not run.
    fn skip(&mut self, unit: usize, root: usize) -> io::Result<()> {
        let name = |unit: usize| self.plan.steps.get(unit).map(|step| step.name.as_str()).unwrap_or_default();
        let how = match self.graph.outcome(root) {
            Some(Outcome::Skipped) => "was skipped",
            _ => "failed",
        };
        let reason = format!("it builds on {}, which {how}\n", name(root));
        for id in self.tests(unit) {
            let file =
                Event { mime_type: Some(TEXT_TYPE), eof: true, ..Event::file("reason", reason.as_bytes()) };
            let event = Event {
                test_id: Some(&id),
                status: Some(Status::Skip),
                tags: Tags::from(&["dependency"][..]),
                timestamp: Some(Timestamp::now()),
                ..file
            };
            self.sink.status(&event)?;
        }
        self.graph.ended(unit, Outcome::Dependency(root));
        Ok(())
    }
}

impl Workload for Steps<'_> {
    type Event = Vec<u8>;
    type Ending = io::Result<Outcome>;
    type Order = Graph;

    fn order(&mut self) -> &mut Graph {
        &mut self.graph
    }

    fn begin(&mut self, unit: usize) -> io::Result<Option<Work<Vec<u8>, io::Result<Outcome>>>> {
        if self.sink.should_stop() {
            self.not_run += self.tests(unit).len();
            self.graph.ended(unit, Outcome::Skipped);
            return Ok(None);
        }
        let from = match self.graph.decide(unit) {
            Decision::Skip(root) => return self.skip(unit, root).map(|()| None),
            Decision::Run(from) => from,
        };
        if let Some(Part::Suite(number)) = self.plan.parts.get(unit) {
            return self.suite(unit, *number, &from).map(|()| None);
        }
        let Some(task) = self.task(unit).cloned() else { return Ok(None) };
        let data = self.data(unit, &from);
        let job = Job { task, variables: self.variables.clone(), data, scratch: self.scratch(unit) };
        Ok(Some(Box::new(move |interrupt, on_packets| job.run(interrupt, on_packets))))
    }

    fn event(&mut self, _: usize, packets: Vec<u8>) -> io::Result<()> {
        PushReader::default().push(&packets, |frame, offset| deliver(&frame, offset, &mut *self.sink))?;
        self.sink.flush()
    }

    fn end(&mut self, unit: usize, ending: io::Result<Outcome>) -> io::Result<()> {
        let outcome = match ending {
            Ok(outcome) => outcome,
            Err(error) => {
                let id = self.task(unit).map(|task| task.id.clone()).unwrap_or_default();
                let reason = format!("it could not be followed: {}\n", chain(&error));
                self.sink.status(&Event { timestamp: Some(Timestamp::now()), ..failure(&id, &reason) })?;
                Outcome::Failed
            }
        };
        self.graph.ended(unit, outcome);
        Ok(())
    }
}

/// Where a suite finds a datum, whichever task makes it: its workers are told before that is known.
pub(super) fn datum_of_suite(folder: &Path, number: usize, datum: &str) -> PathBuf {
    folder.join("suites").join(number.to_string()).join(datum)
}

/// Passes on what a suite says, and notes whether something failed.
struct Watched<'a> {
    sink: Sink<'a>,
    has_failed: bool,
}

impl StreamResult for Watched<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.has_failed |= event.status.is_some_and(Status::is_failure);
        self.sink.status(event)
    }

    fn should_stop(&self) -> bool {
        self.sink.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
