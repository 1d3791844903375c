//! The records that somebody wants to keep: of failures, as a rule.

use std::fmt;
use std::io;

use crate::{Outcome, Record, RecordBuf, RecordSink};

/// How much of an attachment is kept, unless something else is said.
const LIMIT: usize = 64 * 1024;
/// How many records are kept, unless something else is said.
const AT_MOST: usize = 10_000;

/// Keeps records with their texts, in lists by outcome: what `Summary` counts. Without more being said, those of
/// tests that did not simply pass.
///
/// ```
/// use streamresult::{Outcome, RecordList, Records, RunningTest, StreamResult, Summary};
///
/// let mut records = Records::new((Summary::new(), RecordList::new()));
/// RunningTest::start(&mut records, "boot")?.succeed()?;
/// RunningTest::start(&mut records, "login")?.fail("refused")?;
/// RunningTest::start(&mut records, "ipv6")?.skip("no address")?;
/// records.stop_run()?;
/// let (summary, list) = records.into_sink();
/// assert_eq!(summary.total(), 3);
/// let failed: Vec<_> = list.of(Outcome::Fail).map(|test| (test.test_id.as_str(), test.text())).collect();
/// assert_eq!(failed, [("login", Some("refused".to_owned()))]);
/// assert_eq!(list.failures().count(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RecordList {
    wanted: fn(Outcome) -> bool,
    limit: usize,
    at_most: usize,
    records: Vec<RecordBuf>,
    left_out: u64,
}

impl Default for RecordList {
    fn default() -> Self {
        RecordList::new()
    }
}

impl RecordList {
    /// Keeps what did not simply pass: at most 10 000 records, and 64 KiB of each attachment.
    #[must_use]
    pub fn new() -> Self {
        let wanted = |outcome| !matches!(outcome, Outcome::Success | Outcome::Exists);
        RecordList { wanted, limit: LIMIT, at_most: AT_MOST, records: Vec::new(), left_out: 0 }
    }

    /// Keeps the records with outcomes for which this holds.
    #[must_use]
    pub fn wanted(self, wanted: fn(Outcome) -> bool) -> Self {
        RecordList { wanted, ..self }
    }

    /// Keeps at most this many records, and this many bytes of each attachment.
    #[must_use]
    pub fn limits(self, at_most: usize, bytes: usize) -> Self {
        RecordList { at_most, limit: bytes, ..self }
    }

    /// All records that are kept, in the order in which tests ended.
    #[must_use]
    pub fn records(&self) -> &[RecordBuf] {
        &self.records
    }

    /// Those with this outcome.
    pub fn of(&self, outcome: Outcome) -> impl Iterator<Item = &RecordBuf> {
        self.records.iter().filter(move |record| record.outcome == outcome)
    }

    /// Those that count against the run.
    pub fn failures(&self) -> impl Iterator<Item = &RecordBuf> {
        self.records.iter().filter(|record| record.outcome.is_failure())
    }

    /// How many were wanted and did not find room.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All records that are kept, to be taken away.
    #[must_use]
    pub fn into_records(self) -> Vec<RecordBuf> {
        self.records
    }
}

impl<V> RecordSink<V> for RecordList {
    fn start_run(&mut self) -> io::Result<()> {
        self.records.clear();
        self.left_out = 0;
        Ok(())
    }

    fn record(&mut self, record: &Record<'_, V>) -> io::Result<()> {
        if !(self.wanted)(record.outcome()) {
            return Ok(());
        }
        if self.records.len() < self.at_most {
            self.records.push(record.to_buf(self.limit)?);
        } else {
            self.left_out += 1;
        }
        Ok(())
    }
}

impl fmt::Debug for RecordList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RecordList").field("records", &self.records).finish_non_exhaustive()
    }
}
