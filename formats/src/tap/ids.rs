//! Ids that no two tests of a run share.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;

use crate::hash_set::{CompactHashSet, first_free};

/// The first ids are kept, up to this many: their hashes take some 9 MiB.
const MOST: u64 = 786_432;

/// Gives each test an id of its own: the second `boot` is `boot #2`.
///
/// It keeps a hash for each of the first 786 432 ids. From there on an id ends in how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    seen: CompactHashSet,
    hasher: RandomState,
    count: u64,
}

impl Ids {
    /// Changes an id that another test has.
    #[inline]
    pub(super) fn make_unique(&mut self, id: &mut String) {
        self.count += 1;
        if self.count > MOST {
            push_number(self.count, id);
        } else if !self.seen.insert(self.hasher.hash_one(&**id)) {
            self.number(id);
        }
    }

    #[cold]
    fn number(&mut self, id: &mut String) {
        let hash = |id: &str| self.hasher.hash_one(id);
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

fn push_number(number: u64, id: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(id, " #{number}");
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
        let mut unique = Ids { count: MOST, ..Ids::default() };
        for number in 1..=2 {
            let mut id = "a".to_owned();
            unique.make_unique(&mut id);
            assert_eq!(id, format!("a #{}", MOST + number));
        }
    }
}
