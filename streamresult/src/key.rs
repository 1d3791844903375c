//! What tells tests apart: the route code and the test id.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use subunit::split_part;

/// The key of a test: its id and where it ran, as bytes of text that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) route_code: Option<&'a [u8]>,
    pub(crate) test_id: &'a [u8],
}

impl Key<'_> {
    /// The key's hash. It is the same all over the process, and another in each: nobody can choose ids that
    /// collide.
    #[inline]
    pub(crate) fn hash(self, state: &HashState) -> u64 {
        let mut hasher = state.0.build_hasher();
        if let Some(route) = self.route_code {
            hasher.write_usize(route.len() + 1);
            hasher.write(route);
        }
        hasher.write(self.test_id);
        hasher.finish()
    }
}

/// The process's secret for hashing keys.
#[derive(Clone, Debug)]
pub(crate) struct HashState(SeedableRandomState);

impl Default for HashState {
    fn default() -> Self {
        static SECRET: LazyLock<(u64, SharedSeed)> = LazyLock::new(|| {
            let random = RandomState::new();
            (random.hash_one(0), SharedSeed::from_u64(random.hash_one(1)))
        });
        HashState(SeedableRandomState::with_seed(SECRET.0, &SECRET.1))
    }
}

/// A key that owns its bytes, in one buffer that is used again.
#[derive(Debug, Default)]
pub(crate) struct KeyBuf {
    /// The route code, then the test id.
    text: Vec<u8>,
    /// The route code's length; `NO_ROUTE` for none.
    route: u32,
}

const NO_ROUTE: u32 = u32::MAX;
/// Buffers of longer keys are given back.
const KEPT: usize = 1024;

impl KeyBuf {
    /// Becomes a copy of this key.
    #[inline]
    pub(crate) fn set(&mut self, key: Key<'_>) {
        self.text.clear();
        self.route = NO_ROUTE;
        if let Some(route) = key.route_code {
            self.text.reserve_exact(route.len() + key.test_id.len());
            self.text.extend_from_slice(route);
            self.route = route.len() as u32;
        } else {
            self.text.reserve_exact(key.test_id.len());
        }
        self.text.extend_from_slice(key.test_id);
    }

    /// Gives a long buffer back, and says whether the key is still there.
    #[inline]
    pub(crate) fn forget_long(&mut self) -> bool {
        let is_short = self.text.capacity() <= KEPT;
        if !is_short {
            self.text = Vec::new();
        }
        is_short
    }

    /// Whether it is a copy of this key.
    #[inline]
    pub(crate) fn is(&self, key: Key<'_>) -> bool {
        let (text, id) = (self.text.as_slice(), key.test_id);
        match key.route_code {
            None => self.route == NO_ROUTE && text == id,
            Some(route) => {
                self.route as usize == route.len()
                    && text.len() == route.len() + id.len()
                    && text.ends_with(id)
                    && text.starts_with(route)
            }
        }
    }

    /// The key, borrowed.
    #[inline]
    pub(crate) fn key(&self) -> Key<'_> {
        let (route, test_id) = split_part(&self.text, self.route_len());
        Key { route_code: (self.route != NO_ROUTE).then_some(route), test_id }
    }

    #[inline]
    fn route_len(&self) -> usize {
        if self.route == NO_ROUTE { 0 } else { self.route as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(route_code: Option<&'a str>, test_id: &'a str) -> Key<'a> {
        Key { route_code: route_code.map(str::as_bytes), test_id: test_id.as_bytes() }
    }

    #[test]
    fn a_kept_key_is_the_key() {
        let mut kept = KeyBuf::default();
        let other = key(Some("w"), "/1");
        for key in [key(None, "a"), key(Some(""), "a"), key(Some("w/1"), ""), key(None, "")] {
            assert!(!kept.is(other) && (kept.key() == key || !kept.is(key)));
            kept.set(key);
            assert_eq!(kept.key(), key);
            assert!(kept.is(key));
        }
    }

    #[test]
    fn keys_that_look_alike_have_other_hashes() {
        let state = HashState::default();
        let keys = [key(None, "ab"), key(Some(""), "ab"), key(Some("a"), "b"), key(Some("ab"), "")];
        for one in keys {
            for other in keys {
                assert_eq!(one == other, one.hash(&state) == other.hash(&HashState::default()));
            }
        }
    }
}
