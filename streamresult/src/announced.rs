//! The tests that were announced and did not run.
//!
//! Most runs announce all their tests and then run them in that order, or announce each test just before it runs.
//! So an announcement goes to the end of a queue, and a test that runs is at its front, as a rule: that takes a
//! look at one number, where a table takes two cache misses a test.
//!
//! The queue is filled while no test runs and emptied while none is announced. What does not follow this pattern
//! settles it: what waits goes to a table, each test once.
//!
//! | what comes | while the queue is | what becomes of it |
//! |---|---|---|
//! | an announcement | empty or filling | it is added |
//! | an announcement | emptying, or as long as all that was announced before | the queue is settled, and a new one begins |
//! | the test at the front runs | filling or emptying | it leaves, and the queue is emptying |
//! | another test runs | filling or emptying | the queue is settled, and the test leaves the table |
//!
//! What settles a queue that is filling leaves out the tests that had run before they were announced. What settles
//! one that is emptying leaves out those that left by its front, should they be in it twice: they ran after all of
//! the queue was announced. A queue in which both may be is never made: it is settled when its first test runs.

use hashbrown::HashTable;
use subunit::split_part;

use crate::finished::Finished;

/// How long the queue may be at least before it is settled for its length: a test may be announced again and again.
const LONG: usize = 1 << 16;

/// The hashes of the tests that were announced and did not run since, nor shortly before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announced {
    /// In order of announcement.
    queue: Vec<u64>,
    /// This many of the queue have run: it is emptying.
    ran: usize,
    /// How long the queue may be, beyond [`LONG`].
    limit: usize,
    table: HashTable<u64>,
}

impl Announced {
    /// A test was announced that is not running.
    #[inline]
    pub(crate) fn announce(&mut self, hash: u64, finished: &mut Finished) {
        if self.ran != 0 || self.queue.len() >= LONG.max(self.limit) {
            self.settle(finished);
            self.limit = self.table.len();
        }
        self.queue.push(hash);
    }

    /// A test ran, of which `finished` does not know yet.
    #[inline]
    pub(crate) fn run(&mut self, hash: u64, finished: &mut Finished) {
        match self.queue.get(self.ran) {
            None if self.table.is_empty() => return,
            None => {}
            Some(first) if *first == hash && self.may_leave(finished) => self.leave(),
            Some(_) => self.settle(finished),
        }
        self.remove(hash);
    }

    /// How many there are.
    pub(crate) fn count(&self, finished: &Finished) -> usize {
        if self.queue.is_empty() {
            return self.table.len();
        }
        let mut settled = self.clone();
        settled.settle(&mut finished.clone());
        settled.table.len()
    }

    /// Whether the first of the queue can leave it while others wait.
    #[inline]
    fn may_leave(&self, finished: &Finished) -> bool {
        self.ran != 0 || self.queue.len() == 1 || finished.is_empty()
    }

    #[inline]
    fn leave(&mut self) {
        self.ran += 1;
        if self.ran == self.queue.len() {
            self.queue.clear();
            self.ran = 0;
        }
    }

    #[inline]
    fn remove(&mut self, hash: u64) {
        if !self.table.is_empty() {
            if let Ok(entry) = self.table.find_entry(hash, |other| *other == hash) {
                entry.remove();
            }
        }
    }

    /// Moves what waits to the table.
    #[cold]
    pub(crate) fn settle(&mut self, finished: &mut Finished) {
        let queue = std::mem::take(&mut self.queue);
        let ran = std::mem::take(&mut self.ran);
        let (left, waiting) = split_part(&queue, ran);
        for hash in waiting {
            if ran != 0 || !finished.contains(*hash) {
                self.table.entry(*hash, |other| other == hash, |other| *other).insert(*hash);
            }
        }
        left.iter().for_each(|hash| self.remove(*hash));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The behaviour of [`Announced`], as simply as possible.
    #[derive(Default)]
    struct Model {
        announced: HashSet<u64>,
        ran: HashSet<u64>,
    }

    /// Checks a run of these tests, of which the positive are announced and the negative run.
    fn check(steps: &[i64]) {
        let (mut announced, mut finished) = (Announced::default(), Finished::default());
        let mut model = Model::default();
        for step in steps {
            let hash = step.unsigned_abs();
            if *step > 0 {
                announced.announce(hash, &mut finished);
                if !model.ran.contains(&hash) {
                    model.announced.insert(hash);
                }
            } else {
                announced.run(hash, &mut finished);
                finished.push(hash);
                model.announced.remove(&hash);
                model.ran.insert(hash);
            }
            assert_eq!(announced.count(&finished), model.announced.len(), "{steps:?}");
        }
        announced.settle(&mut finished);
        assert_eq!(announced.count(&finished), model.announced.len(), "{steps:?}");
    }

    #[test]
    fn tests_run_in_the_order_of_their_announcement_or_not() {
        check(&[1, 2, 3, -1, -2, -3]);
        check(&[1, -1, 2, -2, 3, -3]);
        check(&[1, 2, 3, -1, -3, -2, 4]);
        check(&[1, 2, 3, -1, 4, 1, -2, -3, -4]);
        check(&[1, 2, 1, 2, -1, -2, -1, 5]);
        check(&[-1, 1, 2, 3, -1, -2, 2, -3]);
        check(&[-1, 2, 1, -2, 3, -1]);
    }

    #[test]
    fn any_order_comes_to_the_same() {
        let mut random = 1u64;
        for len in 0..2000 {
            let steps: Vec<i64> = (0..len % 40)
                .map(|_| {
                    random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                    let test = (random >> 40) as i64 % 6 + 1;
                    if random >> 63 == 0 { test } else { -test }
                })
                .collect();
            check(&steps);
        }
    }

    #[test]
    fn a_run_in_order_needs_no_table() {
        let (mut announced, mut finished) = (Announced::default(), Finished::default());
        (1..1000).for_each(|hash| announced.announce(hash, &mut finished));
        for hash in 1..1000 {
            announced.run(hash, &mut finished);
            finished.push(hash);
        }
        assert!(announced.queue.is_empty() && announced.table.capacity() == 0);
    }

    #[test]
    fn a_list_that_comes_again_and_again_takes_no_more_room() {
        let (mut announced, mut finished) = (Announced::default(), Finished::default());
        (0..10 * LONG as u64).for_each(|turn| announced.announce(turn % 10, &mut finished));
        assert_eq!(announced.count(&finished), 10);
        assert!(announced.queue.capacity() <= 2 * LONG);
    }
}
