//! A task, from its beginning to its end: its attempts, and what becomes of it.

mod command;
mod events;
mod judgement;
mod metrics;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use process::{Deadline, Ending, Follow, Interrupt, Sink, Source, Timeouts, Wait};
use runner::suite::{AnyOutput, Format, Output};
use subunit::Status;

use crate::compile::{Results, Task};
use crate::file::task::Flaky;
use crate::graph::Outcome;
use command::FileState;
pub use command::variable;
use events::{ITSELF, Test};
use judgement::{Findings, Judgement, judge};

/// A task that may begin, with all that it is given.
#[derive(Clone, Debug)]
pub struct Job {
    /// The task.
    pub task: Task,
    /// More of its environment.
    pub variables: Vec<(String, String)>,
    /// Where the data are that it needs.
    pub data: BTreeMap<String, PathBuf>,
    /// A folder for it alone, which is made. What it produces is found in it by [`made`](Job::made).
    pub scratch: PathBuf,
}

/// One run of the command.
struct Attempt {
    ending: io::Result<Ending>,
    /// What its own limits say, where it was ended by one.
    limit: Option<String>,
}

impl Job {
    /// Where a task with this folder leaves a datum.
    #[must_use]
    pub fn made(scratch: &std::path::Path, datum: &str) -> PathBuf {
        scratch.join("data").join(datum)
    }

    /// Runs it, and hands on what it says as whole packets.
    ///
    /// # Errors
    ///
    /// When its folder cannot be made, or an event cannot be written.
    pub fn run(&self, interrupt: &Interrupt, on_packets: &mut dyn FnMut(Vec<u8>)) -> io::Result<Outcome> {
        let mut test = Test::new(&self.task, on_packets);
        test.begin()?;
        if let Some(why) = &self.task.table.skip {
            test.end(Status::Skip, std::slice::from_ref(why), &[], None)?;
            return Ok(Outcome::Skipped);
        }
        loop {
            test.holds = test.attempt <= self.task.table.retries;
            self.prepare()?;
            let report = FileState::of(self.report().as_deref());
            let attempt = self.attempt(interrupt, &mut test)?;
            test.close_running()?;
            let findings = self.findings(&attempt, &report, &test);
            let judgement = judge(&self.task, &attempt.ending, attempt.limit.as_deref(), &findings);
            let Some(judgement) = judgement else { return Ok(Outcome::Failed) };
            let numbers = findings.numbers.as_deref();
            if judgement.status == Status::Fail && test.holds {
                test.retry(&judgement.reasons, numbers)?;
                continue;
            }
            test.release();
            let judgement = self.without_luck(judgement, &test);
            test.end(judgement.status, &judgement.reasons, &judgement.tags, numbers)?;
            return Ok(judgement.outcome);
        }
    }

    /// Where a pass after a failure is none.
    fn without_luck(&self, judgement: Judgement, test: &Test<'_>) -> Judgement {
        let is_lucky = judgement.status == Status::Success && test.attempt > 1;
        if !is_lucky || self.task.table.flaky == Flaky::Pass {
            return judgement;
        }
        let mut tags = judgement.tags;
        tags.push("flaky");
        let reasons = vec![format!("it passed only in attempt {}, and is not to be flaky", test.attempt)];
        Judgement { status: Status::Fail, outcome: Outcome::Failed, reasons, tags }
    }

    /// Its folders and the file that tells it what it has.
    fn prepare(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.scratch) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(self.scratch.join("data"))?;
        fs::write(self.context(), self.told())
    }

    fn attempt(&self, interrupt: &Interrupt, test: &mut Test<'_>) -> io::Result<Attempt> {
        let table = &self.task.table;
        let deadline = table.timeout.map_or(Deadline::NEVER, |limit| Deadline::after(limit.0));
        let follow =
            Follow { finds_leaks: true, ..Follow::new(Wait { deadline, interrupt }, Timeouts::COMMAND) };
        let mut listener = Listener {
            output: self.output(),
            test,
            idle: table.idle_timeout.map(|limit| limit.0),
            last: std::time::Instant::now(),
        };
        let ending = match self.command().and_then(|mut command| follow.start(&mut command)) {
            Ok(child) => Ok(child.to_the_end(&mut listener)?),
            Err(error) => Err(error),
        };
        let Listener { mut output, idle, .. } = listener;
        if let Some(path) = self.report()
            && let Some(output) = &mut output
        {
            output.feed(&fs::read(path).unwrap_or_default(), test)?;
        }
        let exit = ending.as_ref().ok().and_then(judgement::exit_code);
        output.into_iter().try_for_each(|mut output| output.finish(exit, test))?;
        test.hand_on();
        let limit = judgement::limit(&ending, table.timeout.map(|limit| limit.0), idle);
        Ok(Attempt { ending, limit })
    }

    /// What reads its results; nothing where its exit status is all.
    fn output(&self) -> Option<Box<dyn Output>> {
        match &self.task.results {
            Results::Exit => None,
            Results::Output(format) => Some(Box::new(AnyOutput::new(*format, ITSELF))),
            Results::Junit(_) => Some(Box::new(AnyOutput::new(Format::Junit, ITSELF))),
        }
    }

    /// The file that its results are in.
    fn report(&self) -> Option<PathBuf> {
        match &self.task.results {
            Results::Junit(path) => Some(self.task.folder.join(path)),
            _ => None,
        }
    }

    fn findings(&self, attempt: &Attempt, report: &FileState, test: &Test<'_>) -> Findings {
        let mut wrong = Vec::new();
        if let Some(path) = self.report()
            && FileState::of(Some(&path)) == *report
        {
            wrong.push(format!("it did not write {}, in which its results were to be", path.display()));
        }
        for datum in &self.task.table.produces {
            if !Job::made(&self.scratch, datum).exists() {
                let variable = variable(datum);
                wrong.push(format!("it did not make {}: nothing is at ${variable}", datum.as_str()));
            }
        }
        let ending = attempt.ending.as_ref().ok();
        let (numbers, broken) = metrics::look(&self.metrics(), ending, &self.task.table.require);
        wrong.extend(broken);
        Findings { wrong, numbers: Some(numbers), failed: test.failed.clone(), total: test.total }
    }
}

/// Hears a task.
struct Listener<'a, 't> {
    output: Option<Box<dyn Output>>,
    test: &'a mut Test<'t>,
    idle: Option<Duration>,
    last: std::time::Instant,
}

impl Sink for Listener<'_, '_> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        self.last = std::time::Instant::now();
        let is_file = matches!(self.test.task.results, Results::Junit(_));
        match (&mut self.output, source) {
            (Some(output), Source::Stdout) if !is_file => output.feed(bytes, self.test),
            _ => self.test.wrote(source, bytes),
        }
    }

    fn idle(&mut self) -> io::Result<()> {
        if let Some(output) = &mut self.output {
            output.flush(self.test)?;
        }
        self.test.hand_on();
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.idle.map_or(Deadline::NEVER, |limit| Deadline::after(limit.saturating_sub(self.last.elapsed())))
    }
}
