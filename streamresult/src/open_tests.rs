//! The tests in flight: found by key, with buffers that are used again.

use hashbrown::HashTable;
use subunit::{Event, Status, Timestamp};

use crate::attachments::Parts;
use crate::key::{HashState, Key, KeyBuf};
use crate::record::Sign;
use crate::rules::Before;
use crate::spill::Spill;

/// The number of a test in [`OpenTests`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// Tests that have begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct OpenTests {
    tests: Vec<OpenTest>,
    /// Places in `tests` that are free.
    free: Vec<u32>,
    index: HashTable<u32>,
    /// The test of the last event: the next one is likely to be about it too.
    recent: u32,
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
    pub(crate) hash: u64,
    /// How many were opened before, plus one; zero for a free place.
    order: u64,
    pub(crate) parts: Option<Box<Parts>>,
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
        if let Some(test) = self.tests.get(self.recent as usize) {
            if test.order != 0 && test.key.key() == key {
                return (test.hash, Some(Slot(self.recent)));
            }
        }
        let hash = key.hash(&self.hash_state);
        let found = self.index.find(hash, |&at| {
            self.tests.get(at as usize).is_some_and(|test| test.hash == hash && test.key.key() == key)
        });
        let found = found.copied();
        self.recent = found.unwrap_or(self.recent);
        (hash, found.map(Slot))
    }

    /// Opens a test that is not open.
    #[inline]
    pub(crate) fn open(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let slot = self.begin(key, hash);
        let tests = &self.tests;
        let rehash = |&at: &u32| tests.get(at as usize).map_or(0, |test| test.hash);
        self.index.insert_unique(hash, slot.0, rehash);
        self.recent = slot.0;
        slot
    }

    /// Begins a record that no later event will find.
    pub(crate) fn begin(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let at = self.free.pop().unwrap_or_else(|| {
            self.tests.push(OpenTest::default());
            (self.tests.len() - 1) as u32
        });
        self.opened += 1;
        if let Some(test) = self.tests.get_mut(at as usize) {
            test.key.set(key);
            (test.hash, test.order) = (hash, self.opened);
        }
        Slot(at)
    }

    /// Takes a test out of what is found; [`release`](OpenTests::release) has to follow.
    #[inline]
    pub(crate) fn close(&mut self, slot: Slot) {
        let Some(test) = self.tests.get(slot.0 as usize) else { return };
        if let Ok(entry) = self.index.find_entry(test.hash, |&at| at == slot.0) {
            entry.remove();
        }
    }

    /// Frees a test's place, after the last look at it.
    pub(crate) fn release(&mut self, slot: Slot) {
        let Some(test) = self.tests.get_mut(slot.0 as usize) else { return };
        if let Some(mut parts) = test.parts.take() {
            parts.clear(&mut self.spill);
            if self.spare.len() < SPARE {
                self.spare.push(parts);
            }
        }
        let mut key = std::mem::take(&mut test.key);
        key.clear();
        *test = OpenTest { key, ..OpenTest::default() };
        self.free.push(slot.0);
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
        self.index.len()
    }

    /// All tests that are open, in order of start.
    pub(crate) fn in_order(&self) -> Vec<Slot> {
        let mut slots: Vec<(u64, u32)> = Vec::with_capacity(self.index.len());
        slots.extend(self.index.iter().map(|&at| (self.test(Slot(at)).order, at)));
        slots.sort_unstable();
        slots.into_iter().map(|(_, at)| Slot(at)).collect()
    }

    /// Notes an event of a test, all but its file.
    #[inline]
    pub(crate) fn note(&mut self, slot: Slot, event: &Event<'_>) {
        self.test_mut(slot).note(event);
        if !event.tags.is_absent() && (!event.tags.is_empty() || self.test(slot).parts.is_some()) {
            self.parts(slot).0.tags.set(event.tags);
        }
    }
}

impl OpenTest {
    pub(crate) fn key(&self) -> Key<'_> {
        self.key.key()
    }

    /// How far the test is.
    pub(crate) fn before(&self) -> Before {
        if self.begun { Before::Begun } else { Before::Open }
    }

    #[inline]
    fn note(&mut self, event: &Event<'_>) {
        if event.timestamp.is_some() {
            self.timed_twice = self.first.is_some();
            self.first = self.first.or(event.timestamp);
            self.last = event.timestamp;
        }
        self.events = self.events.saturating_add(1);
        self.status = event.status.or(self.status);
        self.begun |= event.status == Some(Status::InProgress);
        self.runnable |= event.runnable;
        self.sign = Sign::of(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(test_id: &str) -> Key<'_> {
        Key { route_code: None, test_id }
    }

    #[test]
    fn a_test_takes_less_than_200_bytes() {
        assert!(size_of::<OpenTest>() <= 128, "{}", size_of::<OpenTest>());
    }

    #[test]
    fn tests_are_found_until_closed_and_come_in_order_of_start() {
        let mut tests = OpenTests::default();
        let ids: Vec<String> = (0..1000).map(|number| format!("test {number}")).collect();
        for id in &ids {
            let (hash, found) = tests.find(key(id));
            assert_eq!(found, None);
            tests.open(key(id), hash);
        }
        for id in ids.iter().step_by(2) {
            let slot = tests.find(key(id)).1.unwrap();
            tests.close(slot);
            tests.release(slot);
            assert_eq!(tests.find(key(id)).1, None);
        }
        let (hash, _) = tests.find(key("test 0"));
        tests.open(key("test 0"), hash);
        let order: Vec<&str> = tests.in_order().iter().map(|&slot| tests.test(slot).key().test_id).collect();
        let mut expected: Vec<&str> = ids.iter().skip(1).step_by(2).map(String::as_str).collect();
        expected.push("test 0");
        assert_eq!(order, expected);
        assert_eq!(tests.tests.len(), ids.len(), "places are used again");
    }
}
