//! Points in time as the wire has them: seconds since 1970 in 32 bits, and nanoseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds in a second: the first value the nanosecond field may not have.
pub(crate) const NANOSECONDS: u32 = 1_000_000_000;

/// A point in time, UTC, from 1970-01-01 to 2106-02-07.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub seconds: u32,
    /// Nanoseconds into that second, below 1 000 000 000 (the writer refuses others).
    pub nanoseconds: u32,
}

impl Timestamp {
    /// The current time of the system's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The time from `earlier` to this, zero when `earlier` is later.
    #[must_use]
    pub fn saturating_since(self, earlier: Timestamp) -> Duration {
        self.since_epoch().saturating_sub(earlier.since_epoch())
    }

    /// The time since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::new(u64::from(self.seconds), 0) + Duration::from_nanos(u64::from(self.nanoseconds))
    }

    /// The point this long after 1970-01-01T00:00:00Z, or `None` after 2106-02-07T06:28:15Z.
    #[must_use]
    pub fn from_epoch(since: Duration) -> Option<Self> {
        let seconds = u32::try_from(since.as_secs()).ok()?;
        Some(Timestamp { seconds, nanoseconds: since.subsec_nanos() })
    }
}

impl From<SystemTime> for Timestamp {
    /// The nearest time that the wire can say: a clock before 1970 or after 2106 gives its end of the range.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_epoch(since).unwrap_or(Timestamp { seconds: u32::MAX, nanoseconds: NANOSECONDS - 1 })
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + timestamp.since_epoch()
    }
}

#[cfg(feature = "chrono")]
impl From<Timestamp> for chrono::DateTime<chrono::Utc> {
    fn from(timestamp: Timestamp) -> Self {
        SystemTime::from(timestamp).into()
    }
}

#[cfg(feature = "chrono")]
impl TryFrom<chrono::DateTime<chrono::Utc>> for Timestamp {
    type Error = OutOfRange;

    /// The same time, to the nanosecond.
    ///
    /// # Errors
    ///
    /// When it is before 1970 or after 2106.
    fn try_from(time: chrono::DateTime<chrono::Utc>) -> Result<Self, OutOfRange> {
        let since = SystemTime::from(time).duration_since(UNIX_EPOCH).map_err(|_| OutOfRange)?;
        Timestamp::from_epoch(since).ok_or(OutOfRange)
    }
}

/// A time that the wire's 32 bits of seconds cannot say.
#[cfg(feature = "chrono")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

#[cfg(feature = "chrono")]
impl std::fmt::Display for OutOfRange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the time is before 1970-01-01 or after 2106-02-07, which subunit cannot say")
    }
}

#[cfg(feature = "chrono")]
impl std::error::Error for OutOfRange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_times_out_of_range_are_held_at_its_ends() {
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), Timestamp::default());
        let late = UNIX_EPOCH + Duration::from_secs(1 << 33);
        assert_eq!(Timestamp::from(late), Timestamp { seconds: u32::MAX, nanoseconds: 999_999_999 });
    }

    #[test]
    fn a_duration_is_never_negative() {
        let early = Timestamp { seconds: 1, nanoseconds: 5 };
        let late = Timestamp { seconds: 2, nanoseconds: 4 };
        assert_eq!(late.saturating_since(early), Duration::from_nanos(999_999_999));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_and_back_keeps_the_nanosecond() {
        let timestamp = Timestamp { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
        let time = chrono::DateTime::<chrono::Utc>::from(timestamp);
        assert_eq!(Timestamp::try_from(time), Ok(timestamp));
        let early = time - chrono::Duration::days(365 * 100);
        assert_eq!(Timestamp::try_from(early), Err(OutOfRange));
    }
}
