//! Ids that no two tests of a run share.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;

/// Slots of a new set, and of the largest: 8 MiB.
const FIRST_SLOTS: usize = 1 << 10;
const MOST_SLOTS: usize = 1 << 20;

/// Gives each test an id of its own: the second `boot` is `boot #2`.
///
/// It keeps a hash for each of the first 786 432 ids. From there on an id ends in how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    seen: Seen,
    hasher: RandomState,
    count: u64,
}

impl Ids {
    /// Changes an id that another test has.
    pub(super) fn make_unique(&mut self, id: &mut String) {
        self.count += 1;
        let hash = |id: &str| self.hasher.hash_one(id);
        match self.seen.insert(hash(id)) {
            Some(true) => {}
            None => push_number(self.count, id),
            Some(false) => {
                let len = id.len();
                let free = first_free(|number| {
                    id.truncate(len);
                    push_number(number, id);
                    self.seen.contains(hash(id))
                });
                id.truncate(len);
                push_number(free, id);
                self.seen.insert(hash(id));
            }
        }
    }
}

/// A set of hashes: open addressing with linear probing.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// 0 is a free slot. A power of two, or none.
    slots: Vec<u64>,
    len: usize,
}

impl Seen {
    /// Adds a hash, and says whether it is new; `None` when there is no room.
    fn insert(&mut self, hash: u64) -> Option<bool> {
        if (self.len + 1) * 4 > self.slots.len() * 3 && !self.grow() {
            return None;
        }
        let slot = self.slot(hash)?;
        let is_new = *slot == 0;
        *slot = hash.max(1);
        self.len += usize::from(is_new);
        Some(is_new)
    }

    fn contains(&mut self, hash: u64) -> bool {
        self.slot(hash).is_some_and(|slot| *slot != 0)
    }

    /// The slot of this hash, or the free one where it belongs.
    fn slot(&mut self, hash: u64) -> Option<&mut u64> {
        let (hash, mask) = (hash.max(1), self.slots.len().wrapping_sub(1));
        let mut at = hash as usize & mask;
        while self.slots.get(at).is_some_and(|slot| *slot != 0 && *slot != hash) {
            at = (at + 1) & mask;
        }
        self.slots.get_mut(at)
    }

    /// Makes room; false when there are enough slots.
    fn grow(&mut self) -> bool {
        let slots = (self.slots.len() * 2).max(FIRST_SLOTS);
        if slots > MOST_SLOTS {
            return false;
        }
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        for hash in old.into_iter().filter(|hash| *hash != 0) {
            if let Some(slot) = self.slot(hash) {
                *slot = hash;
            }
        }
        true
    }
}

fn push_number(number: u64, id: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(id, " #{number}");
}

/// The first number from 2 on that is not used, where used ones have no gaps; otherwise some number that is not
/// used. It takes a logarithm of questions.
fn first_free(mut is_used: impl FnMut(u64) -> bool) -> u64 {
    let (mut used, mut free) = (1, 2);
    while is_used(free) {
        (used, free) = (free, free * 2);
    }
    while free - used > 1 {
        let middle = used + (free - used) / 2;
        if is_used(middle) {
            used = middle;
        } else {
            free = middle;
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ids: &[&str], expected: &[&str]) {
        let mut unique = Ids::default();
        let given = ids.iter().map(|id| {
            let mut id = (*id).to_owned();
            unique.make_unique(&mut id);
            id
        });
        assert_eq!(given.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_id_that_is_taken_gets_a_number() {
        check(&["a", "b", "a", "a", "a"], &["a", "b", "a #2", "a #3", "a #4"]);
        check(&["a #2", "a", "a", "a #2"], &["a #2", "a", "a #3", "a #2 #2"]);
        check(&["", ""], &["", " #2"]);
    }

    #[test]
    fn many_of_one_name_take_no_time_each() {
        let mut unique = Ids::default();
        for number in 1..=10_000 {
            let mut id = "a".to_owned();
            unique.make_unique(&mut id);
            assert!(number == 1 || id == format!("a #{number}"));
        }
    }

    #[test]
    fn beyond_what_is_kept_ids_are_numbered() {
        let mut unique = Ids::default();
        let kept = MOST_SLOTS as u64 * 3 / 4;
        for number in 1..=kept {
            let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert_eq!(unique.seen.insert(hash), Some(true));
        }
        unique.count = kept;
        for number in 1..=2 {
            let mut id = "a".to_owned();
            unique.make_unique(&mut id);
            assert_eq!(id, format!("a #{}", kept + number));
        }
    }
}
