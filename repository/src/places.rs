//! Where in the stream the tests in flight have their packets.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A stretch of the stream, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: u64,
    pub(crate) end: u64,
}

impl Place {
    pub(crate) fn len(self) -> u64 {
        self.end.saturating_sub(self.at)
    }
}

/// The places of the tests in flight, by the hashes of their keys.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The test that began last: one that runs alone never gets into the table.
    recent: Option<(u64, Place)>,
    others: HashTable<(u64, Place)>,
    hasher: RandomState,
}

impl Places {
    /// The hash of a test's key.
    #[inline]
    pub(crate) fn hash(&self, route: Option<&[u8]>, id: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        if let Some(route) = route {
            hasher.write_usize(route.len() + 1);
            hasher.write(route);
        }
        hasher.write(id);
        hasher.finish()
    }

    /// A packet of a test came: its first, or one more.
    #[inline]
    pub(crate) fn extend(&mut self, hash: u64, place: Place) {
        match &mut self.recent {
            Some((recent, known)) if *recent == hash => known.end = place.end,
            _ => match self.others.find_mut(hash, |other| other.0 == hash) {
                Some((_, known)) => known.end = place.end,
                None => self.insert(hash, place),
            },
        }
    }

    fn insert(&mut self, hash: u64, place: Place) {
        if let Some(before) = self.recent.replace((hash, place)) {
            self.others.insert_unique(before.0, before, |other| other.0);
        }
    }

    /// The test has ended: where its packets were before this.
    #[inline]
    pub(crate) fn remove(&mut self, hash: u64) -> Option<Place> {
        if self.recent.is_some_and(|recent| recent.0 == hash) {
            return self.recent.take().map(|recent| recent.1);
        }
        let entry = self.others.find_entry(hash, |other| other.0 == hash).ok()?;
        Some(entry.remove().0.1)
    }
}
