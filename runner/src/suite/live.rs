//! Tests one by one, to workers that read ids as they come: still without reading, writing or waiting.
//!
//! A worker is asked for when it says that it is ready, and has at most [`IN_FLIGHT`] tests: the one that it runs, and
//! the next, so that it need not wait, and knows what it can tear down. But what was sent cannot be had back. So towards
//! the end the next one is sent only when it is asked for, or nothing runs there.
//!
//! **Whoever is slow gets less.** How fast a worker is, is learned: by how long it took to start beside the others, and
//! by how long tests took there of which it is known how long they usually take. A slow worker gets the longest test
//! that it would have done by the time that all others are done, and none when there is no such test.

use std::collections::VecDeque;
use std::time::Duration;

use super::feed::{Feed, Stage};

/// How many tests a worker has at a time: the one that it runs, and the next.
const IN_FLIGHT: usize = 2;
/// A worker of less than this part of the speed of the fastest one is slow.
const SLOW: f64 = 0.7;

/// What a worker that can take a test gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This test.
    Send(usize),
    /// Nothing now.
    Wait,
    /// Nothing any more: it can end.
    End,
}

/// What is known of one worker.
#[derive(Clone, Debug, Default)]
struct Pace {
    /// How long it took to start.
    startup: Option<Duration>,
    /// How long its tests should have taken, of those of which that was known.
    expected: Duration,
    /// How long they took.
    took: Duration,
    /// The rest of its group, and how long that takes: a group may have as many tests as there are.
    group: VecDeque<usize>,
    rest: Duration,
    /// What it was sent.
    sent: usize,
    /// How many of its tests have ended.
    ended: usize,
    /// Nothing that waits is short enough for it.
    is_retired: bool,
}

/// What is known beyond batches.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    paces: Vec<Pace>,
    /// How long all that waits takes; `None` when it has to be added up again.
    waiting: Option<Duration>,
    /// How many workers ended, one after the other, before any of them was ready for a test.
    fruitless: usize,
}

impl Live {
    pub(super) fn new(workers: usize) -> Self {
        Live { paces: vec![Pace::default(); workers], ..Live::default() }
    }

    pub(super) fn add_up_again(&mut self) {
        self.waiting = None;
    }

    pub(super) fn is_retired(&self, worker: usize) -> bool {
        self.paces.get(worker).is_some_and(|pace| pace.is_retired)
    }

    pub(super) fn note(&mut self, worker: usize, expected: Option<Duration>, took: Option<Duration>) {
        let Some(pace) = self.paces.get_mut(worker) else { return };
        pace.ended += 1;
        self.fruitless = 0;
        if let Some((expected, took)) = expected.zip(took) {
            pace.expected += expected;
            pace.took += took;
        }
    }

    /// The worker is gone: the rest of its group, and how many ended in a row before they were ready.
    pub(super) fn worker_ended(&mut self, worker: usize, has_none: bool) -> (Vec<usize>, usize) {
        let Some(pace) = self.paces.get_mut(worker) else { return (Vec::new(), 0) };
        let rest = std::mem::take(&mut pace.group).into();
        pace.rest = Duration::ZERO;
        self.fruitless = if has_none && pace.ended == 0 { self.fruitless + 1 } else { 0 };
        (pace.sent, pace.ended) = (0, 0);
        (rest, self.fruitless)
    }

    /// How fast a worker is, beside others.
    fn speed(&self, worker: usize) -> f64 {
        let fastest = self.paces.iter().filter_map(|pace| pace.startup).min().unwrap_or_default();
        let Some(pace) = self.paces.get(worker) else { return 1.0 };
        let startup = pace.startup.unwrap_or(fastest);
        // What takes no time says nothing.
        let least = 0.001;
        (pace.expected + fastest).as_secs_f64().max(least) / (pace.took + startup).as_secs_f64().max(least)
    }
}

impl Feed {
    /// Tells that a worker is ready for its first test, and how long that took.
    pub fn is_ready(&mut self, worker: usize, startup: Duration) {
        self.live.paces.get_mut(worker).into_iter().for_each(|pace| pace.startup = Some(startup));
    }

    /// What a worker gets that can take a test. `is_wanted` says that it waits for it, with a test that it cannot end
    /// before.
    pub fn answer(&mut self, worker: usize, is_wanted: bool) -> Answer {
        self.sort();
        let (in_flight, sent) = self
            .live
            .paces
            .get(worker)
            .map_or((0, 0), |pace| (pace.sent.saturating_sub(pace.ended), pace.sent));
        if in_flight >= IN_FLIGHT {
            return Answer::Wait;
        }
        let is_needed = is_wanted || in_flight == 0;
        let mut next = self.live.paces.get_mut(worker).and_then(|pace| pace.group.pop_front());
        if next.is_none() && !(self.is_isolated && sent > 0) {
            match self.pick(worker, is_needed) {
                Pick::Group(group) => {
                    let rest = self.estimate(&group);
                    if let Some(pace) = self.live.paces.get_mut(worker) {
                        (pace.group, pace.rest) = (group.into(), rest);
                        next = pace.group.pop_front();
                    }
                }
                Pick::Later => return Answer::Wait,
                Pick::Nothing => {}
            }
        }
        let Some(test) = next else { return Answer::End };
        self.set(test, Stage::Sent(worker));
        self.given.get_mut(worker).into_iter().for_each(|given| given.push_back(test));
        let time = self.estimate(&[test]);
        if let Some(pace) = self.live.paces.get_mut(worker) {
            pace.rest = pace.rest.saturating_sub(time);
            pace.sent += 1;
        }
        Answer::Send(test)
    }

    /// The group that a worker gets next.
    fn pick(&mut self, worker: usize, is_needed: bool) -> Pick {
        let Some(longest) = self.waiting.last() else { return Pick::Nothing };
        let longest = self.estimate(longest).as_secs_f64();
        let waiting = self.waiting_time();
        let others = self.own_time(None);
        let speeds = (0..self.busy.len()).filter(|worker| self.busy.get(*worker) == Some(&true));
        let speeds: Vec<f64> = speeds.map(|worker| self.live.speed(worker)).collect();
        let (all, most) = (speeds.iter().sum::<f64>(), speeds.iter().copied().fold(0.0, f64::max));
        let own = self.live.speed(worker);
        let left = (waiting.as_secs_f64() + others) / all.max(own);
        let free = own * left - self.own_time(Some(worker));
        let is_slow = own < SLOW * most;
        if !is_needed && longest > free / 2.0 {
            return Pick::Later;
        }
        if !is_slow || longest <= free {
            return self.take(self.waiting.len() - 1);
        }
        let fits = self.waiting.partition_point(|group| self.estimate(group).as_secs_f64() <= free);
        if fits > 0 {
            return self.take(fits - 1);
        }
        // It is the slow worker's last test, if anybody else is there.
        self.live.paces.get_mut(worker).into_iter().for_each(|pace| pace.is_retired = true);
        Pick::Nothing
    }

    fn take(&mut self, place: usize) -> Pick {
        let group = if place + 1 == self.waiting.len() {
            self.waiting.pop().unwrap_or_default()
        } else {
            self.waiting.remove(place)
        };
        let time = self.estimate(&group);
        self.live.waiting = self.live.waiting.map(|waiting| waiting.saturating_sub(time));
        Pick::Group(group)
    }

    /// How long all takes that waits.
    fn waiting_time(&mut self) -> Duration {
        if let Some(time) = self.live.waiting {
            return time;
        }
        let times = self.waiting.iter().map(|group| self.estimate(group));
        let time = times.fold(Duration::ZERO, Duration::saturating_add);
        self.live.waiting = Some(time);
        time
    }

    /// How long that takes which a worker has, or all of them have.
    fn own_time(&self, worker: Option<usize>) -> f64 {
        let workers = self.given.iter().zip(&self.live.paces).enumerate();
        let own = workers.filter(|(number, _)| worker.is_none_or(|worker| worker == *number));
        let times = own.map(|(_, (given, pace))| {
            let given = given.iter().map(|test| self.estimate(&[*test]).as_secs_f64()).sum::<f64>();
            given + pace.rest.as_secs_f64()
        });
        times.sum()
    }
}

enum Pick {
    Group(Vec<usize>),
    Later,
    Nothing,
}
