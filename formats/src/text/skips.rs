//! Why tests were skipped.

use std::collections::HashMap;
use std::io;

use streamresult::Record;

use super::line::first_line;

/// Further reasons are counted together.
const MOST: usize = 1000;

/// How many tests were skipped for which reason.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    counts: HashMap<String, u64>,
    others: u64,
}

impl Skips {
    pub(crate) fn note(&mut self, record: &Record<'_>) -> io::Result<()> {
        let reason = first_line(record, "reason")?.unwrap_or_else(|| "(no reason given)".to_owned());
        if let Some(count) = self.counts.get_mut(&reason) {
            *count += 1;
        } else if self.counts.len() < MOST {
            self.counts.insert(reason, 1);
        } else {
            self.others += 1;
        }
        Ok(())
    }

    /// The reasons, the most frequent first.
    pub(crate) fn into_list(self) -> Vec<(u64, String)> {
        let mut list: Vec<_> = self.counts.into_iter().map(|(reason, count)| (count, reason)).collect();
        list.sort_by(|(count, reason), (other_count, other)| {
            other_count.cmp(count).then_with(|| reason.cmp(other))
        });
        if self.others > 0 {
            list.push((self.others, "(other reasons)".to_owned()));
        }
        list
    }
}
