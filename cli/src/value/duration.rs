//! Lengths of time.

use std::time::Duration;

use subunit::Timestamp;

use super::amount::Scale;
use super::error::{Fault, Kind, ValueError};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// In nanoseconds.
const SCALE: Scale = Scale {
    units: &[
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("min", MINUTE),
        ("m", MINUTE),
        ("h", HOUR),
        ("d", DAY),
        ("w", 7 * DAY),
    ],
    bare: SECOND,
    sums: true,
};

/// The longest duration that [`positive_duration`] takes, in seconds: some thirty years, which no clock overflows on.
const LONGEST: u64 = 1_000_000_000;

/// Reads a duration: `500ms`, `10s`, `5m` or `5min`, `1h30m`, `1.5h`, `2d`, `1w`; seconds without a unit.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(cli::value::duration("1h30m"), Ok(Duration::from_secs(5400)));
/// assert_eq!(cli::value::duration("0.25"), Ok(Duration::from_millis(250)));
/// ```
///
/// # Errors
///
/// When it is not one, or is below zero. What is finer than a nanosecond is cut off.
pub fn duration(text: &str) -> Result<Duration, ValueError> {
    length(text).map_err(|fault| fault.of(Kind::Duration, text))
}

/// Reads a [`duration`] above zero, of at most 10⁹ seconds: how long something may take.
///
/// # Errors
///
/// When it is not one.
pub fn positive_duration(text: &str) -> Result<Duration, ValueError> {
    let in_bounds = |length: Duration| match length {
        Duration::ZERO => Err(Fault::Zero),
        length if length > Duration::from_secs(LONGEST) => Err(Fault::TooLarge),
        length => Ok(length),
    };
    length(text).and_then(in_bounds).map_err(|fault| fault.of(Kind::Duration, text))
}

/// Reads a number of seconds, with or without a unit of time, which may be below zero: `0.5`, `500ms`, `-1min`.
///
/// # Errors
///
/// When it is not one.
pub fn seconds(text: &str) -> Result<f64, ValueError> {
    SCALE.measure(text).map_err(|fault| fault.of(Kind::Duration, text))
}

/// Reads a duration with a direction: `90m`, `+90m`, `-1.5s`.
///
/// # Errors
///
/// When it is not one.
pub fn offset(text: &str) -> Result<Offset, ValueError> {
    Offset::parse(text).map_err(|fault| fault.of(Kind::Duration, text))
}

pub(super) fn length(text: &str) -> Result<Duration, Fault> {
    let nanoseconds = SCALE.count(text)?;
    let second = u128::from(SECOND);
    let seconds = u64::try_from(nanoseconds / second).map_err(|_| Fault::TooLarge)?;
    Ok(Duration::new(seconds, (nanoseconds % second) as u32))
}

/// A length of time with a direction: how far a time is moved.
///
/// ```
/// use cli::value::offset;
/// use subunit::Timestamp;
///
/// let noon = Timestamp::from_seconds(43_200);
/// assert_eq!(offset("-2h").unwrap().of(noon), Some(Timestamp::from_seconds(36_000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    back: bool,
    length: Duration,
}

impl Offset {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let (back, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest.starts_with(['+', '-']) {
            return Err(Fault::NotOne);
        }
        Ok(Offset { back, length: length(rest)? })
    }

    /// The same length, back in time.
    pub(super) fn ago(self) -> Self {
        Offset { back: true, ..self }
    }

    /// The time this long after another, or before it; `None` where the wire cannot express it.
    #[must_use]
    pub fn of(self, time: Timestamp) -> Option<Timestamp> {
        let since = time.since_epoch();
        let moved = if self.back { since.checked_sub(self.length) } else { since.checked_add(self.length) };
        Timestamp::from_epoch(moved?)
    }

    /// From one time to another.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        let back = to < from;
        let length = if back { from.saturating_since(to) } else { to.saturating_since(from) };
        Offset { back, length }
    }
}
