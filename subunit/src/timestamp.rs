//! Points in time as the wire has them: seconds since 1970 in 32 bits, and nanoseconds.

use core::fmt;
use core::time::Duration;
#[cfg(feature = "std")]
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds in a second: the first value the nanosecond field may not have.
pub(crate) const NANOSECONDS: u32 = 1_000_000_000;

/// A point in time, UTC, from 1970-01-01 to 2106-02-07.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields"))]
pub struct Timestamp {
    pub(crate) seconds: u32,
    /// Below [`NANOSECONDS`].
    pub(crate) nanoseconds: u32,
}

/// What a [`Timestamp`] is kept as.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Fields {
    seconds: u32,
    nanoseconds: u32,
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for Timestamp {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, &'static str> {
        Timestamp::new(fields.seconds, fields.nanoseconds).ok_or("nanoseconds are a second or more")
    }
}

impl Timestamp {
    /// This many seconds after 1970-01-01T00:00:00Z, and nanoseconds into that second; `None` where these are a second or
    /// more.
    ///
    /// ```
    /// use subunit::Timestamp;
    ///
    /// assert_eq!(Timestamp::new(7, 5).map(|time| time.to_string()), Some("1970-01-01T00:00:07.000000005Z".into()));
    /// assert_eq!(Timestamp::new(7, 1_000_000_000), None);
    /// ```
    #[must_use]
    pub const fn new(seconds: u32, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < NANOSECONDS { Some(Timestamp { seconds, nanoseconds }) } else { None }
    }

    /// This many whole seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Timestamp { seconds, nanoseconds: 0 }
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[inline]
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// Nanoseconds into that second, below 1 000 000 000.
    #[inline]
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// The current time of the system's clock.
    #[cfg(feature = "std")]
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

/// As RFC 3339 has it, with as many decimals as there are, in groups of three: `2023-11-14T22:13:20.500Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since_epoch();
        let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match since.subsec_nanos() {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(formatter, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(formatter, ".{:06}", nanos / 1_000)?,
            nanos => write!(formatter, ".{nanos:09}")?,
        }
        formatter.write_str("Z")
    }
}

/// Year, month and day that are this many days after 1970-01-01. Years are counted from March, so that the leap day is
/// the last, in eras of 400 years.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(feature = "std")]
impl From<SystemTime> for Timestamp {
    /// The nearest time that the wire can say: a clock before 1970 or after 2106 gives its end of the range.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_epoch(since).unwrap_or(Timestamp { seconds: u32::MAX, nanoseconds: NANOSECONDS - 1 })
    }
}

#[cfg(feature = "std")]
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

#[cfg(feature = "jiff")]
impl From<Timestamp> for jiff::Timestamp {
    fn from(timestamp: Timestamp) -> Self {
        // What the wire can say is within what jiff can.
        jiff::Timestamp::try_from(SystemTime::from(timestamp)).unwrap_or_default()
    }
}

#[cfg(feature = "jiff")]
impl TryFrom<jiff::Timestamp> for Timestamp {
    type Error = OutOfRange;

    /// The same time, to the nanosecond.
    ///
    /// # Errors
    ///
    /// When it is before 1970 or after 2106.
    fn try_from(time: jiff::Timestamp) -> Result<Self, OutOfRange> {
        let since = SystemTime::from(time).duration_since(UNIX_EPOCH).map_err(|_| OutOfRange)?;
        Timestamp::from_epoch(since).ok_or(OutOfRange)
    }
}

/// A time that the wire's 32 bits of seconds cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the time is before 1970-01-01 or after 2106-02-07, which subunit cannot say")
    }
}

impl core::error::Error for OutOfRange {}

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
    fn a_time_is_shown_as_rfc_3339_has_it() {
        let shown = |seconds, nanoseconds| Timestamp { seconds, nanoseconds }.to_string();
        assert_eq!(shown(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(shown(951_782_399, 500_000_000), "2000-02-28T23:59:59.500Z");
        assert_eq!(shown(951_782_400, 1_000), "2000-02-29T00:00:00.000001Z");
        assert_eq!(shown(1_709_251_199, 1), "2024-02-29T23:59:59.000000001Z");
        assert_eq!(shown(1_735_689_599, 0), "2024-12-31T23:59:59Z");
        assert_eq!(shown(u32::MAX, 0), "2106-02-07T06:28:15Z");
    }

    #[test]
    fn a_duration_is_never_negative() {
        let early = Timestamp { seconds: 1, nanoseconds: 5 };
        let late = Timestamp { seconds: 2, nanoseconds: 4 };
        assert_eq!(late.saturating_since(early), Duration::from_nanos(999_999_999));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiff_and_back_keeps_the_nanosecond() {
        for since in [
            Duration::new(1_700_000_000, 123_456_789),
            Duration::ZERO,
            Duration::from_secs(u64::from(u32::MAX)),
        ] {
            let timestamp = Timestamp::from_epoch(since).unwrap();
            assert_eq!(Timestamp::try_from(jiff::Timestamp::from(timestamp)), Ok(timestamp));
        }
        assert_eq!(Timestamp::try_from(jiff::Timestamp::MIN), Err(OutOfRange));
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
