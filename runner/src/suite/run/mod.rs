//! Runs the tests of a suite: workers, one after the other and at the same time, and what becomes of their tests.
//!
//! What a worker says is passed on as it comes. What it leaves unsaid is said here, so that no test is lost: one that
//! ran when its worker ended has failed, with how that ended and its last words; one that was passed over has failed,
//! too; and a worker that ended badly though no test failed is a failing test of its own, `subunit-run.worker-0`.

mod live;
mod settle;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{self, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use process::{Cause, Interrupt, LineInput};
use streamresult::{StreamResult, deliver, text_event};
use subunit::{Event, Frame, PushReader, Timestamp};
use tempfile::NamedTempFile;

use super::attempts::{Attempts, Retries};
use super::sent::{Choice, Sent};
use super::worker::{Ended, Job};
use super::{Feed, Limits, Output, Planned, Suite, Test};
use crate::{Work, Workload};

/// A run of the tests of a suite.
pub struct Run<'a>(Workers<'a>);

struct Workers<'a> {
    suite: &'a Suite,
    tests: Vec<Test>,
    numbers: HashMap<String, usize>,
    /// The ids of all tests that are known.
    known: Arc<HashSet<String>>,
    /// Tests of which results came that are not their own: from which worker, and when the last one did.
    within: HashMap<usize, (usize, Option<Timestamp>)>,
    dropped: usize,
    /// When the tests began that run.
    began: HashMap<usize, Timestamp>,
    feed: Feed,
    attempts: Attempts,
    workers: usize,
    limits: Limits,
    instances: &'a [String],
    output: &'a dyn Fn() -> Box<dyn Output>,
    sink: &'a mut dyn StreamResult,
    has_failed: Vec<bool>,
    /// Where workers read ids that are sent them, and since when each of them starts.
    inputs: Vec<Option<(LineInput, Instant)>>,
    /// Workers are ended when it is closed; there is none when no more is wanted.
    lifeline: Option<PipeWriter>,
    /// Its other end.
    life: Arc<OwnedFd>,
    /// Held by each worker until it is gone.
    presence: (Sender<()>, Receiver<()>),
}

/// How many workers there are, what is known of the tests, and how long things may take.
#[derive(Clone, Debug, Default)]
pub struct Conditions<'a> {
    /// Workers at the same time; 0 is one.
    pub workers: usize,
    /// The environments in which they run, of which there are as many; none where they run here.
    pub instances: &'a [String],
    /// How long things may take.
    pub limits: Limits,
    /// How long a worker takes to start.
    pub startup: Duration,
    /// Whether each test has a worker of its own.
    pub is_isolated: bool,
    /// How often a test that fails is tried again.
    pub retries: Retries,
    /// The ids of all tests that are known, whether or not they are run.
    pub known: HashSet<String>,
}

impl<'a> Run<'a> {
    /// These tests of the suite. Without an id all of it is one worker's, which is not told what to run.
    ///
    /// # Errors
    ///
    /// When no pipe can be had.
    pub fn new(
        suite: &'a Suite,
        tests: Vec<(Test, Planned)>,
        conditions: Conditions<'a>,
        output: &'a dyn Fn() -> Box<dyn Output>,
        sink: &'a mut dyn StreamResult,
    ) -> io::Result<Self> {
        let workers = if tests.is_empty() { 1 } else { conditions.workers.clamp(1, tests.len()) };
        let (tests, mut plans): (Vec<Test>, Vec<Planned>) = tests.into_iter().unzip();
        if tests.is_empty() {
            plans.push(Planned::default());
        }
        tell(suite, &tests, &mut plans);
        let mut feed = Feed::new(plans, workers);
        feed.starts_in(conditions.startup);
        feed.carry(suite.recipe.as_ref().map_or(usize::MAX, |recipe| recipe.most_load()));
        if conditions.is_isolated {
            feed.isolate();
        }
        let numbers: HashMap<String, usize> =
            tests.iter().enumerate().map(|(number, test)| (test.id.clone(), number)).collect();
        let Conditions { limits, instances, retries, mut known, .. } = conditions;
        known.extend(numbers.keys().cloned());
        let (began, has_failed) = (HashMap::new(), vec![false; workers]);
        let (life, lifeline) = io::pipe()?;
        Ok(Run(Workers {
            suite,
            tests,
            numbers,
            known: Arc::new(known),
            within: HashMap::new(),
            dropped: 0,
            began,
            feed,
            attempts: Attempts::new(retries),
            workers,
            limits,
            instances,
            output,
            sink,
            has_failed,
            inputs: (0..workers).map(|_| None).collect(),
            lifeline: Some(lifeline),
            life: Arc::new(life.into()),
            presence: channel(),
        }))
    }

    /// Runs the tests, and tells how many were not run to their end. What a signal interrupts is left unfinished, and
    /// what had not begun is not run. The sink can ask for no more: then what runs is ended, and skipped.
    ///
    /// # Errors
    ///
    /// When a result cannot be passed on. No worker lives on then, either.
    pub fn run(mut self, interrupt: &Interrupt) -> io::Result<usize> {
        let run = crate::execute(&mut self.0, interrupt).and_then(|()| self.0.finish());
        let left = self.0.feed.left();
        let Workers { lifeline, presence: (own, others), .. } = self.0;
        drop((lifeline, own));
        // Nothing is ever sent: this ends when the last worker is gone.
        let _ = others.recv();
        run.map(|()| left)
    }
}

impl Workers<'_> {
    fn job(&mut self, worker: usize) -> io::Result<Option<Job>> {
        if self.is_live() {
            return self.live_job(worker).map(Some);
        }
        let batch = self.feed.batch(worker);
        if batch.is_empty() {
            return Ok(None);
        }
        let tests: Vec<Test> = batch.iter().filter_map(|test| self.tests.get(*test).cloned()).collect();
        let list =
            if tests.is_empty() { None } else { Some(list_file(&tests, self.suite.scratch.as_deref())?) };
        let job = self.job_of(worker, &tests, list.as_ref().map(NamedTempFile::path));
        Ok(Some(Job { _ids: list, ..job }))
    }

    /// A worker that is sent its tests when it is ready for them.
    fn live_job(&mut self, worker: usize) -> io::Result<Job> {
        let (reader, input) = LineInput::pipe()?;
        if let Some(own) = self.inputs.get_mut(worker) {
            *own = Some((input, Instant::now()));
        }
        let job = self.job_of(worker, &[], None);
        Ok(Job { input: Some(reader), output: self.read(&self.tests), ..job })
    }

    fn job_of(&self, worker: usize, tests: &[Test], file: Option<&Path>) -> Job {
        let instance = self.instances.get(worker).map(String::as_str);
        Job {
            command: self.suite.runner(tests, file, instance),
            output: self.read(tests),
            input: None,
            _ids: None,
            number: worker,
            is_alone: self.workers == 1,
            limits: self.limits,
            life: Arc::clone(&self.life),
        }
    }

    /// What reads the output of a worker that is sent these tests.
    fn read(&self, tests: &[Test]) -> Box<dyn Output> {
        let inner = (self.output)();
        let has_preset = self.suite.recipe.is_some();
        if !has_preset && self.suite.prefix.is_empty() {
            return inner;
        }
        let sent = || tests.iter().map(|test| test.id.clone()).collect();
        let choice = Choice {
            sent: has_preset.then(sent),
            known: Arc::clone(&self.known),
            subtests: self.suite.subtests().map(str::to_owned),
            prefix: self.suite.prefix.clone(),
            within: tests.first().map(|test| test.within.clone()).unwrap_or_default(),
            ..Choice::default()
        };
        Box::new(Sent { inner, choice })
    }

    /// Says what is left to be said: of tests that might have been tried again, and of results that nobody asked for.
    fn finish(&mut self) -> io::Result<()> {
        self.attempts.finish(self.sink)?;
        self.tell_dropped()
    }

    /// Says how many results came that nobody asked for.
    fn tell_dropped(&mut self) -> io::Result<()> {
        let text = match self.dropped {
            0 => return Ok(()),
            1 => "a result was dropped: it was of a test that its worker was not sent\n".to_owned(),
            count => {
                format!("{count} results were dropped: they were of tests that their workers were not sent\n")
            }
        };
        let event = text_event(text.as_bytes());
        self.sink.status(&Event { timestamp: Some(Timestamp::now()), ..event })
    }
}

impl Workload for Workers<'_> {
    type Event = Vec<u8>;
    type Ending = Ended;
    type Order = Feed;

    fn order(&mut self) -> &mut Feed {
        &mut self.feed
    }

    fn begin(&mut self, worker: usize) -> io::Result<Option<Work<Vec<u8>, Ended>>> {
        let Some(job) = self.job(worker)? else { return Ok(None) };
        let presence = self.presence.0.clone();
        Ok(Some(Box::new(move |interrupt, on_packets| {
            let ended = job.run(interrupt, on_packets);
            drop(presence);
            ended
        })))
    }

    fn event(&mut self, worker: usize, packets: Vec<u8>) -> io::Result<()> {
        PushReader::default().push(&packets, |frame, offset| {
            if let Frame::Packet(packet) = &frame {
                let event = packet.event();
                if self.hear(worker, &event) {
                    return Ok(());
                }
                if self.attempts.are_on() {
                    self.pass_on(worker, &event)?;
                    return self.note(worker, &event);
                }
                self.note(worker, &event)?;
            }
            deliver(&frame, offset, self.sink)
        })?;
        self.sink.flush()?;
        self.stop_if_asked();
        Ok(())
    }

    fn end(&mut self, worker: usize, mut ended: Ended) -> io::Result<()> {
        // It was to get more, and ended without being told to.
        ended.is_early = self.inputs.get_mut(worker).and_then(Option::take).is_some();
        if let Some(startup) = ended.startup {
            self.feed.starts_in(startup);
        }
        let is_interrupted = matches!(&ended.ending, Ok(ending) if ending.cause == Cause::Interrupted);
        if !is_interrupted {
            self.settle(worker, &ended)?;
        } else if self.lifeline.is_none() {
            self.skip(worker)?;
        }
        self.stop_if_asked();
        Ok(())
    }
}

/// What a process has to be told of each test, and which of them it can be told at once.
fn tell(suite: &Suite, tests: &[Test], plans: &mut [Planned]) {
    let Some(recipe) = &suite.recipe else { return };
    for (test, plan) in tests.iter().zip(plans) {
        plan.load = recipe.load(test);
        plan.together.clone_from(if recipe.preset.run.alone { &test.id } else { &test.together });
    }
}

/// A file with an id a line.
fn list_file(tests: &[Test], folder: Option<&Path>) -> io::Result<NamedTempFile> {
    let folder = folder.map_or_else(env::temp_dir, Path::to_owned);
    let mut file = tempfile::Builder::new().prefix("subunit-ids-").tempfile_in(folder)?;
    for test in tests {
        writeln!(file, "{}", test.select)?;
    }
    file.flush()?;
    Ok(file)
}
