//! The tests that finished last, by their hashes.
//!
//! Every test is entered and few are looked for: the hashes stand in a ring, which is written from one end to
//! the other, and the index that finds them catches up when one is looked for. An index that is entered at once
//! costs a cache miss a test, which is as much as reading its packets.

use hashbrown::HashTable;

/// How many finished tests are remembered.
pub(crate) const WINDOW: usize = 100_000;

/// The hashes of the last tests that finished.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finished {
    /// The hash of the test that finished as number `n` stands at `n % WINDOW`.
    ring: Vec<u64>,
    /// How many have finished.
    count: u64,
    /// Where in the ring the last test with each hash is, for the tests before `indexed`.
    index: HashTable<u32>,
    indexed: u64,
}

impl Finished {
    /// Enters a test that has just finished.
    #[inline]
    pub(crate) fn push(&mut self, hash: u64) {
        let at = place(self.count);
        match self.ring.get_mut(at as usize) {
            // What falls out of the ring has to leave the index first.
            Some(_) if self.indexed != 0 => self.replace(at, hash),
            Some(old) => *old = hash,
            None => self.ring.push(hash),
        }
        self.count += 1;
    }

    /// Whether none has finished yet.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a test with this hash is among the last.
    #[inline]
    pub(crate) fn contains(&mut self, hash: u64) -> bool {
        !self.is_empty() && self.last(hash).is_some()
    }

    /// The number of the last test with this hash, counted from the first of the run.
    pub(crate) fn last(&mut self, hash: u64) -> Option<u64> {
        self.catch_up();
        let ring = &self.ring;
        let at = *self.index.find(hash, |at| hash_at(ring, *at) == hash)?;
        let newest = self.count.saturating_sub(1);
        let back = (place(newest) + WINDOW as u32 - at) % WINDOW as u32;
        Some(newest - u64::from(back))
    }

    /// Puts a hash in the place of the oldest.
    fn replace(&mut self, at: u32, hash: u64) {
        self.catch_up();
        let Some(old) = self.ring.get_mut(at as usize) else { return };
        let old = std::mem::replace(old, hash);
        if let Ok(entry) = self.index.find_entry(old, |other| *other == at) {
            entry.remove();
        }
    }

    /// Enters in the index what has finished since it was last used.
    fn catch_up(&mut self) {
        let Finished { ring, count, index, indexed } = self;
        let oldest = count.saturating_sub(WINDOW as u64);
        for at in (oldest.max(*indexed)..*count).map(place) {
            let hash = hash_at(ring, at);
            let entry =
                index.entry(hash, |other| hash_at(ring, *other) == hash, |other| hash_at(ring, *other));
            entry.insert(at);
        }
        *indexed = *count;
    }
}

/// Where in the ring a number stands.
#[inline]
fn place(number: u64) -> u32 {
    (number % WINDOW as u64) as u32
}

#[inline]
fn hash_at(ring: &[u64], at: u32) -> u64 {
    let hash = ring.get(at as usize).copied();
    debug_assert!(hash.is_some(), "the index points into the ring");
    hash.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash that looks like one.
    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn check_window(look_at_each: bool) {
        let mut finished = Finished::default();
        assert!(!finished.contains(hash(0)));
        for number in 0..2 * WINDOW as u64 + 5 {
            finished.push(hash(number));
            assert!(!look_at_each || finished.contains(hash(number)));
        }
        assert!(!finished.contains(hash(WINDOW as u64 + 4)));
        assert!(finished.contains(hash(WINDOW as u64 + 5)));
        assert_eq!(finished.index.len(), WINDOW);
    }

    #[test]
    fn remembers_exactly_the_last_ones() {
        check_window(false);
        check_window(true);
    }

    #[test]
    fn a_test_that_finished_again_is_remembered_from_then() {
        let mut finished = Finished::default();
        finished.push(hash(1));
        finished.push(hash(2));
        finished.push(hash(1));
        assert_eq!(finished.last(hash(1)), Some(2));
        for number in 10..10 + WINDOW as u64 - 1 {
            finished.push(hash(number));
        }
        assert!(finished.contains(hash(1)));
        assert!(!finished.contains(hash(2)));
        finished.push(hash(3));
        assert!(!finished.contains(hash(1)));
    }
}
