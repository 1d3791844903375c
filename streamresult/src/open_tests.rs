//! The tests in flight: found by key, with buffers that are used again.

use hashbrown::HashTable;
use subunit::{Status, Timestamp};

use crate::Extent;
use crate::attachments::Parts;
use crate::key::{HashState, Key, KeyBuf};
use crate::look::Look;
use crate::record::Sign;
use crate::rules::Before;
use crate::spool::Spool;
use crate::tag_set::TagSet;

/// The number of a test in [`OpenTests`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// Tests that have begun and not ended, each with a value of the user's.
#[derive(Debug)]
pub(crate) struct OpenTests<V> {
    tests: Vec<OpenTest<V>>,
    /// Places in `tests` that are free.
    free: Vec<Slot>,
    /// All open tests; the recent one is in it at times.
    index: HashTable<Slot>,
    recent: Recent,
    hash_state: HashState,
    /// How many tests were ever opened.
    opened: u64,
    /// Buffers to be used again.
    #[expect(clippy::vec_box, reason = "they move in and out of tests, which hold them boxed")]
    spare: Vec<Box<Parts>>,
    pub(crate) spool: Spool,
}

/// The test of the last event: the next event is likely to be about it too, so it is looked at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Recent {
    #[default]
    None,
    /// It is open and not in the index. A test that is open alone never gets there.
    Alone(Slot),
    /// It is open and in the index.
    Indexed(Slot),
    /// It has ended; its place, the next to be given, still has its key.
    Ended(Slot),
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) hash: u64,
    /// The test, if it is open.
    pub(crate) open: Option<Slot>,
}

/// What is known of a test so far.
#[derive(Debug, Default)]
pub(crate) struct OpenTest<V> {
    key: KeyBuf,
    pub(crate) tags: TagSet,
    pub(crate) parts: Option<Box<Parts>>,
    pub(crate) hash: u64,
    /// How many were opened before.
    order: u64,
    pub(crate) seen: Observed,
    pub(crate) value: V,
}

/// What the events of a test say, that takes no buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Observed {
    /// From the first packet to the last; empty where that is not known.
    pub(crate) extent: Extent,
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

impl<V> Default for OpenTests<V> {
    fn default() -> Self {
        OpenTests {
            tests: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            recent: Recent::None,
            hash_state: HashState::default(),
            opened: 0,
            spare: Vec::new(),
            spool: Spool::default(),
        }
    }
}

impl<V: Default> OpenTests<V> {
    /// Looks for a test.
    #[inline]
    pub(crate) fn find(&mut self, key: Key<'_>) -> Found {
        match self.recent {
            Recent::None => {}
            Recent::Alone(slot) | Recent::Indexed(slot) if self.test(slot).key.is(key) => {
                return Found { hash: self.test(slot).hash, open: Some(slot) };
            }
            Recent::Ended(slot) if self.test(slot).key.is(key) => {
                return Found { hash: self.test(slot).hash, open: None };
            }
            Recent::Alone(slot) => self.enter(slot),
            Recent::Indexed(_) => {}
            Recent::Ended(_) => self.recent = Recent::None,
        }
        self.find_other(key)
    }

    /// Looks for a test that is not the recent one.
    fn find_other(&mut self, key: Key<'_>) -> Found {
        let hash = key.hash(&self.hash_state);
        // As a rule one test runs at a time, and this is the next.
        if self.index.is_empty() {
            return Found { hash, open: None };
        }
        let is_it = |slot: &Slot| {
            let test = self.test(*slot);
            test.hash == hash && test.key.is(key)
        };
        let open = self.index.find(hash, is_it).copied();
        if let Some(slot) = open {
            self.recent = Recent::Indexed(slot);
        }
        Found { hash, open }
    }

    /// Puts the recent test in the index.
    #[inline]
    fn enter(&mut self, slot: Slot) {
        let tests = &self.tests;
        let hash = |slot: &Slot| tests[slot.0 as usize].hash;
        self.index.insert_unique(hash(&slot), slot, hash);
        self.recent = Recent::Indexed(slot);
    }

    /// Opens a test that was looked for and is not open.
    #[inline]
    pub(crate) fn open(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let slot = self.begin(key, hash);
        self.recent = Recent::Alone(slot);
        slot
    }

    /// Begins a record that no later event will find, of a test that was looked for.
    #[inline]
    pub(crate) fn begin(&mut self, key: Key<'_>, hash: u64) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.tests.push(OpenTest::default());
            Slot((self.tests.len() - 1) as u32)
        });
        let has_key = self.recent == Recent::Ended(slot);
        self.opened += 1;
        let opened = self.opened;
        let test = self.test_mut(slot);
        test.order = opened;
        if has_key {
            debug_assert!(test.hash == hash && test.key.is(key), "this test was looked for last");
            self.recent = Recent::None;
        } else {
            test.key.set(key);
            test.hash = hash;
        }
        slot
    }

    /// Takes a test out of what is found; [`release`](OpenTests::release) has to follow.
    #[inline]
    pub(crate) fn close(&mut self, slot: Slot) {
        if self.recent == Recent::Alone(slot) {
            self.recent = Recent::None;
            return;
        }
        if self.recent == Recent::Indexed(slot) {
            self.recent = Recent::None;
        }
        if let Ok(entry) = self.index.find_entry(self.test(slot).hash, |other| *other == slot) {
            entry.remove();
        }
    }

    /// Frees a test's place, after the last look at it.
    #[inline]
    pub(crate) fn release(&mut self, slot: Slot) {
        let test = &mut self.tests[slot.0 as usize];
        let keeps_key = test.key.forget_long();
        test.tags.clear();
        test.seen = Observed::default();
        test.value = V::default();
        if let Some(parts) = test.parts.take() {
            self.put_away(parts);
        }
        self.free.push(slot);
        if !matches!(self.recent, Recent::Alone(_) | Recent::Indexed(_)) {
            self.recent = if keeps_key { Recent::Ended(slot) } else { Recent::None };
        }
    }

    /// Forgets all tests, and keeps the spool.
    pub(crate) fn reset(&mut self) {
        for slot in self.in_order() {
            self.close(slot);
            self.release(slot);
        }
        self.recent = Recent::None;
    }

    fn put_away(&mut self, mut parts: Box<Parts>) {
        parts.clear(&mut self.spool);
        if self.spare.len() < SPARE {
            self.spare.push(parts);
        }
    }
}

impl<V> OpenTests<V> {
    /// The test in a place that was given by this table.
    #[inline]
    pub(crate) fn test(&self, slot: Slot) -> &OpenTest<V> {
        &self.tests[slot.0 as usize]
    }

    /// The test in a place that was given by this table.
    #[inline]
    pub(crate) fn test_mut(&mut self, slot: Slot) -> &mut OpenTest<V> {
        &mut self.tests[slot.0 as usize]
    }

    /// The buffers of a test, with what they need to spool.
    pub(crate) fn parts(&mut self, slot: Slot) -> (&mut Parts, &mut Spool) {
        let spare = &mut self.spare;
        let parts = &mut self.tests[slot.0 as usize].parts;
        (parts.get_or_insert_with(|| spare.pop().unwrap_or_default()), &mut self.spool)
    }

    /// Makes room in memory, where too much is there: tests that have long files give way, not the one that comes last.
    #[inline]
    pub(crate) fn make_room(&mut self) {
        if self.spool.is_over() {
            let parts = self.tests.iter_mut().filter_map(|test| test.parts.as_mut());
            self.spool.make_room(parts.flat_map(|parts| parts.buffers()));
        }
    }

    /// How many tests are open.
    pub(crate) fn len(&self) -> usize {
        self.index.len() + usize::from(self.alone().is_some())
    }

    /// All tests that are open, in order of start.
    pub(crate) fn in_order(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.index.iter().copied().chain(self.alone()).collect();
        slots.sort_unstable_by_key(|slot| self.test(*slot).order);
        slots
    }

    /// The open test that is not in the index.
    fn alone(&self) -> Option<Slot> {
        match self.recent {
            Recent::Alone(slot) => Some(slot),
            _ => None,
        }
    }
}

impl<V> OpenTest<V> {
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

impl Observed {
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
        assert!(size_of::<OpenTest<()>>() <= 144, "{}", size_of::<OpenTest<()>>());
    }

    fn open(tests: &mut OpenTests<()>, id: &str) {
        let found = tests.find(key(id));
        assert_eq!(found.open, None);
        tests.open(key(id), found.hash);
    }

    fn close(tests: &mut OpenTests<()>, id: &str) {
        let slot = tests.find(key(id)).open.unwrap();
        tests.close(slot);
        tests.release(slot);
        assert_eq!(tests.find(key(id)).open, None);
    }

    fn check_open(tests: &OpenTests<()>, expected: &[&str]) {
        let id = |&slot: &Slot| checked(tests.test(slot).key().test_id);
        let order: Vec<&str> = tests.in_order().iter().map(id).collect();
        assert_eq!(order, expected);
        assert_eq!(tests.len(), expected.len());
    }

    #[test]
    fn tests_are_found_until_closed_and_come_in_order_of_start() {
        let mut tests: OpenTests<()> = OpenTests::default();
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
        let mut tests: OpenTests<()> = OpenTests::default();
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
