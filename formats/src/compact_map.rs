//! A small value for each of very many tests, found by the test's hash.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;

/// Slots of a new shard.
const FIRST: usize = 16;
/// Up to this many slots a shard doubles; beyond, it grows by an eighth.
const DOUBLING: usize = 2048;
const SHARDS: usize = 256;

/// Values by hash: at most 1.3 times the bytes of a hash and a value for each, once there are many.
///
/// They are spread over shards which grow one by one, so that growing takes little memory on top. Two tests whose
/// hashes are the same are taken for one; of ten million that happens once in 400 000 runs.
#[derive(Debug)]
pub struct CompactMap<V> {
    shards: Vec<Shard<V>>,
    state: RandomState,
}

/// Open addressing with linear probing; the hash 0 is a free slot.
#[derive(Clone, Debug, Default)]
struct Shard<V> {
    hashes: Vec<u64>,
    values: Vec<V>,
    len: usize,
}

impl<V: Copy + Default> Default for CompactMap<V> {
    fn default() -> Self {
        CompactMap { shards: vec![Shard::default(); SHARDS], state: RandomState::default() }
    }
}

impl<V: Copy + Default> CompactMap<V> {
    /// The hash of a test.
    pub fn hash(&self, route: Option<&str>, id: &str) -> u64 {
        let mut hasher = self.state.build_hasher();
        if let Some(route) = route {
            hasher.write_usize(route.len() + 1);
            hasher.write(route.as_bytes());
        }
        hasher.write(id.as_bytes());
        hasher.finish().max(1)
    }

    /// The value of this hash, the default where it has none yet.
    pub fn get(&self, hash: u64) -> V {
        self.shards.get(shard_of(hash)).and_then(|shard| shard.get(hash)).unwrap_or_default()
    }

    /// Gives this hash a value.
    pub fn set(&mut self, hash: u64, value: V) {
        if let Some(shard) = self.shards.get_mut(shard_of(hash)) {
            shard.set(hash, value);
        }
    }
}

fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

impl<V: Copy + Default> Shard<V> {
    fn get(&self, hash: u64) -> Option<V> {
        let slot = self.find(hash)?;
        (self.hashes.get(slot) == Some(&hash)).then(|| self.values.get(slot).copied()).flatten()
    }

    fn set(&mut self, hash: u64, value: V) {
        if (self.len + 1) * 8 > self.hashes.len() * 7 {
            self.grow();
        }
        let Some(slot) = self.find(hash) else { return };
        if let (Some(there), Some(old)) = (self.hashes.get_mut(slot), self.values.get_mut(slot)) {
            self.len += usize::from(*there == 0);
            (*there, *old) = (hash, value);
        }
    }

    /// The slot of this hash, or the free one where it belongs.
    fn find(&self, hash: u64) -> Option<usize> {
        let slots = self.hashes.len();
        let first = ((u128::from(hash & 0xFFFF_FFFF) * slots as u128) >> 32) as usize;
        let (before, from) = self.hashes.split_at_checked(first)?;
        let is_place = |there: &u64| *there == hash || *there == 0;
        let after = from.iter().position(is_place).map(|place| first + place);
        after.or_else(|| before.iter().position(is_place))
    }

    fn grow(&mut self) {
        let slots = self.hashes.len();
        let more = if slots < DOUBLING { slots.max(FIRST) } else { slots / 8 };
        let hashes = std::mem::replace(&mut self.hashes, vec![0; slots + more]);
        let values = std::mem::replace(&mut self.values, vec![V::default(); slots + more]);
        self.len = 0;
        for (hash, value) in hashes.into_iter().zip(values).filter(|(hash, _)| *hash != 0) {
            self.set(hash, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_again_and_take_little_room() {
        let mut marks = CompactMap::<u32>::default();
        let hashes: Vec<u64> = (0..1_000_000).map(|number| marks.hash(None, &format!("{number}"))).collect();
        for (value, hash) in (1..).zip(&hashes) {
            assert_eq!(marks.get(*hash), 0);
            marks.set(*hash, value);
        }
        assert!((1..).zip(&hashes).all(|(value, hash)| marks.get(*hash) == value));
        let slots: usize = marks.shards.iter().map(|shard| shard.hashes.len()).sum();
        assert!(slots * 12 < 16 * hashes.len(), "{slots}");
    }

    #[test]
    fn routes_and_ids_are_told_apart() {
        let marks = CompactMap::<u8>::default();
        assert_ne!(marks.hash(Some("a"), "b"), marks.hash(None, "ab"));
        assert_ne!(marks.hash(Some(""), "b"), marks.hash(None, "b"));
    }
}
