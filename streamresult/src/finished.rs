//! The tests that finished last, by their hashes.

use hashbrown::HashTable;

/// How many finished tests are remembered.
pub(crate) const WINDOW: usize = 100_000;

/// The hashes of the last tests that finished.
///
/// Every test is entered and few are looked for, so entering writes to a ring only; the table that finds
/// them catches up when one is looked for.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// The hash of the test that finished as number `n` stands at `n % WINDOW`.
    ring: Vec<u64>,
    /// How many have finished.
    count: u64,
    /// Each hash with the number of the last test that had it, for the tests before `indexed`.
    index: HashTable<(u64, u64)>,
    indexed: u64,
}

impl Finished {
    /// Enters a test that has just finished.
    #[inline]
    pub(crate) fn push(&mut self, hash: u64) {
        let at = (self.count % WINDOW as u64) as usize;
        match self.ring.get_mut(at) {
            // What falls out of the ring has to leave the table first.
            Some(_) if self.indexed != 0 => {
                self.catch_up();
                self.replace(at, hash);
            }
            Some(old) => *old = hash,
            None => self.ring.push(hash),
        }
        self.count += 1;
    }

    /// Whether a test with this hash is among the last.
    pub(crate) fn contains(&mut self, hash: u64) -> bool {
        self.last(hash).is_some()
    }

    /// The number of the last test with this hash, counted from the first of the run.
    pub(crate) fn last(&mut self, hash: u64) -> Option<u64> {
        self.catch_up();
        self.index.find(hash, |entry| entry.0 == hash).map(|entry| entry.1)
    }

    /// Puts a hash in the place of the oldest.
    fn replace(&mut self, at: usize, hash: u64) {
        let Some(place) = self.ring.get_mut(at) else { return };
        let (old, number) = (*place, self.count - WINDOW as u64);
        *place = hash;
        if let Ok(entry) = self.index.find_entry(old, |entry| *entry == (old, number)) {
            entry.remove();
        }
    }

    /// Enters in the table what has finished since it was last used.
    fn catch_up(&mut self) {
        let oldest = self.count.saturating_sub(WINDOW as u64);
        for number in self.indexed.max(oldest)..self.count {
            let Some(&hash) = self.ring.get((number % WINDOW as u64) as usize) else { continue };
            let entry = self.index.entry(hash, |entry| entry.0 == hash, |entry| entry.0);
            entry.insert((hash, number));
        }
        self.indexed = self.count;
    }
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
