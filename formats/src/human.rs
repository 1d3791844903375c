//! Durations and sizes as people read them.
//!
//! All of it can be typed on the command line, where an option takes a duration or a size.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A duration as people write it: `7s`, `1m02s`, `2h05m`, `3d04h`.
///
/// ```
/// use std::time::Duration;
/// use formats::human::Age;
///
/// assert_eq!(Age(Duration::from_millis(62_900)).to_string(), "1m02s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(
    /// The duration, in whole seconds.
    pub Duration,
);

impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let text: Cow<'static, str> = match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds}s").into(),
            (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60).into(),
            (0, _, _) => format!("{hours}h{:02}m", minutes % 60).into(),
            _ => format!("{days}d{:02}h", hours % 24).into(),
        };
        formatter.pad(&text)
    }
}

/// A duration with the digits that matter: `850 µs`, `3.20 ms`, `32.0 ms`, `1.5 s`.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(formats::human::show_duration(Duration::from_micros(3_200)), "3.20 ms");
/// ```
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1e-3 {
        return format!("{:.0} µs", seconds * 1e6);
    }
    if seconds >= 1.0 {
        return format!("{seconds:.1} s");
    }
    let digits = format!("{:.3}", seconds * 1e3);
    let shown = digits.get(..4).unwrap_or(&digits).trim_end_matches('.');
    format!("{shown} ms")
}

/// The same of what may be long: `2 min 5 s`, `3 h 4 min`, `12 d 1 h`.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(formats::human::show_long(Duration::from_secs(125)), "2 min 5 s");
/// assert_eq!(formats::human::show_long(Duration::from_secs(17)), "17.0 s");
/// assert_eq!(formats::human::show_long(Duration::from_secs(86_400 * 3)), "3 d 0 h");
/// ```
#[must_use]
pub fn show_long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let pair = |unit: u64, name: &str, part: u64, part_name: &str| {
        format!("{} {name} {} {part_name}", seconds / unit, seconds % unit / part)
    };
    match seconds {
        0..60 => show_duration(duration),
        60..3600 => pair(60, "min", 1, "s"),
        3600..86_400 => pair(3600, "h", 60, "min"),
        _ => pair(86_400, "d", 3600, "h"),
    }
}

/// A number of bytes: `512 B`, `1.4 MB`; a MB is 10⁶ of them.
///
/// ```
/// assert_eq!(formats::human::Bytes(1_400_000).to_string(), "1.4 MB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(
    /// The number of bytes.
    pub u64,
);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1000 {
            return formatter.pad(&format!("{} B", self.0));
        }
        let mut size = self.0 as f64 / 1000.0;
        let mut units = UNITS.into_iter();
        let mut unit = units.next().unwrap_or_default();
        while size >= 999.95 {
            let Some(next) = units.next() else { break };
            (size, unit) = (size / 1000.0, next);
        }
        formatter.pad(&format!("{size:.1} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_age(seconds: u64, expected: &str) {
        assert_eq!(Age(Duration::from_secs(seconds)).to_string(), expected);
    }

    #[test]
    fn an_age_has_two_units_at_most() {
        check_age(0, "0s");
        check_age(59, "59s");
        check_age(60, "1m00s");
        check_age(7_500, "2h05m");
        check_age(360_000, "4d04h");
        assert_eq!(format!("{:>6}", Age(Duration::from_secs(9))), "    9s");
    }

    #[test]
    fn durations_are_shown_with_the_digits_that_matter() {
        let check = |micros, expected| assert_eq!(show_duration(Duration::from_micros(micros)), expected);
        check(0, "0 µs");
        check(850, "850 µs");
        check(3_200, "3.20 ms");
        check(32_000, "32.0 ms");
        check(320_000, "320 ms");
        check(1_500_000, "1.5 s");
    }

    #[test]
    fn sizes_have_units() {
        let check = |bytes, expected| assert_eq!(Bytes(bytes).to_string(), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1000, "1.0 kB");
        check(999_949, "999.9 kB");
        check(999_950, "1.0 MB");
        check(u64::MAX, "18446.7 PB");
    }
}
