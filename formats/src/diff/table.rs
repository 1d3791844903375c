//! The outcomes of all tests of both runs, in 16 bytes a test.

use std::time::Duration;

use streamresult::Outcome;

use crate::compact_map::CompactMap;

/// One of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The earlier one.
    Before,
    /// The later one.
    After,
}

/// What is known of each test, by its hash.
///
/// In a mark are, from the lowest bit: three bits of outcome before and three after, one more than the outcome's
/// number, four bits of how many records after are still to come, and the duration before.
#[derive(Default)]
pub(crate) struct Table(CompactMap<u32>);

const OUTCOME: u32 = 0b111;
const COUNT_AT: u32 = 6;
const COUNT: u32 = 0b1111;
const DURATION_AT: u32 = 10;

impl Table {
    pub(crate) fn hash(&self, route: Option<&str>, id: &str) -> u64 {
        self.0.hash(route, id)
    }

    /// How a test ended.
    pub(crate) fn get(&self, side: Side, hash: u64) -> Option<Outcome> {
        let number = self.0.get(hash) >> place(side) & OUTCOME;
        Outcome::ALL.into_iter().find(|outcome| *outcome as u32 + 1 == number)
    }

    /// Enters a record.
    pub(crate) fn add(&mut self, side: Side, hash: u64, outcome: Outcome, duration: Option<Duration>) {
        let mark = self.0.get(hash);
        let place = place(side);
        let mark = mark & !(OUTCOME << place) | (outcome as u32 + 1) << place;
        let mark = match side {
            Side::Before => mark & ((1 << DURATION_AT) - 1) | packed(duration) << DURATION_AT,
            Side::After if mark >> COUNT_AT & COUNT == COUNT => mark,
            Side::After => mark + (1 << COUNT_AT),
        };
        self.0.set(hash, mark);
    }

    /// Whether this record after, as they come once more, is the last of its test. Of more than fifteen it is the
    /// fifteenth.
    pub(crate) fn is_last(&mut self, hash: u64) -> bool {
        let mark = self.0.get(hash);
        match mark >> COUNT_AT & COUNT {
            0 => false,
            left => {
                self.0.set(hash, mark - (1 << COUNT_AT));
                left == 1
            }
        }
    }

    /// How a test ended before; asked again, there is none.
    pub(crate) fn take_before(&mut self, hash: u64) -> Option<Outcome> {
        let outcome = self.get(Side::Before, hash)?;
        self.0.set(hash, 0);
        Some(outcome)
    }

    /// How long a test took before, to four digits.
    pub(crate) fn seconds(&self, hash: u64) -> Option<f64> {
        unpacked(self.0.get(hash) >> DURATION_AT)
    }
}

fn place(side: Side) -> u32 {
    match side {
        Side::Before => 0,
        Side::After => 3,
    }
}

/// This many bits hold the digits of a duration in nanoseconds; those above them say how many zeros follow.
const DIGITS: u32 = 16;
/// The largest number of digits; zero is for no duration, and all others are one more.
const MOST: u64 = (1 << DIGITS) - 2;

/// A duration in 20 bits; zero is none.
fn packed(duration: Option<Duration>) -> u32 {
    let Some(duration) = duration else { return 0 };
    let mut digits = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let mut zeros = 0;
    while digits > MOST {
        digits = digits / 10 + u64::from(digits % 10 >= 5);
        zeros += 1;
    }
    zeros << DIGITS | (digits + 1) as u32
}

fn unpacked(packed: u32) -> Option<f64> {
    let digits = (packed & ((1 << DIGITS) - 1)).checked_sub(1)?;
    let scale = 10_u64.checked_pow(packed >> DIGITS)?;
    Some(f64::from(digits) * scale as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_kept_to_four_digits() {
        assert_eq!(unpacked(packed(None)), None);
        for nanoseconds in [0, 1, 65_534, 65_535, 1_234_567, 2_000_000_000, 86_400_000_000_000, u64::MAX - 1]
        {
            let exact = nanoseconds as f64 / 1e9;
            let found = unpacked(packed(Some(Duration::from_nanos(nanoseconds)))).unwrap();
            assert!((found - exact).abs() <= exact / 10_000.0, "{found} {exact}");
        }
    }

    #[test]
    fn both_sides_are_kept_apart() {
        let mut table = Table::default();
        let hash = table.hash(None, "a");
        table.add(Side::Before, hash, Outcome::Unfinished, Some(Duration::from_secs(1)));
        table.add(Side::After, hash, Outcome::Exists, None);
        table.add(Side::After, hash, Outcome::Success, None);
        assert_eq!(table.get(Side::Before, hash), Some(Outcome::Unfinished));
        assert_eq!(table.get(Side::After, hash), Some(Outcome::Success));
        assert_eq!([table.is_last(hash), table.is_last(hash), table.is_last(hash)], [false, true, false]);
        assert_eq!(table.take_before(hash), Some(Outcome::Unfinished));
        assert_eq!(table.take_before(hash), None);
    }
}
