//! A set of hashes that takes about 12 bytes for each, to tell known names from new ones.

/// Slots of a new shard.
const FIRST: usize = 16;
/// Up to this many slots a shard doubles; beyond, it grows by a quarter.
const DOUBLING: usize = 4096;
const SHARDS: usize = 256;

/// Hashes that were seen. They are spread over shards which grow one by one, so that growing takes little
/// memory on top.
#[derive(Clone, Debug, Default)]
pub(crate) struct CompactHashSet {
    shards: Vec<Shard>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    /// Open addressing with linear probing; 0 is a free slot.
    slots: Vec<u64>,
    len: usize,
}

impl CompactHashSet {
    /// Adds a hash, and returns whether it is new.
    pub(crate) fn insert(&mut self, hash: u64) -> bool {
        if self.shards.is_empty() {
            self.shards.resize(SHARDS, Shard::default());
        }
        self.shards.get_mut(shard_of(hash)).is_some_and(|shard| shard.insert(not_free(hash)))
    }

    /// Whether this hash was added.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.shards.get(shard_of(hash)).is_some_and(|shard| shard.contains(not_free(hash)))
    }
}

fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

fn not_free(hash: u64) -> u64 {
    hash.max(1)
}

impl Shard {
    fn insert(&mut self, hash: u64) -> bool {
        if (self.len + 1) * 5 > self.slots.len() * 4 {
            self.grow();
        }
        match self.find(hash) {
            Some(slot) if *slot == hash => false,
            Some(slot) => {
                *slot = hash;
                self.len += 1;
                true
            }
            None => true,
        }
    }

    fn contains(&self, hash: u64) -> bool {
        self.slots.get(self.place(hash)).is_some_and(|slot| *slot == hash)
    }

    /// The slot of this hash, or the free one where it belongs.
    #[inline]
    fn find(&mut self, hash: u64) -> Option<&mut u64> {
        let place = self.place(hash);
        self.slots.get_mut(place)
    }

    /// Where this hash is, or where it belongs.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        let mut at = self.first(hash);
        while let Some(slot) = self.slots.get(at) {
            if *slot == hash || *slot == 0 {
                return at;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        debug_assert!(self.slots.is_empty(), "the first place is one of {}", self.slots.len());
        0
    }

    /// Where to look first.
    fn first(&self, hash: u64) -> usize {
        (((hash & 0xFFFF_FFFF) * self.slots.len() as u64) >> 32) as usize
    }

    fn grow(&mut self) {
        let slots = self.slots.len();
        let more = if slots < DOUBLING { slots.max(FIRST) } else { slots / 4 };
        let old = std::mem::replace(&mut self.slots, vec![0; slots + more]);
        for hash in old.into_iter().filter(|hash| *hash != 0) {
            if let Some(slot) = self.find(hash) {
                *slot = hash;
            }
        }
    }
}

/// The first number from 2 on that is not used, supposing that used ones have no gaps; with gaps it is some
/// number that is not used. The number of questions is logarithmic.
pub(crate) fn first_free(mut is_used: impl FnMut(u64) -> bool) -> u64 {
    if !is_used(2) {
        return 2;
    }
    let (mut used, mut free) = (2, 4);
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

    /// A hash that looks like one.
    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn remembers_all_and_only_what_was_added() {
        let mut seen = CompactHashSet::default();
        for number in 0..200_000 {
            assert!(seen.insert(hash(number)), "{number}");
        }
        for number in 0..200_000 {
            assert!(!seen.insert(hash(number)) && seen.contains(hash(number)));
            assert!(!seen.contains(hash(number + 200_000)));
        }
    }

    #[test]
    fn takes_less_than_16_bytes_a_hash() {
        let mut seen = CompactHashSet::default();
        for number in 1..=2_000_000 {
            seen.insert(hash(number));
            if number > 1_000_000 && number % 10_000 == 0 {
                let slots: usize = seen.shards.iter().map(|shard| shard.slots.capacity()).sum();
                assert!(slots as u64 * 8 < number * 14, "{slots} slots for {number}");
            }
        }
    }

    #[test]
    fn the_first_free_number_is_found_with_few_questions() {
        for count in 1..300 {
            let mut questions = 0;
            let found = first_free(|number| {
                questions += 1;
                number <= count
            });
            assert_eq!(found, (count + 1).max(2));
            assert!(questions < 20);
        }
        assert_eq!(first_free(|number| [2, 4].contains(&number)), 5, "a gap may be passed over");
    }
}
