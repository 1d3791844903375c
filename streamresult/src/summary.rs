//! The accounting of a run.

use std::io;

use hashbrown::HashTable;
use subunit::{Event, Packet, Status, element};

use crate::announced::Announced;
use crate::finished::Finished;
use crate::key::{HashState, Key};
use crate::look::Look;
use crate::rules::{self, Before, DAMAGE_ID, Effect};
use crate::{Extent, Outcome, Record, RecordSink, StreamResult};

/// The one accounting of all commands: how many tests ended in which way, and whether the run succeeded.
///
/// It counts events, as a [`StreamResult`], or records, as a [`RecordSink`]; give it one or the other. Both
/// come to the same counts. The rules are those of [`Records`](crate::Records). It remembers the keys' hashes
/// of the tests in flight, of the last 100 000 that finished, and of those that were announced and did not
/// run yet.
///
/// ```
/// use streamresult::{Outcome, StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let mut summary = Summary::new();
/// summary.status(&Event::status("boot", Status::Success))?;
/// summary.status(&Event::status("login", Status::InProgress))?;
/// summary.stop_run()?;
/// assert_eq!(summary.total(), 2);
/// assert_eq!(summary.count(Outcome::Unfinished), 1);
/// assert!(!summary.is_success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Summary {
    outcomes: [u64; Outcome::ALL.len()],
    damaged: u64,
    flaky: u64,
    late: u64,
    global: [u64; Status::ALL.len()],
    announced: Announced,
    finished: Finished,
    /// The tests in flight, where events are counted.
    open: OpenHashes,
    hash_state: HashState,
}

/// A test in flight.
#[derive(Clone, Copy, Debug)]
struct Open {
    hash: u64,
    begun: bool,
    is_damage: bool,
    /// Its tags, so far, say that it failed before.
    is_flaky: bool,
}

/// The tests in flight.
#[derive(Debug, Default)]
struct OpenHashes {
    /// The one that began last: one that runs alone never gets into the table.
    last: Option<Open>,
    others: HashTable<Open>,
}

impl OpenHashes {
    #[inline]
    fn find(&mut self, hash: u64) -> Option<&mut Open> {
        match &mut self.last {
            Some(last) if last.hash == hash => Some(last),
            _ if self.others.is_empty() => None,
            _ => self.others.find_mut(hash, |test| test.hash == hash),
        }
    }

    /// Adds a test that is not among them.
    #[inline]
    fn insert(&mut self, test: Open) {
        if let Some(before) = self.last.replace(test) {
            self.others.insert_unique(before.hash, before, |test| test.hash);
        }
    }

    #[inline]
    fn remove(&mut self, hash: u64) {
        if self.last.is_some_and(|last| last.hash == hash) {
            self.last = None;
        } else if let Ok(entry) = self.others.find_entry(hash, |test| test.hash == hash) {
            entry.remove();
        }
    }

    fn take(&mut self) -> impl Iterator<Item = Open> + use<> {
        std::mem::take(&mut self.others).into_iter().chain(self.last.take())
    }
}

impl Summary {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Summary::default()
    }

    /// How many tests ended like this. [`Outcome::Exists`] counts announcements, also of tests that run;
    /// damage is counted apart.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        element(&self.outcomes, outcome as usize)
    }

    /// How many tests ran: all but the announced ones, and without damage.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.outcomes.iter().sum::<u64>() - self.count(Outcome::Exists)
    }

    /// How many tests began and did not end. While the run goes on, they are not counted yet.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.count(Outcome::Unfinished)
    }

    /// How many tests passed only when they were tried again; see [`Record::is_flaky`].
    #[must_use]
    pub fn flaky(&self) -> u64 {
        self.flaky
    }

    /// How many stretches of bytes could not be read.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How many tests were announced by `exists` and did not run. One that had run before is known as long
    /// as it is among the last 100 000 that finished.
    #[must_use]
    pub fn announced(&self) -> u64 {
        self.announced.count(&self.finished) as u64
    }

    /// How many events had this status and no test id.
    #[must_use]
    pub fn global(&self, status: Status) -> u64 {
        element(&self.global, status as usize - 1)
    }

    /// How many events had a status and no test id.
    #[must_use]
    pub fn global_total(&self) -> u64 {
        self.global.iter().sum()
    }

    /// How many events came for tests after they had finished.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How much counts against the run: tests that failed, passed unexpectedly or are unfinished, damage, and
    /// a `fail` or `uxsuccess` of the run as a whole.
    #[must_use]
    pub fn failures(&self) -> u64 {
        let tests = Outcome::ALL.into_iter().filter(|outcome| outcome.is_failure());
        let global = Status::ALL.into_iter().filter(|status| status.is_failure());
        tests.map(|outcome| self.count(outcome)).sum::<u64>()
            + self.damaged
            + global.map(|status| self.global(status)).sum::<u64>()
    }

    /// Whether nothing counts against the run. A run of nothing is a success: see [`ran`](Summary::ran).
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures() == 0
    }

    /// Whether any test ran.
    #[must_use]
    pub fn ran(&self) -> bool {
        self.total() != 0
    }

    /// Counts a test. One that is running and was announced again is known to run.
    fn add(&mut self, outcome: Outcome, hash: u64, is_damage: bool, is_running: bool) {
        if is_damage {
            self.damaged += 1;
        } else {
            self.count_outcome(outcome);
            match outcome {
                Outcome::Exists if is_running => {}
                Outcome::Exists => self.announced.announce(hash, &mut self.finished),
                _ => self.announced.run(hash, &mut self.finished),
            }
        }
        if !matches!(outcome, Outcome::Exists | Outcome::Unfinished) {
            self.finished.push(hash);
        }
    }

    fn count_outcome(&mut self, outcome: Outcome) {
        if let Some(count) = self.outcomes.get_mut(outcome as usize) {
            *count += 1;
        }
    }

    fn add_global(&mut self, status: Status) {
        if let Some(count) = self.global.get_mut(status as usize - 1) {
            *count += 1;
        }
    }

    #[inline]
    fn count_event(&mut self, event: &impl Look) {
        match (event.key(), event.status()) {
            (Some(key), status) => {
                let tags = event.tags();
                let is_flaky = (!tags.is_empty()).then(|| tags.iter().any(rules::is_of_flaky));
                self.test(key, status, is_flaky);
            }
            (None, Some(status)) => self.add_global(status),
            (None, None) => {}
        }
    }

    fn test(&mut self, key: Key<'_>, status: Option<Status>, is_flaky: Option<bool>) {
        let hash = key.hash(&self.hash_state);
        let is_damage = key.test_id == DAMAGE_ID.as_bytes();
        let before = match self.open.find(hash) {
            None => Before::Closed,
            Some(test) if test.begun => Before::Begun,
            Some(_) => Before::Open,
        };
        let finished = &mut self.finished;
        match rules::effect(before, status, || !is_damage && finished.contains(hash)) {
            Effect::Joins if before == Before::Closed => {
                let is_flaky = is_flaky.unwrap_or_default();
                self.open.insert(Open { hash, begun: status.is_some(), is_damage, is_flaky });
            }
            Effect::Joins => {
                if let (true, Some(test)) = (status.is_some() || is_flaky.is_some(), self.open.find(hash)) {
                    test.begun |= status.is_some();
                    test.is_flaky = is_flaky.unwrap_or(test.is_flaky);
                }
            }
            Effect::Ends => {
                let was_flaky = || self.open.find(hash).is_some_and(|test| test.is_flaky);
                let passed = status == Some(Status::Success);
                self.flaky += u64::from(passed && is_flaky.unwrap_or_else(was_flaky));
                if before != Before::Closed {
                    self.open.remove(hash);
                }
                self.add(Outcome::of(status), hash, is_damage, false);
            }
            Effect::Announces => self.add(Outcome::Exists, hash, is_damage, true),
            Effect::Late => self.late += 1,
        }
    }

    /// The run is over: what waited to be looked at is.
    fn settle(&mut self) {
        self.announced.settle(&mut self.finished);
    }
}

impl StreamResult for Summary {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.count_event(event);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.count_event(packet);
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        for test in self.open.take() {
            self.add(Outcome::Unfinished, test.hash, test.is_damage, false);
        }
        self.settle();
        Ok(())
    }
}

impl<V> RecordSink<V> for Summary {
    fn record(&mut self, record: &Record<'_, V>) -> io::Result<()> {
        self.flaky += u64::from(record.is_flaky());
        self.add(record.outcome(), record.hash(), record.is_damage(), record.is_running());
        Ok(())
    }

    fn late(&mut self, _: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        self.late += 1;
        Ok(())
    }

    fn global_status(&mut self, _: &Event<'_>, status: Status) -> io::Result<()> {
        self.add_global(status);
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.settle();
        Ok(())
    }
}
