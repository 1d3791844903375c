//! Runs the tests of a suite: workers, one after the other and at the same time, and what becomes of their tests.
//!
//! What a worker says is passed on as it comes. What it leaves unsaid is said here, so that no test is lost: one that
//! ran when its worker ended has failed, with how that ended and its last words; one that was passed over has failed,
//! too; and a worker that ended badly though no test failed is a failing test of its own, `subunit-run.worker-0`.

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{self, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use formats::human::show_duration;
use process::{Cause, Exit, Interrupt, LineInput, SignalName, last_line};
use streamresult::{StreamResult, deliver, failure, text_event};
use subunit::{Event, Frame, PushReader, Status, Tags, Timestamp};
use tempfile::NamedTempFile;

use super::program::{Word, line};
use super::sent::{Choice, Sent};
use super::test::owner;
use super::worker::{Ended, Job};
use super::{Answer, Feed, Limits, Output, Planned, Suite, Test, Unfinished};
use crate::{Work, Workload};

/// What the ids of tests begin with that are about the run itself.
const OWN: &str = "subunit-run.";

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
    workers: usize,
    limits: Limits,
    instances: &'a [String],
    output: &'a dyn Fn() -> Box<dyn Output>,
    sink: &'a mut dyn StreamResult,
    has_failed: Vec<bool>,
    /// Where workers read ids that are sent them, and since when each of them starts.
    inputs: Vec<Option<(LineInput, Instant)>>,
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
        let Conditions { limits, instances, mut known, .. } = conditions;
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
            workers,
            limits,
            instances,
            output,
            sink,
            has_failed,
            inputs: (0..workers).map(|_| None).collect(),
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
        let run = crate::execute(&mut self.0, interrupt).and_then(|()| self.0.tell_dropped());
        let Workers { lifeline, presence: (own, others), .. } = self.0;
        drop((lifeline, own));
        // Nothing is ever sent: this ends when the last worker is gone.
        let _ = others.recv();
        run
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

    /// Whether tests are sent to workers one by one.
    fn is_live(&self) -> bool {
        self.suite.is_live() && !self.tests.is_empty()
    }

    /// Hears what a worker says of itself; `true` where it does.
    fn hear(&mut self, worker: usize, event: &Event<'_>) -> bool {
        let Some(word) = Word::of(event) else { return false };
        let is_fed = self.inputs.get(worker).is_some_and(Option::is_some);
        match word {
            Word::Ready if is_fed => {
                let begun = self.inputs.get(worker).and_then(|input| Some(input.as_ref()?.1));
                self.feed.is_ready(worker, begun.map_or(Duration::ZERO, |begun| begun.elapsed()));
                self.serve(worker, false);
            }
            Word::WantsNext => self.serve(worker, true),
            // It is sent nothing, and ends by that.
            Word::Ready | Word::Unknown => self.dismiss(worker),
        }
        true
    }

    /// Sends a worker what it can take, or tells it that there is nothing more.
    fn serve(&mut self, worker: usize, is_wanted: bool) {
        let mut is_wanted = is_wanted;
        loop {
            let Some((input, _)) = self.inputs.get_mut(worker).and_then(Option::as_mut) else { return };
            match self.feed.answer(worker, std::mem::take(&mut is_wanted)) {
                Answer::Send(test) => {
                    let id = self.tests.get(test).map(|test| test.select.as_str()).unwrap_or_default();
                    if input.send(line(id).as_bytes()).is_err() {
                        // It reads no longer, which its end will say.
                        return self.dismiss(worker);
                    }
                }
                Answer::Wait => return,
                Answer::End => return self.dismiss(worker),
            }
        }
    }

    /// Tells a worker that nothing more comes.
    fn dismiss(&mut self, worker: usize) {
        if let Some((mut input, _)) = self.inputs.get_mut(worker).and_then(Option::take) {
            // The end of its input says the same.
            drop(input.send(b"\n"));
        }
    }

    fn note(&mut self, worker: usize, event: &Event<'_>) {
        let (Some(id), Some(status)) = (event.test_id, event.status) else { return };
        if status.is_failure() {
            self.note_failure(worker);
        }
        let Some(number) = self.numbers.get(id).copied() else {
            return self.note_within(worker, id, status, event.timestamp);
        };
        match status {
            Status::Exists => {}
            Status::InProgress => {
                self.feed.began(number);
                self.began.extend(event.timestamp.map(|at| (number, at)));
            }
            _ => {
                let took = self.took(number, event.timestamp);
                self.feed.ended(number, took);
                self.serve(worker, false);
            }
        }
    }

    /// Notes a result of something within a test, which may have none of its own.
    fn note_within(&mut self, worker: usize, id: &str, status: Status, at: Option<Timestamp>) {
        let owner = owner(id, self.suite.subtests(), |id| self.numbers.contains_key(id));
        let Some(number) = owner.and_then(|id| self.numbers.get(id)).copied() else { return };
        self.feed.began(number);
        if let Some(at) = at {
            self.began.entry(number).or_insert(at);
        }
        if status.is_final() {
            self.within.insert(number, (worker, at));
        }
    }

    /// A worker ended by itself: of what had results only within it, that was all.
    fn end_within(&mut self, worker: usize) {
        let all = std::mem::take(&mut self.within);
        let (own, others): (HashMap<_, _>, HashMap<_, _>) =
            all.into_iter().partition(|(_, (by, _))| *by == worker);
        self.within = others;
        for (number, (_, ended)) in own {
            if self.feed.is_open(number) {
                let took = self.took(number, ended);
                self.feed.ended(number, took);
            }
        }
    }

    fn took(&mut self, number: usize, ended: Option<Timestamp>) -> Option<Duration> {
        let (began, ended) = self.began.remove(&number).zip(ended)?;
        ended.since_epoch().checked_sub(began.since_epoch())
    }

    fn note_failure(&mut self, worker: usize) {
        self.has_failed.get_mut(worker).into_iter().for_each(|failed| *failed = true);
    }

    /// Says what a worker left unsaid.
    fn settle(&mut self, worker: usize, ended: &Ended) -> io::Result<()> {
        let how = how(worker, ended);
        self.dropped += ended.dropped;
        if ends_by_itself(ended) {
            self.end_within(worker);
        }
        if self.tests.is_empty() {
            self.feed.ended(0, None);
        }
        for unfinished in self.feed.worker_ended(worker, ended.is_early || !is_success(ended)) {
            let (number, why) = match unfinished {
                Unfinished::Ran(number) => (number, format!("it was running when {how}")),
                Unfinished::NotRun(number) => {
                    (number, format!("not run: it was sent to worker {worker}, and {how}"))
                }
            };
            let Some(id) = self.tests.get(number).map(|test| test.id.clone()) else { continue };
            self.fail(worker, &id, &[], &why, ended)?;
        }
        let own = format!("{}{OWN}worker-{worker}", self.suite.prefix);
        if !is_success(ended) && !self.has_failed.get(worker).copied().unwrap_or_default() {
            self.fail(worker, &own, &[], &format!("{how}, though no test failed"), ended)?;
        }
        let left = ended.ending.as_ref().map(|ending| ending.left.join(", ")).unwrap_or_default();
        // A command that is run as it is may mean to leave something running, and fails where it fails.
        if !left.is_empty() && !self.tests.is_empty() {
            let why = format!("{how}, and left running, which was ended 100 ms later: {left}");
            self.fail(worker, &own, &["leaked"], &why, ended)?;
        }
        self.has_failed.get_mut(worker).into_iter().for_each(|failed| *failed = false);
        self.sink.flush()
    }

    fn fail(&mut self, worker: usize, id: &str, tags: &[&str], why: &str, ended: &Ended) -> io::Result<()> {
        self.note_failure(worker);
        let words = ended.last_words.trim_end();
        let reason = if words.is_empty() {
            format!("{why}\n")
        } else {
            format!("{why}\n\nIts last words:\n{words}\n")
        };
        let runnable = self.numbers.contains_key(id);
        let timestamp = Some(Timestamp::now());
        let event = Event { runnable, tags: Tags::from(tags), timestamp, ..failure(id, &reason) };
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
                let event = packet.event();
                if self.hear(worker, &event) {
                    return Ok(());
                }
                self.note(worker, &event);
            }
            deliver(&frame, offset, self.sink)
        })?;
        self.sink.flush()
    }

    fn end(&mut self, worker: usize, mut ended: Ended) -> io::Result<()> {
        // It was to get more, and ended without being told to.
        ended.is_early = self.inputs.get_mut(worker).and_then(Option::take).is_some();
        if let Some(startup) = ended.startup {
            self.feed.starts_in(startup);
        }
        let is_interrupted = matches!(&ended.ending, Ok(ending) if ending.cause == Cause::Interrupted);
        if is_interrupted { Ok(()) } else { self.settle(worker, &ended) }
    }
}

/// Whether no signal ended it, here or within its shell.
fn ends_by_itself(ended: &Ended) -> bool {
    let ending = ended.ending.as_ref().ok().filter(|ending| ending.cause == Cause::Itself);
    ending.is_some_and(|ending| matches!(ending.exit, Exit::Exited(code) if code <= 128))
}

/// What a process has to be told of each test, and which of them it can be told at once.
fn tell(suite: &Suite, tests: &[Test], plans: &mut [Planned]) {
    let Some(recipe) = &suite.recipe else { return };
    for (test, plan) in tests.iter().zip(plans) {
        plan.load = recipe.load(test);
        plan.together.clone_from(if recipe.preset.run.alone { &test.id } else { &test.together });
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
fn list_file(tests: &[Test], folder: Option<&Path>) -> io::Result<NamedTempFile> {
    let folder = folder.map_or_else(env::temp_dir, Path::to_owned);
    let mut file = tempfile::Builder::new().prefix("subunit-ids-").tempfile_in(folder)?;
    for test in tests {
        writeln!(file, "{}", test.select)?;
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
        let tests = ids.iter().map(|id| (Test::from(*id), Planned::default())).collect();
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
