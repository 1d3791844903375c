//! Runs the tests of a suite: workers, one after the other and at the same time, and what becomes of their tests.
//!
//! What a worker says is passed on as it comes. What it leaves unsaid is said here, so that no test is lost: one that
//! ran when its worker ended has failed, with how that ended and its last words; one that was passed over has failed,
//! too; and a worker that ended badly though no test failed is a failing test of its own, `subunit-run.worker-0`.

use std::collections::HashMap;
use std::io::{self, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use formats::human::show_duration;
use process::{Cause, Exit, Interrupt, SignalName, last_line};
use streamresult::{StreamResult, deliver, failure};
use subunit::{Event, Frame, Packet, PushReader, Status, Timestamp};
use tempfile::NamedTempFile;

use super::worker::{Ended, Job};
use super::{Feed, Limits, Output, Planned, Suite, Unfinished};
use crate::{Work, Workload};

/// What the ids of tests begin with that are about the run itself.
const OWN: &str = "subunit-run.";

/// A run of the tests of a suite.
pub struct Run<'a>(Workers<'a>);

struct Workers<'a> {
    suite: &'a Suite,
    ids: Vec<String>,
    numbers: HashMap<String, usize>,
    /// When the tests began that run.
    began: HashMap<usize, Timestamp>,
    feed: Feed,
    workers: usize,
    limits: Limits,
    instances: &'a [String],
    output: &'a dyn Fn() -> Box<dyn Output>,
    sink: &'a mut dyn StreamResult,
    has_failed: Vec<bool>,
    /// Workers are ended when it is closed.
    lifeline: PipeWriter,
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
}

impl<'a> Run<'a> {
    /// These tests of the suite. Without an id all of it is one worker's, which is not told what to run.
    ///
    /// # Errors
    ///
    /// When no pipe can be had.
    pub fn new(
        suite: &'a Suite,
        tests: Vec<(String, Planned)>,
        conditions: Conditions<'a>,
        output: &'a dyn Fn() -> Box<dyn Output>,
        sink: &'a mut dyn StreamResult,
    ) -> io::Result<Self> {
        let workers = if tests.is_empty() { 1 } else { conditions.workers.clamp(1, tests.len()) };
        let (ids, mut plans): (Vec<String>, Vec<Planned>) = tests.into_iter().unzip();
        if ids.is_empty() {
            plans.push(Planned::default());
        }
        let mut feed = Feed::new(plans, workers);
        feed.starts_in(conditions.startup);
        if conditions.is_isolated {
            feed.isolate();
        }
        let numbers = ids.iter().enumerate().map(|(number, id)| (id.clone(), number)).collect();
        let Conditions { limits, instances, .. } = conditions;
        let (began, has_failed) = (HashMap::new(), vec![false; workers]);
        let (life, lifeline) = io::pipe()?;
        Ok(Run(Workers {
            suite,
            ids,
            numbers,
            began,
            feed,
            workers,
            limits,
            instances,
            output,
            sink,
            has_failed,
            lifeline,
            life: Arc::new(life.into()),
            presence: channel(),
        }))
    }

    /// Runs the tests. What a signal interrupts is left unfinished, and what had not begun is not run.
    ///
    /// # Errors
    ///
    /// When a result cannot be passed on. No worker lives on then, either.
    pub fn run(mut self, interrupt: &Interrupt) -> io::Result<()> {
        let run = crate::execute(&mut self.0, interrupt);
        let Workers { lifeline, presence: (own, others), .. } = self.0;
        drop((lifeline, own));
        // Nothing is ever sent: this ends when the last worker is gone.
        let _ = others.recv();
        run
    }
}

impl Workers<'_> {
    fn job(&mut self, worker: usize) -> io::Result<Option<Job>> {
        let batch = self.feed.batch(worker);
        if batch.is_empty() {
            return Ok(None);
        }
        let ids: Vec<String> = batch.iter().filter_map(|test| self.ids.get(*test).cloned()).collect();
        let list = if ids.is_empty() { None } else { Some(list_file(&ids)?) };
        let file = list.as_ref().map_or(Path::new(""), NamedTempFile::path);
        let command = self.suite.test_command(list.as_ref().map(|_| (ids.as_slice(), file)));
        let instance = self.instances.get(worker).map(String::as_str);
        let command = self.suite.within(command, instance, &file.to_string_lossy());
        Ok(Some(Job {
            command: self.suite.shell(&command),
            output: (self.output)(),
            _ids: list,
            number: worker,
            is_alone: self.workers == 1,
            limits: self.limits,
            life: Arc::clone(&self.life),
        }))
    }

    fn note(&mut self, worker: usize, packet: &Packet<'_>) {
        let event = packet.event();
        let (Some(id), Some(status)) = (event.test_id, event.status) else { return };
        if status.is_failure() {
            self.note_failure(worker);
        }
        let Some(number) = self.numbers.get(id).copied() else { return };
        match status {
            Status::Exists => {}
            Status::InProgress => {
                self.feed.began(number);
                self.began.extend(event.timestamp.map(|at| (number, at)));
            }
            _ => {
                let began = self.began.remove(&number);
                let took = began.zip(event.timestamp);
                let took =
                    took.and_then(|(began, ended)| ended.since_epoch().checked_sub(began.since_epoch()));
                self.feed.ended(number, took);
            }
        }
    }

    fn note_failure(&mut self, worker: usize) {
        self.has_failed.get_mut(worker).into_iter().for_each(|failed| *failed = true);
    }

    /// Says what a worker left unsaid.
    fn settle(&mut self, worker: usize, ended: &Ended) -> io::Result<()> {
        let how = how(worker, ended);
        if self.ids.is_empty() {
            self.feed.ended(0, None);
        }
        for unfinished in self.feed.worker_ended(worker, !is_success(ended)) {
            let (number, why) = match unfinished {
                Unfinished::Ran(number) => (number, format!("it was running when {how}")),
                Unfinished::NotRun(number) => {
                    (number, format!("not run: it was sent to worker {worker}, and {how}"))
                }
            };
            let Some(id) = self.ids.get(number).cloned() else { continue };
            self.fail(worker, &id, true, &why, ended)?;
        }
        if !is_success(ended) && !self.has_failed.get(worker).copied().unwrap_or_default() {
            let id = format!("{OWN}worker-{worker}");
            self.fail(worker, &id, false, &format!("{how}, though no test failed"), ended)?;
        }
        self.has_failed.get_mut(worker).into_iter().for_each(|failed| *failed = false);
        self.sink.flush()
    }

    fn fail(&mut self, worker: usize, id: &str, runnable: bool, why: &str, ended: &Ended) -> io::Result<()> {
        self.note_failure(worker);
        let words = ended.last_words.trim_end();
        let reason = if words.is_empty() {
            format!("{why}\n")
        } else {
            format!("{why}\n\nIts last words:\n{words}\n")
        };
        let event = Event { runnable, timestamp: Some(Timestamp::now()), ..failure(id, &reason) };
        self.sink.status(&event)
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
                self.note(worker, packet);
            }
            deliver(&frame, offset, self.sink)
        })?;
        self.sink.flush()
    }

    fn end(&mut self, worker: usize, ended: Ended) -> io::Result<()> {
        if let Some(startup) = ended.startup {
            self.feed.starts_in(startup);
        }
        let is_interrupted = matches!(&ended.ending, Ok(ending) if ending.cause == Cause::Interrupted);
        if is_interrupted { Ok(()) } else { self.settle(worker, &ended) }
    }
}

fn is_success(ended: &Ended) -> bool {
    ended.ending.as_ref().is_ok_and(process::Ending::is_success)
}

/// How a worker ended, as a part of a sentence.
fn how(worker: usize, ended: &Ended) -> String {
    match (&ended.why, &ended.ending) {
        (Some(why), _) => format!("worker {worker} was ended: {why}"),
        (None, Ok(ending)) => {
            let last = last_line(&ended.last_words).filter(|_| !ending.is_success());
            let last = last.map(|line| format!(", saying {line:?}")).unwrap_or_default();
            let shell = match ending.exit {
                // A shell tells so of what it ran.
                Exit::Exited(code @ 129..=192) => format!(": {}", SignalName(code - 128)),
                _ => String::new(),
            };
            format!(
                "worker {worker} ended after {} ({}{shell}){last}",
                show_duration(ending.elapsed),
                ending.exit
            )
        }
        (None, Err(error)) => format!("worker {worker} could not be run: {error}"),
    }
}

/// A file with an id a line.
fn list_file(ids: &[String]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("subunit-ids-").tempfile()?;
    for id in ids {
        writeln!(file, "{id}")?;
    }
    file.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines `b id` and `e id` begin and end a test.
    #[derive(Default)]
    struct Words(Vec<u8>);

    impl Output for Words {
        fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
            self.0.extend_from_slice(bytes);
            while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.0.drain(..=end).collect();
                let line = String::from_utf8(line).unwrap();
                let (word, id) = line.trim().split_once(' ').unwrap();
                let status = if word == "b" { Status::InProgress } else { Status::Success };
                sink.status(&Event::status(id, status))?;
            }
            Ok(())
        }

        fn finish(&mut self, _: Option<i32>, _: &mut dyn StreamResult) -> io::Result<()> {
            Ok(())
        }
    }

    fn check(script: &str, ids: &[&str], limits: Limits, expected: &[&str]) {
        let suite = Suite {
            folder: ".".into(),
            command: format!("for id in $IDLIST; do {script}; done"),
            ..Suite::default()
        };
        let tests = ids.iter().map(|id| ((*id).to_owned(), Planned::default())).collect();
        let mut seen = Vec::new();
        let mut sink = streamresult::from_fn(|event: &Event<'_>| {
            if let (Some(id), Some(status)) = (event.test_id, event.status) {
                let file = event
                    .file
                    .map(|file| String::from_utf8_lossy(file.bytes).into_owned())
                    .unwrap_or_default();
                let first = file.lines().next().unwrap_or_default();
                // How long it took differs.
                let parts: Vec<_> = first.split(" after ").collect();
                let rest =
                    parts.get(1).and_then(|rest| rest.split_once(" (")).map(|(_, rest)| format!(" ({rest}"));
                let first = parts.first().copied().unwrap_or_default();
                seen.push(format!("{id} {status:?} {first}{}", rest.unwrap_or_default()).trim().to_owned());
            }
            Ok(())
        });
        let conditions =
            Conditions { workers: 1, limits, startup: Duration::from_secs(60), ..Conditions::default() };
        let output = || Box::new(Words::default()) as Box<dyn Output>;
        Run::new(&suite, tests, conditions, &output, &mut sink).unwrap().run(&Interrupt::never()).unwrap();
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_said_is_passed_on() {
        check(
            "echo b $id; echo e $id",
            &["a", "b"],
            Limits::default(),
            &["a InProgress", "a Success", "b InProgress", "b Success"],
        );
    }

    #[test]
    fn a_test_that_ran_when_its_worker_died_has_failed_and_the_rest_is_run() {
        check(
            "echo b $id; test $id = a && kill -9 $$; echo e $id",
            &["a", "b"],
            Limits::default(),
            &[
                "a InProgress",
                "a Fail it was running when worker 0 ended (killed by signal 9 (SIGKILL))",
                "b InProgress",
                "b Success",
            ],
        );
    }

    #[test]
    fn a_test_that_was_passed_over_has_failed() {
        check(
            "test $id = a || { echo b $id; echo e $id; }",
            &["a", "b"],
            Limits::default(),
            &[
                "b InProgress",
                "b Success",
                "a Fail not run: it was sent to worker 0, and worker 0 ended (exit code 0)",
            ],
        );
    }

    #[test]
    fn a_worker_that_ends_badly_is_a_failure() {
        check(
            "echo b $id; echo e $id; exit 3",
            &["a"],
            Limits::default(),
            &[
                "a InProgress",
                "a Success",
                "subunit-run.worker-0 Fail worker 0 ended (exit code 3), though no test failed",
            ],
        );
    }

    #[test]
    fn a_test_that_takes_too_long_is_ended_and_the_rest_is_run() {
        let limits = Limits { test: Some(Duration::from_millis(1500)), ..Limits::default() };
        check(
            "echo b $id; test $id = a && sleep 1000; echo e $id",
            &["a", "b"],
            limits,
            &[
                "a InProgress",
                "a Fail it was running when worker 0 was ended: timed out",
                "b InProgress",
                "b Success",
            ],
        );
    }
}
