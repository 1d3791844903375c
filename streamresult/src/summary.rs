//! The accounting of a run.

use std::fmt;
use std::io;
use std::iter::Sum;
use std::ops::AddAssign;

use hashbrown::HashTable;
use subunit::{Event, Packet, Status, element};

use crate::announced::Announced;
use crate::finished::Finished;
use crate::key::{HashState, Key};
use crate::look::Look;
use crate::rules::{self, Before, Effect};
use crate::{Extent, Outcome, Record, RecordSink, StreamResult};

/// The one accounting of all commands: how many tests ended in which way, and whether the run succeeded.
///
/// It counts events, as a [`StreamResult`], or records, as a [`RecordSink`]; give it one or the other. Both
/// come to the same counts. The rules are those of [`Records`](crate::Records). It remembers the keys' hashes
/// of the tests in flight, of the last 100 000 that finished, and of those that were announced and did not
/// run yet. When a run starts, nothing is counted yet; [`to_string`](ToString::to_string) is a line for people.
///
/// ```
/// use streamresult::{Outcome, RunVerdict, StreamResult, Summary};
/// use subunit::{Event, Status};
///
/// let mut summary = Summary::new();
/// summary.status(&Event::status("boot", Status::Success))?;
/// summary.status(&Event::status("login", Status::InProgress))?;
/// summary.stop_run()?;
/// assert_eq!(summary.total(), 2);
/// assert_eq!(summary.count(Outcome::Unfinished), 1);
/// assert_eq!(summary.verdict(), RunVerdict::Failed);
/// assert_eq!(summary.to_string(), "2 tests: 1 passed, 1 unfinished");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
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
    /// The announced ones of runs that were added.
    announced_before: u64,
}

/// A test in flight.
#[derive(Clone, Copy, Debug)]
struct Open {
    hash: u64,
    begun: bool,
    /// Its tags, so far, say that it failed before.
    is_flaky: bool,
}

/// The tests in flight.
#[derive(Clone, Debug, Default)]
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

    fn len(&self) -> usize {
        self.others.len() + usize::from(self.last.is_some())
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
        self.announced_before + self.announced.count(&self.finished) as u64
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

    /// How the run went.
    #[must_use]
    pub fn verdict(&self) -> RunVerdict {
        match (self.is_success(), self.ran()) {
            (false, _) => RunVerdict::Failed,
            (true, false) => RunVerdict::Nothing,
            (true, true) => RunVerdict::Passed,
        }
    }

    /// How many tests have begun and not ended, where events are counted: the unfinished ones, once the run ends.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.open.len() as u64
    }

    /// Begins a new run: nothing is counted yet. It is what both traits do.
    ///
    /// # Errors
    ///
    /// Never; the answer is that of the traits' methods.
    pub fn start_run(&mut self) -> io::Result<()> {
        *self = Summary::default();
        Ok(())
    }

    /// Does nothing, as both traits have it.
    ///
    /// # Errors
    ///
    /// Never; the answer is that of the traits' methods.
    pub fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Ends the run: tests that are running are unfinished. It is what both traits do.
    ///
    /// # Errors
    ///
    /// Never; the answer is that of the traits' methods.
    pub fn stop_run(&mut self) -> io::Result<()> {
        for test in self.open.take() {
            self.add(Outcome::Unfinished, test.hash, false, false);
        }
        self.announced.settle(&mut self.finished);
        Ok(())
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
                let is_flaky = (!tags.is_empty()).then(|| tags.iter_bytes().any(rules::is_of_flaky));
                self.test(key, status, is_flaky);
            }
            (None, Some(status)) => self.add_global(status),
            (None, None) => {}
        }
    }

    fn test(&mut self, key: Key<'_>, status: Option<Status>, is_flaky: Option<bool>) {
        let hash = key.hash(&self.hash_state);
        let before = match self.open.find(hash) {
            None => Before::Closed,
            Some(test) if test.begun => Before::Begun,
            Some(_) => Before::Open,
        };
        let finished = &mut self.finished;
        match rules::effect(before, status, || rules::may_be_late(key.test_id) && finished.contains(hash)) {
            Effect::Joins if before == Before::Closed => {
                let is_flaky = is_flaky.unwrap_or_default();
                self.open.insert(Open { hash, begun: status.is_some(), is_flaky });
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
                let outcome = Outcome::of(status);
                self.add(outcome, hash, rules::is_damage(key.test_id, outcome), false);
            }
            Effect::Announces => self.add(Outcome::Exists, hash, false, true),
            Effect::Late => self.late += 1,
        }
    }
}

impl StreamResult for Summary {
    fn start_run(&mut self) -> io::Result<()> {
        Summary::start_run(self)
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.count_event(event);
        Ok(())
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.count_event(packet);
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        Summary::stop_run(self)
    }
}

impl<V> RecordSink<V> for Summary {
    fn start_run(&mut self) -> io::Result<()> {
        Summary::start_run(self)
    }

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
        Summary::stop_run(self)
    }
}

/// Adds the counts of another run. A test of both counts twice, and one that is running there is unfinished.
///
/// ```
/// use streamresult::{RunningTest, Summary};
///
/// let mut shards = [Summary::new(), Summary::new()];
/// for shard in &mut shards {
///     RunningTest::start(shard, "boot")?.succeed()?;
/// }
/// let all: Summary = shards.iter().sum();
/// assert_eq!(all.to_string(), "2 tests: 2 passed");
/// # Ok::<(), std::io::Error>(())
/// ```
impl AddAssign<&Summary> for Summary {
    fn add_assign(&mut self, other: &Summary) {
        let add = |counts: &mut [u64], others: &[u64]| {
            counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
        };
        add(&mut self.outcomes, &other.outcomes);
        add(&mut self.global, &other.global);
        let unfinished = other.running();
        if let Some(count) = self.outcomes.get_mut(Outcome::Unfinished as usize) {
            *count += unfinished;
        }
        self.damaged += other.damaged;
        self.flaky += other.flaky;
        self.late += other.late;
        self.announced_before += other.announced();
    }
}

impl<'a> Sum<&'a Summary> for Summary {
    fn sum<I: Iterator<Item = &'a Summary>>(summaries: I) -> Self {
        summaries.fold(Summary::new(), |mut all, summary| {
            all += summary;
            all
        })
    }
}

/// How a run went, as far as its tests tell. Closed: these are all the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunVerdict {
    /// Tests ran, and nothing counts against the run.
    Passed,
    /// Something counts against the run.
    Failed,
    /// No test ran.
    Nothing,
}

const PASSED: &str = "passed";

/// What became of a run, in one line: `7 tests: 6 passed, 1 failed`.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(formatter, "{total} test{}", if total == 1 { "" } else { "s" })?;
        let mut separator = ": ";
        for (count, words) in self.counts() {
            if count > 0 {
                write!(formatter, "{separator}{count} {words}")?;
                separator = ", ";
            }
            if words == PASSED && self.flaky() > 0 {
                write!(formatter, " ({} flaky)", self.flaky())?;
            }
        }
        Ok(())
    }
}

impl Summary {
    fn counts(&self) -> [(u64, &'static str); 9] {
        let failures = Status::ALL.into_iter().filter(|status| status.is_failure());
        let global: u64 = failures.map(|status| self.global(status)).sum();
        [
            (self.count(Outcome::Success), PASSED),
            (self.count(Outcome::Fail), "failed"),
            (self.count(Outcome::UxSuccess), "passed unexpectedly"),
            (self.unfinished(), "unfinished"),
            (self.count(Outcome::XFail), "failed as expected"),
            (self.count(Outcome::Skip), "skipped"),
            (self.announced(), "announced but not run"),
            (
                global,
                if global == 1 { "failure of the run as a whole" } else { "failures of the run as a whole" },
            ),
            (self.damaged(), if self.damaged() == 1 { "damaged packet" } else { "damaged packets" }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use subunit::Event;

    use super::*;

    fn check(statuses: &[Status], expected: &str) {
        let mut summary = Summary::new();
        for (number, status) in statuses.iter().enumerate() {
            summary.status(&Event::status(&format!("test {number}"), *status)).unwrap();
        }
        summary.stop_run().unwrap();
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn a_test_that_passed_when_it_was_tried_again_is_flaky() {
        let told = |tags: &[&str]| {
            let mut summary = Summary::new();
            let event = Event { tags: tags.into(), ..Event::status("a", Status::InProgress) };
            summary.status(&event).unwrap();
            summary.status(&Event::status("a", Status::Success)).unwrap();
            summary.to_string()
        };
        assert_eq!(told(&["flaky"]), "1 test: 1 passed (1 flaky)");
        assert_eq!(told(&["x", "attempt-2"]), "1 test: 1 passed (1 flaky)");
        assert_eq!(told(&["attempt-1"]), "1 test: 1 passed");
    }

    #[test]
    fn only_what_there_is_is_told() {
        check(&[], "0 tests");
        check(&[Status::Success], "1 test: 1 passed");
        check(&[Status::Exists], "0 tests: 1 announced but not run");
        check(
            &[Status::Success, Status::Fail, Status::InProgress],
            "3 tests: 1 passed, 1 failed, 1 unfinished",
        );
        let others = [Status::UxSuccess, Status::XFail, Status::Skip];
        check(&others, "3 tests: 1 passed unexpectedly, 1 failed as expected, 1 skipped");
    }
}
