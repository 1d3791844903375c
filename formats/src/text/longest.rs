//! The tests that took longest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use streamresult::Record;

use super::line::title;

/// How many are listed unless it was said.
const USUAL: usize = 5;

/// The slowest tests so far.
#[derive(Debug)]
pub(crate) struct Longest {
    /// The quickest of them first; of two that are equal, the later one.
    kept: BinaryHeap<Reverse<(Duration, Reverse<u64>, String)>>,
    asked: Option<usize>,
    seen: u64,
}

impl Longest {
    pub(crate) fn new(asked: Option<usize>) -> Self {
        Longest { kept: BinaryHeap::new(), asked, seen: 0 }
    }

    #[inline]
    pub(crate) fn note(&mut self, record: &Record<'_>) {
        let Some(duration) = record.duration().filter(|duration| !duration.is_zero()) else { return };
        self.seen += 1;
        let room = self.asked.unwrap_or(USUAL);
        if self.kept.len() >= room {
            let is_slower = |Reverse((quickest, _, _)): &Reverse<(Duration, _, _)>| duration > *quickest;
            if !self.kept.peek().is_some_and(is_slower) {
                return;
            }
            self.kept.pop();
        }
        self.kept.push(Reverse((duration, Reverse(self.seen), title(record.test_id(), record.route_code()))));
    }

    /// Those to be listed, the slowest first: none where nobody asked and there are no others.
    pub(crate) fn into_list(self) -> Vec<(Duration, String)> {
        if self.asked.is_none() && self.seen <= USUAL as u64 {
            return Vec::new();
        }
        let sorted = self.kept.into_sorted_vec();
        sorted.into_iter().map(|Reverse((duration, _, title))| (duration, title)).collect()
    }
}
