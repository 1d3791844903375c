//! Which worker runs which tests when: a state machine that neither reads, writes nor waits.
//!
//! A test is waiting, sent to a worker, running there, or done. Whoever runs the workers tells what happens, and is told
//! what to send next:
//!
//! | told | becomes of the tests |
//! |---|---|
//! | a worker is free ([`Feed::batch`]) | as many as suit it are sent |
//! | a test began, ended | running, done; or waiting, where it is tried [`Feed::again`] |
//! | a worker ended ([`Feed::worker_ended`]) | what it did not finish is [`Unfinished`]: the one that ran when it died is to blame, the rest waits again, at most [`MOST_ATTEMPTS`] times |
//!
//! **How many tests a batch has.** Each batch is a new process, which takes time to start, so few batches are good. But
//! nobody knows how long tests will take, here and on a busy machine, so the last batches should be short. So a worker
//! that comes free gets its share of half of what is left: `remaining / 2W`; yet not less than is worth a start, and
//! never more than its whole share, `remaining / W`. The longest tests go first; a test that is not known counts as the
//! median of those that are, of earlier runs or of this one. Tests of one group stay together.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::live::Live;
use crate::Order;

/// A test whose worker died is given to another this often; then it has failed.
const MOST_ATTEMPTS: usize = 3;
/// What a test counts for as long as none is known.
const GUESS: Duration = Duration::from_millis(100);
/// A batch should take this many times as long as its worker takes to start.
const WORTH: u32 = 8;

/// A test that is to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// How long it took last.
    pub duration: Option<Duration>,
    /// Whether it goes before those that are not first.
    pub is_first: bool,
    /// Tests of the same group are run by one process.
    pub group: Option<String>,
    /// Tests of which this differs are never run by one process.
    pub together: String,
    /// How much of what one process can be told it needs.
    pub load: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Sent(usize),
    Running(usize),
    Done,
}

#[derive(Clone, Debug)]
struct Test {
    duration: Option<Duration>,
    is_first: bool,
    together: String,
    load: usize,
    stage: Stage,
    attempts: usize,
}

/// A test that its worker did not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It ran when the worker ended: it has failed.
    Ran(usize),
    /// It was sent to workers that ended before they came to it, or did not know it: it has failed.
    NotRun(usize),
}

/// Decides which tests a worker gets.
///
/// ```
/// use runner::suite::{Feed, Planned};
///
/// let mut feed = Feed::new(vec![Planned::default(); 3], 1);
/// feed.starts_in(std::time::Duration::from_secs(60));
/// assert_eq!(feed.batch(0), [0, 1, 2]);
/// feed.began(0);
/// feed.ended(0, None);
/// feed.began(1);
/// // The worker is gone. What it had not begun is given to the next.
/// assert_eq!(feed.worker_ended(0, true), [runner::suite::Unfinished::Ran(1)]);
/// assert_eq!(feed.batch(0), [2]);
/// ```
#[derive(Clone, Debug)]
pub struct Feed {
    tests: Vec<Test>,
    /// The groups that wait, the longest last.
    pub(super) waiting: Vec<Vec<usize>>,
    pub(super) busy: Vec<bool>,
    /// What each worker was given last; one by one, what it has.
    pub(super) given: Vec<VecDeque<usize>>,
    startup: Duration,
    /// How long tests take of which nothing is known.
    guess: Duration,
    /// How much a process can be told.
    most: usize,
    is_sorted: bool,
    is_stopped: bool,
    pub(super) is_isolated: bool,
    /// How many durations came in, and after how many the next guess is made.
    learned: (usize, usize),
    /// What is known of workers that are fed one by one.
    pub(super) live: Live,
}

impl Feed {
    /// Feeds these tests, in this order where nothing is known of them, to this many workers.
    #[must_use]
    pub fn new(tests: Vec<Planned>, workers: usize) -> Self {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for (number, test) in tests.iter().enumerate() {
            let own = test.group.clone().map(|group| (group, test.together.clone()));
            let place = own.map(|own| *places.entry(own).or_insert(groups.len()));
            match place.and_then(|place| groups.get_mut(place)) {
                Some(group) => group.push(number),
                None => groups.push(vec![number]),
            }
        }
        let new = |test: Planned| Test {
            duration: test.duration,
            is_first: test.is_first,
            together: test.together,
            load: test.load,
            stage: Stage::Waiting,
            attempts: 0,
        };
        Feed {
            tests: tests.into_iter().map(new).collect(),
            waiting: groups,
            busy: vec![false; workers.max(1)],
            given: vec![VecDeque::new(); workers.max(1)],
            startup: Duration::ZERO,
            guess: GUESS,
            most: usize::MAX,
            is_sorted: false,
            is_stopped: false,
            is_isolated: false,
            learned: (0, 0),
            live: Live::new(workers.max(1)),
        }
    }

    /// Tells how long a worker takes until its first test begins.
    pub fn starts_in(&mut self, startup: Duration) {
        self.startup = startup;
    }

    /// Gives no worker more than this, by what the tests need.
    pub fn carry(&mut self, most: usize) {
        self.most = most;
    }

    /// Gives each worker one test, or one group.
    pub fn isolate(&mut self) {
        self.is_isolated = true;
    }

    /// The tests that a worker gets now, by their numbers; none when nothing waits.
    pub fn batch(&mut self, worker: usize) -> Vec<usize> {
        self.sort();
        let goal = if self.is_isolated { Duration::ZERO } else { self.goal() };
        let batch = self.gather(goal);
        for number in &batch {
            self.set(*number, Stage::Sent(worker));
        }
        if let Some(given) = self.given.get_mut(worker) {
            given.extend(&batch);
        }
        batch
    }

    /// Tells that a test began.
    pub fn began(&mut self, test: usize) {
        if let Some(own) = self.tests.get_mut(test)
            && let Stage::Sent(worker) = own.stage
        {
            own.stage = Stage::Running(worker);
        }
    }

    /// Tells that a test ended, and how long it took.
    pub fn ended(&mut self, test: usize, took: Option<Duration>) {
        let Some(own) = self.tests.get_mut(test) else { return };
        let (before, expected) = (own.stage, own.duration);
        own.stage = Stage::Done;
        own.duration = took.or(own.duration);
        self.learned.0 += usize::from(took.is_some());
        if let Stage::Sent(worker) | Stage::Running(worker) = before {
            self.live.note(worker, expected, took);
            let given = self.given.get_mut(worker);
            // Most end in their order, so that they are found at the front.
            given.into_iter().for_each(|given| {
                let place = given.iter().position(|other| *other == test);
                place.and_then(|place| given.remove(place));
            });
        }
    }

    /// Tells that a test ended, and is to be run again: next, or after all that wait.
    pub fn again(&mut self, test: usize, took: Option<Duration>, is_next: bool) {
        self.ended(test, took);
        if self.is_stopped {
            return;
        }
        self.set(test, Stage::Waiting);
        let place = if is_next { self.waiting.len() } else { 0 };
        self.waiting.insert(place, vec![test]);
        self.live.add_up_again();
    }

    /// Tells that a worker ended; `has_died` says that it did not end well. What it did not begin waits again then, and
    /// has failed otherwise: it was passed over.
    pub fn worker_ended(&mut self, worker: usize, has_died: bool) -> Vec<Unfinished> {
        let mut unfinished = Vec::new();
        let mut again = Vec::new();
        let given = self.given.get_mut(worker).map(std::mem::take).unwrap_or_default();
        // Whatever it says of itself, it did not come to what it had after the test that it ran.
        let has_died = has_died || given.iter().any(|test| self.is_running(*test, worker));
        let (rest, fruitless) = self.live.worker_ended(worker, given.is_empty());
        for number in given {
            let Some(test) = self.tests.get_mut(number) else { continue };
            match test.stage {
                Stage::Running(own) if own == worker => {
                    unfinished.push(Unfinished::Ran(number));
                    test.stage = Stage::Done;
                }
                Stage::Sent(own) if own == worker => {
                    test.attempts += 1;
                    if has_died && test.attempts < MOST_ATTEMPTS {
                        test.stage = Stage::Waiting;
                        again.push(number);
                    } else {
                        unfinished.push(Unfinished::NotRun(number));
                        test.stage = Stage::Done;
                    }
                }
                _ => {}
            }
        }
        again.extend(rest);
        if !again.is_empty() {
            // It stays together, as its groups would want it, and goes first.
            self.waiting.push(again);
            self.live.add_up_again();
        }
        if fruitless >= MOST_ATTEMPTS.max(self.busy.len()) {
            let waiting = std::mem::take(&mut self.waiting);
            self.live.add_up_again();
            for number in waiting.into_iter().flatten() {
                self.set(number, Stage::Done);
                unfinished.push(Unfinished::NotRun(number));
            }
        }
        unfinished
    }

    /// Gives up what waits.
    pub fn stop(&mut self) {
        self.is_stopped = true;
        self.waiting.clear();
    }

    /// Whether a test runs, or is sent to a worker.
    #[must_use]
    pub fn is_open(&self, test: usize) -> bool {
        self.tests.get(test).is_some_and(|test| matches!(test.stage, Stage::Sent(_) | Stage::Running(_)))
    }

    /// Whether a worker has a test that it has not ended.
    #[must_use]
    pub fn is_with(&self, test: usize, worker: usize) -> bool {
        let test = self.tests.get(test);
        test.is_some_and(|test| [Stage::Sent(worker), Stage::Running(worker)].contains(&test.stage))
    }

    /// How many tests are not done.
    #[must_use]
    pub fn left(&self) -> usize {
        self.tests.iter().filter(|test| test.stage != Stage::Done).count()
    }

    /// Takes what goes together with the group that waits at the end, up to as much as is wanted.
    fn gather(&mut self, goal: Duration) -> Vec<usize> {
        let Some(mut batch) = self.waiting.pop().map(|group| self.carried(group)) else { return Vec::new() };
        let (mut time, mut load) = (self.estimate(&batch), self.load(&batch));
        let mut taken = 0;
        for at in (0..self.waiting.len()).rev() {
            let Some(group) = self.waiting.get(at) else { break };
            if !self.goes_with(&batch, group) {
                continue;
            }
            time = time.saturating_add(self.estimate(group));
            load = load.saturating_add(self.load(group));
            if self.is_isolated || time > goal || load > self.most {
                break;
            }
            batch.append(&mut self.waiting.get_mut(at).map(std::mem::take).unwrap_or_default());
            taken += 1;
        }
        if taken > 0 {
            self.waiting.retain(|group| !group.is_empty());
        }
        batch
    }

    /// What one process can be told of a group, and be one; the rest waits on.
    fn carried(&mut self, group: Vec<usize>) -> Vec<usize> {
        let mut load = 0_usize;
        let mut fits = |number: &usize| {
            load = load.saturating_add(self.load(std::slice::from_ref(number)));
            load <= self.most
        };
        let count = group.iter().take_while(|number| fits(number)).count().max(1);
        let mut group = group.into_iter();
        let carried = group.by_ref().take(count).collect();
        let rest: Vec<usize> = group.collect();
        if !rest.is_empty() {
            self.waiting.push(rest);
        }
        carried
    }

    fn goes_with(&self, batch: &[usize], group: &[usize]) -> bool {
        let first = |tests: &[usize]| tests.first().and_then(|number| self.tests.get(*number));
        first(batch).zip(first(group)).is_none_or(|(one, other)| one.together == other.together)
    }

    fn load(&self, group: &[usize]) -> usize {
        group.iter().filter_map(|number| self.tests.get(*number)).map(|test| test.load).sum()
    }

    /// Whether it runs at this worker.
    #[must_use]
    pub fn is_running(&self, number: usize, worker: usize) -> bool {
        self.tests.get(number).is_some_and(|test| test.stage == Stage::Running(worker))
    }

    pub(super) fn set(&mut self, number: usize, stage: Stage) {
        if let Some(test) = self.tests.get_mut(number) {
            test.stage = stage;
        }
    }

    /// How long a batch should take.
    fn goal(&self) -> Duration {
        let workers = u32::try_from(self.busy.len()).unwrap_or(u32::MAX);
        let left = self
            .waiting
            .iter()
            .map(|group| self.estimate(group))
            .fold(Duration::ZERO, Duration::saturating_add);
        let share = left / workers;
        let half = share / 2;
        half.max(self.startup * WORTH).min(share)
    }

    pub(super) fn estimate(&self, group: &[usize]) -> Duration {
        let tests = group.iter().filter_map(|number| self.tests.get(*number));
        tests.map(|test| test.duration.unwrap_or(self.guess)).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Puts the longest last, once anything is known, and behind them those that are first. What is equally long keeps its order.
    pub(super) fn sort(&mut self) {
        // One by one, it does not matter how long they take. A guess is made anew when twice as much is known.
        let (learned, next) = self.learned;
        if learned >= next && !self.is_isolated {
            self.learned.1 = (learned * 2).max(1);
            self.guess = self.median().unwrap_or(GUESS);
            self.live.add_up_again();
        }
        if std::mem::replace(&mut self.is_sorted, true) {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.reverse();
        waiting.sort_by_cached_key(|group| (self.is_first(group), self.estimate(group)));
        self.waiting = waiting;
    }

    fn is_first(&self, group: &[usize]) -> bool {
        group.iter().any(|number| self.tests.get(*number).is_some_and(|test| test.is_first))
    }

    fn median(&self) -> Option<Duration> {
        let mut known: Vec<Duration> = self.tests.iter().filter_map(|test| test.duration).collect();
        let middle = known.len() / 2;
        if known.is_empty() {
            return None;
        }
        Some(*known.select_nth_unstable(middle).1)
    }
}

/// Its units are the workers.
impl Order for Feed {
    fn next(&self) -> Option<usize> {
        if self.waiting.is_empty() {
            return None;
        }
        let free = |worker: &usize| self.busy.get(*worker) == Some(&false);
        let workers = || (0..self.busy.len()).filter(free);
        let is_anybody_there = self.busy.contains(&true);
        // A slow one that has no test to its measure is wanted again when there is nobody else.
        let wanted = workers().find(|worker| !self.live.is_retired(*worker));
        wanted.or_else(|| workers().next().filter(|_| !is_anybody_there))
    }

    fn begin(&mut self, worker: usize) {
        self.busy.get_mut(worker).into_iter().for_each(|busy| *busy = true);
    }

    fn end(&mut self, worker: usize) {
        self.busy.get_mut(worker).into_iter().for_each(|busy| *busy = false);
    }

    fn name(&self, worker: usize) -> String {
        format!("worker-{worker}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn known(durations: &[u64]) -> Vec<Planned> {
        let test = |took: &u64| Planned { duration: Some(millis(*took)), ..Planned::default() };
        durations.iter().map(test).collect()
    }

    /// All batches that one worker after the other gets, when none of them ends.
    fn check(tests: Vec<Planned>, workers: usize, startup: u64, expected: &[&[usize]]) {
        let mut feed = Feed::new(tests, workers);
        feed.starts_in(millis(startup));
        let batches: Vec<_> =
            (0..).map(|at| feed.batch(at % workers)).take_while(|batch| !batch.is_empty()).collect();
        assert_eq!(batches, expected);
    }

    #[test]
    fn the_longest_go_first_and_batches_get_shorter() {
        check(known(&[1, 9, 1, 1, 4]), 1, 0, &[&[1], &[4], &[0], &[2], &[3]]);
        check(known(&[1; 8]), 2, 0, &[&[0, 1], &[2], &[3], &[4], &[5], &[6], &[7]]);
    }

    #[test]
    fn a_batch_is_worth_its_start_but_no_more_than_its_share() {
        check(
            known(&[10; 16]),
            2,
            5,
            &[&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9, 10, 11], &[12, 13], &[14], &[15]],
        );
        check(known(&[10; 8]), 2, 10_000, &[&[0, 1, 2, 3], &[4, 5], &[6], &[7]]);
    }

    #[test]
    fn what_is_first_goes_before_what_is_longer() {
        let mut tests = known(&[1, 9, 2, 4]);
        for number in [0, 2] {
            tests[number].is_first = true;
        }
        check(tests, 4, 0, &[&[2], &[0], &[1], &[3]]);
    }

    #[test]
    fn a_group_stays_together() {
        let mut tests = known(&[1; 5]);
        for number in [0, 3, 4] {
            tests[number].group = Some("a".to_owned());
        }
        check(tests, 5, 0, &[&[0, 3, 4], &[1], &[2]]);
    }

    #[test]
    fn what_does_not_go_together_is_apart_and_a_process_is_told_no_more_than_it_takes() {
        let mut tests = known(&[1; 6]);
        for (number, together) in ["a", "b", "a", "a", "b", "a"].into_iter().enumerate() {
            tests[number].together = together.to_owned();
            tests[number].load = 10;
        }
        let mut feed = Feed::new(tests.clone(), 1);
        feed.starts_in(millis(1000));
        feed.carry(30);
        let batches: Vec<_> = (0..4).map(|_| feed.batch(0)).collect();
        assert_eq!(batches, [vec![0, 2, 3], vec![1, 4], vec![5], vec![]]);
        tests.iter_mut().for_each(|test| test.group = Some("g".to_owned()));
        tests[2].together = "b".to_owned();
        let mut feed = Feed::new(tests, 1);
        feed.carry(20);
        let batches: Vec<_> = (0..6).map(|_| feed.batch(0)).collect();
        assert_eq!(batches, [vec![0, 3], vec![5], vec![1, 2], vec![4], vec![], vec![]]);
    }

    #[test]
    fn what_a_dead_worker_had_not_begun_is_run_by_another() {
        let mut feed = Feed::new(known(&[1; 4]), 1);
        feed.starts_in(millis(1000));
        assert_eq!(feed.batch(0), [0, 1, 2, 3]);
        feed.began(0);
        feed.ended(0, Some(millis(1)));
        feed.began(1);
        assert_eq!(feed.worker_ended(0, true), [Unfinished::Ran(1)]);
        assert_eq!(feed.batch(0), [2, 3]);
        assert_eq!(feed.worker_ended(0, true), []);
        assert_eq!(feed.batch(0), [2, 3]);
        assert_eq!(
            feed.worker_ended(0, true),
            [Unfinished::NotRun(2), Unfinished::NotRun(3)],
            "three times are enough"
        );
        assert_eq!((feed.batch(0), feed.left()), (Vec::new(), 0));
    }

    #[test]
    fn a_test_that_ends_its_worker_well_is_to_blame_alone() {
        let mut feed = Feed::new(known(&[1; 2]), 1);
        feed.starts_in(millis(1000));
        assert_eq!(feed.batch(0), [0, 1]);
        feed.began(0);
        assert_eq!(feed.worker_ended(0, false), [Unfinished::Ran(0)]);
        assert_eq!(feed.batch(0), [1]);
    }

    #[test]
    fn what_a_worker_passes_over_was_not_run() {
        let mut feed = Feed::new(known(&[1; 2]), 1);
        feed.starts_in(millis(1000));
        assert_eq!(feed.batch(0), [0, 1]);
        feed.ended(1, None);
        assert_eq!(feed.worker_ended(0, false), [Unfinished::NotRun(0)]);
    }
}
