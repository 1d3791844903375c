//! What workers tell of their tests.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use subunit::{Event, Status, Timestamp};

use super::super::test::owner;
use super::Workers;

impl Workers<'_> {
    /// Passes on an event of a test that may be tried again.
    pub(super) fn pass_on(&mut self, worker: usize, event: &Event<'_>) -> io::Result<()> {
        match event.test_id.and_then(|id| self.owner(id)) {
            Some((number, _)) if self.feed.is_with(number, worker) => {
                self.attempts.take(number, event, self.sink)
            }
            // Its end was told before, and it is the next attempt that counts.
            Some((number, _)) if self.attempts.knows(number) => Ok(()),
            _ => self.sink.status(event),
        }
    }

    /// Notes what an event says.
    pub(super) fn note(&mut self, worker: usize, event: &Event<'_>) -> io::Result<()> {
        let (Some(id), Some(status)) = (event.test_id, event.status) else { return Ok(()) };
        if status.is_failure() {
            self.note_failure(worker);
        }
        match self.owner(id).filter(|(number, _)| self.feed.is_with(*number, worker)) {
            Some((number, true)) => self.note_own(worker, number, status, event.timestamp),
            Some((number, false)) => {
                self.note_within(worker, number, status, event.timestamp);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The test that an id is of, and whether it is its own.
    fn owner(&self, id: &str) -> Option<(usize, bool)> {
        let owner = owner(id, self.suite.subtests(), |id| self.numbers.contains_key(id))?;
        Some((*self.numbers.get(owner)?, owner == id))
    }

    fn note_own(
        &mut self,
        worker: usize,
        number: usize,
        status: Status,
        at: Option<Timestamp>,
    ) -> io::Result<()> {
        match status {
            Status::Exists => {}
            Status::InProgress => {
                self.feed.began(number);
                self.began.extend(at.map(|at| (number, at)));
            }
            _ => {
                let took = self.took(number, at);
                self.attempt_ended(number, took)?;
                self.serve(worker, false);
            }
        }
        Ok(())
    }

    /// Ends a test, or has it wait for its next attempt.
    pub(super) fn attempt_ended(&mut self, number: usize, took: Option<Duration>) -> io::Result<()> {
        if self.attempts.ended(number, self.sink)? {
            self.feed.again(number, took, self.suite.is_live());
        } else {
            self.feed.ended(number, took);
        }
        Ok(())
    }

    /// Notes a result of something within a test, which may have none of its own.
    fn note_within(&mut self, worker: usize, number: usize, status: Status, at: Option<Timestamp>) {
        self.feed.began(number);
        if let Some(at) = at {
            self.began.entry(number).or_insert(at);
        }
        if status.is_final() {
            self.within.insert(number, (worker, at));
        }
    }

    /// A worker ended by itself: of what had results only within it, that was all.
    pub(super) fn end_within(&mut self, worker: usize) -> io::Result<()> {
        let all = std::mem::take(&mut self.within);
        let (own, others): (HashMap<_, _>, HashMap<_, _>) =
            all.into_iter().partition(|(_, (by, _))| *by == worker);
        self.within = others;
        for (number, (_, ended)) in own {
            if self.feed.is_open(number) {
                let took = self.took(number, ended);
                self.attempt_ended(number, took)?;
            }
        }
        Ok(())
    }

    fn took(&mut self, number: usize, ended: Option<Timestamp>) -> Option<Duration> {
        let (began, ended) = self.began.remove(&number).zip(ended)?;
        ended.since_epoch().checked_sub(began.since_epoch())
    }

    pub(super) fn note_failure(&mut self, worker: usize) {
        self.has_failed.get_mut(worker).into_iter().for_each(|failed| *failed = true);
    }
}
