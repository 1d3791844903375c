//! The tests in flight: found by key, with buffers that are used again.

use hashbrown::HashTable;
use subunit::{Status, Timestamp};

use crate::attachments::Parts;
use crate::key::{HashState, Key, KeyBuf};
use crate::look::Look;
use crate::record::Sign;
use crate::rules::Before;
use crate::spill::Spill;
use crate::tag_set::TagSet;

/// The number of a test in [`OpenTests`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// Tests that have begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct OpenTests {
    tests: Vec<OpenTest>,
    /// Places in `tests` that are free.
    free: Vec<Slot>,
    /// All open tests but `recent`, which is in it at times.
    index: HashTable<Slot>,
    /// The test of the last event, if it is open: the next event is likely to be about it too.
    recent: Option<Slot>,
    /// Whether the recent test is in the index. A test that is open alone never gets there.
    indexed: bool,
    hash_state: HashState,
    /// How many tests were ever opened.
    opened: u64,
    /// Buffers to be used again.
    #[expect(clippy::vec_box, reason = "they move in and out of tests, which hold them boxed")]
    spare: Vec<Box<Parts>>,
    pub(crate) spill: Spill,
}

/// What is known of a test so far.
#[derive(Debug, Default)]
pub(crate) struct OpenTest {
    key: KeyBuf,
    pub(crate) tags: TagSet,
    pub(crate) parts: Option<Box<Parts>>,
    pub(crate) hash: u64,
    /// How many were opened before.
    order: u64,
    pub(crate) seen: Seen,
}

/// What the events of a test say, that takes no buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    pub(crate) events: u32,
    /// Whether the last time is that of another event than the first.
    pub(crate) timed_twice: bool,
    pub(crate) status: Option<Status>,
    pub(crate) begun: bool,
    pub(crate) runnable: bool,
    pub(crate) sign: Sign,
    /// Whether its events pass, where that was decided.
    pub(crate) kept: Option<bool>,
}

/// So many buffers are kept.
const SPARE: usize = 32;

impl OpenTests {
    /// The key's hash, and the test, if it is open.
    #[inline]
    pub(crate) fn find(&mut self, key: Key<'_>) -> (u64, Option<Slot>) {
        if let Some(recent) = self.recent {
            let test = self.test(recent);
            if test.key.is(key) {
                return (test.hash, Some(recent));
            }
            self.enter(recent);
        }
        let hash = key.hash(&self.hash_state);
        // As a rule one test runs at a time, and this is the next.
        if self.index.is_empty() {
            return (hash, None);
        }
        let is_it = |slot: &Slot| {
            let test = self.test(*slot);
            test.hash == hash && test.key.is(key)
        };
        let found = self.index.find(hash, is_it).copied();
        if found.is_some() {
            (self.recent, self.indexed) = (found, true);
        }
        (hash, found)
    }

    /// Puts the recent test in the index.
    #[inline]
    fn enter(&mut self, recent: Slot) {
        if !self.indexed {
            let tests = &self.tests;
            let hash = |slot: &Slot| tests[slot.0 as usize].hash;
            self.index.insert_unique(hash(&recent), recent, hash);
            self.indexed = true;
        }
    }

    /// Opens a test that was looked for and is not open.
    #[inline]
    pub(crate) fn open(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let slot = self.begin(key, hash);
        (self.recent, self.indexed) = (Some(slot), false);
        slot
    }

    /// Begins a record that no later event will find.
    #[inline]
    pub(crate) fn begin(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.tests.push(OpenTest::default());
            Slot((self.tests.len() - 1) as u32)
        });
        self.opened += 1;
        let opened = self.opened;
        let test = self.test_mut(slot);
        test.key.set(key);
        (test.hash, test.order) = (hash, opened);
        slot
    }

    /// Takes a test out of what is found; [`release`](OpenTests::release) has to follow.
    #[inline]
    pub(crate) fn close(&mut self, slot: Slot) {
        let is_recent = self.recent == Some(slot);
        if !is_recent || self.indexed {
            if let Ok(entry) = self.index.find_entry(self.test(slot).hash, |other| *other == slot) {
                entry.remove();
            }
        }
        if is_recent {
            self.recent = None;
        }
    }

    /// Frees a test's place, after the last look at it.
    #[inline]
    pub(crate) fn release(&mut self, slot: Slot) {
        let test = &mut self.tests[slot.0 as usize];
        test.key.clear();
        test.tags.clear();
        test.seen = Seen::default();
        if let Some(mut parts) = test.parts.take() {
            parts.clear(&mut self.spill);
            if self.spare.len() < SPARE {
                self.spare.push(parts);
            }
        }
        self.free.push(slot);
    }

    /// The test in a place that was given by this table.
    #[inline]
    pub(crate) fn test(&self, slot: Slot) -> &OpenTest {
        &self.tests[slot.0 as usize]
    }

    /// The test in a place that was given by this table.
    #[inline]
    pub(crate) fn test_mut(&mut self, slot: Slot) -> &mut OpenTest {
        &mut self.tests[slot.0 as usize]
    }

    /// The buffers of a test, with what they need to spill.
    pub(crate) fn parts(&mut self, slot: Slot) -> (&mut Parts, &mut Spill) {
        let spare = &mut self.spare;
        let parts = &mut self.tests[slot.0 as usize].parts;
        (parts.get_or_insert_with(|| spare.pop().unwrap_or_default()), &mut self.spill)
    }

    /// How many tests are open.
    pub(crate) fn len(&self) -> usize {
        self.index.len() + usize::from(self.recent.is_some() && !self.indexed)
    }

    /// All tests that are open, in order of start.
    pub(crate) fn in_order(&self) -> Vec<Slot> {
        let alone = self.recent.filter(|_| !self.indexed);
        let mut slots: Vec<Slot> = self.index.iter().copied().chain(alone).collect();
        slots.sort_unstable_by_key(|slot| self.test(*slot).order);
        slots
    }
}

impl OpenTest {
    pub(crate) fn key(&self) -> Key<'_> {
        self.key.key()
    }

    /// How far the test is.
    #[inline]
    pub(crate) fn before(&self) -> Before {
        if self.seen.begun { Before::Begun } else { Before::Open }
    }

    /// Notes an event of the test, all but its file.
    #[inline]
    pub(crate) fn note(&mut self, event: &impl Look) {
        self.seen.note(event);
        self.tags.note(event);
    }
}

impl Seen {
    /// Notes an event.
    #[inline]
    pub(crate) fn note(&mut self, event: &impl Look) {
        let (status, timestamp) = (event.status(), event.timestamp());
        if timestamp.is_some() {
            self.timed_twice = self.first.is_some();
            self.first = self.first.or(timestamp);
            self.last = timestamp;
        }
        self.events = self.events.saturating_add(1);
        self.status = status.or(self.status);
        self.begun |= status == Some(Status::InProgress);
        self.runnable |= event.runnable();
        self.sign = event.sign();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::checked;

    fn key(test_id: &str) -> Key<'_> {
        Key { route_code: None, test_id: test_id.as_bytes() }
    }

    #[test]
    fn a_test_takes_less_than_200_bytes() {
        assert!(size_of::<OpenTest>() <= 128, "{}", size_of::<OpenTest>());
    }

    fn open(tests: &mut OpenTests, id: &str) {
        let (hash, found) = tests.find(key(id));
        assert_eq!(found, None);
        tests.open(key(id), hash);
    }

    fn close(tests: &mut OpenTests, id: &str) {
        let slot = tests.find(key(id)).1.unwrap();
        tests.close(slot);
        tests.release(slot);
        assert_eq!(tests.find(key(id)).1, None);
    }

    fn check_open(tests: &OpenTests, expected: &[&str]) {
        let id = |&slot: &Slot| checked(tests.test(slot).key().test_id);
        let order: Vec<&str> = tests.in_order().iter().map(id).collect();
        assert_eq!(order, expected);
        assert_eq!(tests.len(), expected.len());
    }

    #[test]
    fn tests_are_found_until_closed_and_come_in_order_of_start() {
        let mut tests = OpenTests::default();
        let ids: Vec<String> = (0..1000).map(|number| format!("test {number}")).collect();
        ids.iter().for_each(|id| open(&mut tests, id));
        ids.iter().step_by(2).for_each(|id| close(&mut tests, id));
        open(&mut tests, "test 0");
        let mut expected: Vec<&str> = ids.iter().skip(1).step_by(2).map(String::as_str).collect();
        expected.push("test 0");
        check_open(&tests, &expected);
        assert_eq!(tests.tests.len(), ids.len(), "places are used again");
    }

    #[test]
    fn a_test_that_is_open_alone_is_found_too() {
        let mut tests = OpenTests::default();
        for _ in 0..3 {
            open(&mut tests, "a");
            check_open(&tests, &["a"]);
            close(&mut tests, "a");
            check_open(&tests, &[]);
        }
        open(&mut tests, "a");
        open(&mut tests, "b");
        check_open(&tests, &["a", "b"]);
        close(&mut tests, "a");
        check_open(&tests, &["b"]);
        close(&mut tests, "b");
        check_open(&tests, &[]);
    }
}
