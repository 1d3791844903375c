//! What a worker left unsaid when it ended.

use std::io;

use formats::human::show_duration;
use process::{Cause, Exit, SignalName, last_line};
use streamresult::{StreamResult as _, failure};
use subunit::{Event, Status, Tags, Timestamp};

use super::super::Unfinished;
use super::super::worker::Ended;
use super::Workers;

/// What the ids of tests begin with that are about the run itself.
const OWN: &str = "subunit-run.";

impl Workers<'_> {
    /// Says what a worker left unsaid.
    pub(super) fn settle(&mut self, worker: usize, ended: &Ended) -> io::Result<()> {
        let how = how(worker, ended);
        self.dropped += ended.dropped;
        if ends_by_itself(ended) {
            self.end_within(worker)?;
        }
        if self.tests.is_empty() {
            self.feed.ended(0, None);
        }
        for unfinished in self.feed.worker_ended(worker, ended.is_early || !is_success(ended)) {
            self.fail_test(worker, unfinished, &how, ended)?;
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

    /// Says that a test was ended since no more is wanted.
    pub(super) fn skip(&mut self, worker: usize) -> io::Result<()> {
        let running: Vec<usize> =
            self.began.keys().copied().filter(|number| self.feed.is_running(*number, worker)).collect();
        for id in running.into_iter().filter_map(|number| self.tests.get(number)).map(|test| &test.id) {
            let skipped =
                Event { status: Some(Status::Skip), ..failure(id, "ended, since the run was stopped\n") };
            self.sink.status(&Event { runnable: true, timestamp: Some(Timestamp::now()), ..skipped })?;
        }
        self.sink.flush()
    }

    /// Ends the workers, and begins nothing more, once the sink wants no more.
    pub(super) fn stop_if_asked(&mut self) {
        if self.sink.should_stop() {
            self.feed.stop();
            self.lifeline = None;
        }
    }

    /// Fails a test that was not finished. What was ended since it took too long may be tried again; what ended its
    /// worker may not, since that is not put right by it.
    fn fail_test(
        &mut self,
        worker: usize,
        unfinished: Unfinished,
        how: &str,
        ended: &Ended,
    ) -> io::Result<()> {
        let (number, why) = match unfinished {
            Unfinished::Ran(number) => (number, format!("it was running when {how}")),
            Unfinished::NotRun(number) => {
                (number, format!("not run: it was sent to worker {worker}, and {how}"))
            }
        };
        let Some(id) = self.tests.get(number).map(|test| test.id.clone()) else { return Ok(()) };
        self.note_failure(worker);
        let reason = with_last_words(&why, ended);
        let event = Event { runnable: true, timestamp: Some(Timestamp::now()), ..failure(&id, &reason) };
        if ended.why.is_none() || matches!(unfinished, Unfinished::NotRun(_)) {
            return self.attempts.give_up(number, &event, self.sink);
        }
        self.attempts.take(number, &event, self.sink)?;
        self.began.remove(&number);
        self.attempt_ended(number, None)
    }

    /// Fails a test that is about the worker.
    fn fail(&mut self, worker: usize, id: &str, tags: &[&str], why: &str, ended: &Ended) -> io::Result<()> {
        self.note_failure(worker);
        let reason = with_last_words(why, ended);
        let event =
            Event { tags: Tags::from(tags), timestamp: Some(Timestamp::now()), ..failure(id, &reason) };
        self.sink.status(&event)
    }
}

fn with_last_words(why: &str, ended: &Ended) -> String {
    let words = ended.last_words.trim_end();
    if words.is_empty() { format!("{why}\n") } else { format!("{why}\n\nIts last words:\n{words}\n") }
}

/// Whether no signal ended it, here or within its shell.
fn ends_by_itself(ended: &Ended) -> bool {
    let ending = ended.ending.as_ref().ok().filter(|ending| ending.cause == Cause::Itself);
    ending.is_some_and(|ending| matches!(ending.exit, Exit::Exited(code) if code <= 128))
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
