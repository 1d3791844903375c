//! Which test points came, and which did not.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// More stretches are not kept: numbers that are spread like this are more than out of order.
const MOST: usize = 10_000;

/// The numbers of the test points of a document. In order they take no memory, however many they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// All from 1 to this came.
    through: u64,
    /// Stretches that came beyond, first to last.
    ahead: BTreeMap<u64, u64>,
    /// Whether some were not kept.
    is_scattered: bool,
    count: u64,
    highest: u64,
}

impl Numbers {
    /// Adds a number that came.
    pub(super) fn add(&mut self, number: u64) {
        self.count += 1;
        self.highest = self.highest.max(number);
        if number == self.through + 1 {
            self.through = number;
            self.join();
        } else if number > self.through {
            self.add_ahead(number);
        }
    }

    /// How many came, doubled ones included.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The highest that came.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether it cannot be told any more which came.
    pub(super) fn is_scattered(&self) -> bool {
        self.is_scattered
    }

    /// The stretches from 1 to `last` that did not come.
    pub(super) fn missing(&self, last: u64) -> impl Iterator<Item = RangeInclusive<u64>> {
        let ends =
            self.ahead.iter().map(|(first, last)| (*first, *last)).chain([(last.saturating_add(1), 0)]);
        let mut next = self.through.saturating_add(1);
        ends.filter_map(move |(first, end)| {
            let gap = next..=(first - 1).min(last);
            next = end.saturating_add(1);
            (!gap.is_empty()).then_some(gap)
        })
    }

    fn add_ahead(&mut self, number: u64) {
        let before = self.ahead.range(..=number).next_back().map(|(first, last)| (*first, *last));
        let first = match before {
            Some((_, last)) if last >= number => return,
            Some((first, last)) if last + 1 == number => first,
            _ => number,
        };
        let last = number.checked_add(1).and_then(|next| self.ahead.remove(&next)).unwrap_or(number);
        if first == number && self.ahead.len() >= MOST {
            self.is_scattered = true;
        } else {
            self.ahead.insert(first, last);
        }
    }

    /// The first stretch may now follow at once.
    fn join(&mut self) {
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() <= self.through + 1) {
            self.through = self.through.max(first.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(came: &[u64], last: u64, expected: &[RangeInclusive<u64>]) {
        let mut numbers = Numbers::default();
        came.iter().for_each(|number| numbers.add(*number));
        assert_eq!(numbers.missing(last).collect::<Vec<_>>(), expected, "{came:?}");
        assert_eq!(numbers.count(), came.len() as u64);
    }

    #[test]
    fn gaps_are_found_in_any_order() {
        check(&[], 0, &[]);
        check(&[], 3, &[1..=3]);
        check(&[1, 2, 3], 3, &[]);
        check(&[3, 1, 2], 3, &[]);
        check(&[5, 3, 3, 1], 7, &[2..=2, 4..=4, 6..=7]);
        check(&[6, 4, 5, 2, 1, 3], 6, &[]);
        check(&[9, 8], 3, &[1..=3]);
        check(&[2, 9], 5, &[1..=1, 3..=5]);
        check(&[0, 1, u64::MAX], 1, &[]);
        check(&[u64::MAX], u64::MAX, &[1..=u64::MAX - 1]);
    }

    #[test]
    fn numbers_in_order_take_no_memory() {
        let mut numbers = Numbers::default();
        (1..=100_000).for_each(|number| numbers.add(number));
        assert!(numbers.ahead.is_empty() && numbers.missing(100_000).next().is_none());
    }

    #[test]
    fn too_many_stretches_are_not_kept() {
        let mut numbers = Numbers::default();
        (1..=MOST as u64 + 1).for_each(|number| numbers.add(number * 2));
        assert!(numbers.is_scattered());
        assert_eq!(numbers.ahead.len(), MOST);
    }
}
