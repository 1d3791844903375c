//! Sizes, durations and rates: numbers with units, read strictly.

use std::fmt;
use std::time::Duration;

/// What a number counts; its name for people is also what it is shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Megabytes (10⁶ bytes) a second.
    MegabytesPerSecond,
    /// Hundredths.
    Percent,
    /// Things.
    Count,
}

impl Unit {
    /// The unit as it is written in performance data: `s`, `B`, `MB/s`, `%` or nothing.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Bytes => "B",
            Unit::MegabytesPerSecond => "MB/s",
            Unit::Percent => "%",
            Unit::Count => "",
        }
    }

    /// What a number with this symbol is to be multiplied with, `None` when it is no symbol of this unit.
    fn factor(self, symbol: &str) -> Option<f64> {
        if symbol.is_empty() {
            return Some(1.0);
        }
        let table: &[(&str, f64)] = match self {
            Unit::Seconds => DURATIONS,
            Unit::Bytes => SIZES,
            Unit::MegabytesPerSecond => {
                let size = symbol.strip_suffix("/s")?;
                return Unit::Bytes.factor(size).filter(|_| !size.is_empty()).map(|bytes| bytes / 1e6);
            }
            Unit::Percent => &[("%", 1.0)],
            Unit::Count => &[],
        };
        table.iter().find(|(name, _)| *name == symbol).map(|(_, factor)| *factor)
    }

    /// Reads a number with or without a unit.
    ///
    /// # Errors
    ///
    /// When it is no finite number, or the unit is not one of these.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let end = text.find(|character: char| character.is_ascii_alphabetic() || character == '%');
        // An exponent belongs to the number.
        let end = end.filter(|_| text.parse::<f64>().is_err()).unwrap_or(text.len());
        let (number, symbol) = text.split_at(end);
        let value: f64 = number.trim_end().parse().map_err(|_| format!("`{text}` is no number"))?;
        let factor = self.factor(symbol).ok_or_else(|| format!("`{symbol}` is no unit of {self}"))?;
        Some(value * factor).filter(|value| value.is_finite()).ok_or_else(|| format!("`{text}` is no number"))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Unit::Seconds => "time (ns, us, ms, s, min, h, d)",
            Unit::Bytes => "size (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)",
            Unit::MegabytesPerSecond => "speed (kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s)",
            Unit::Percent => "percent (%)",
            Unit::Count => "a plain number",
        })
    }
}

const DURATIONS: &[(&str, f64)] =
    &[("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)];

const SIZES: &[(&str, f64)] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// Reads a size: `1.5MiB`, `10MB` (10⁶ bytes), `4096`; it must come to whole bytes, and at least one.
///
/// # Errors
///
/// When it is no size.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bytes = Unit::Bytes.parse(text)?;
    if !(1.0..=1e15).contains(&bytes) || bytes.fract() != 0.0 {
        return Err(format!("`{text}` is not a whole number of bytes from 1 B to 1000 TB"));
    }
    Ok(bytes as u64)
}

/// Reads a duration: `5s`, `250ms`, `2min`, `1.5` (seconds).
///
/// # Errors
///
/// When it is none, or not above zero.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = Unit::Seconds.parse(text)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 1e9 => Ok(duration),
        _ => Err(format!("`{text}` is not a duration above zero")),
    }
}

/// A duration with three digits that matter: `850 µs`, `3.20 ms`, `1.50 s`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.3} ms", seconds * 1e3)
            .chars()
            .take(4)
            .collect::<String>()
            .trim_end_matches('.')
            .to_owned()
            + " ms"
    } else {
        format!("{seconds:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_strictly() {
        let check = |text, expected: Option<u64>| assert_eq!(parse_size(text).ok(), expected, "{text}");
        check("5", Some(5));
        check("1.5MiB", Some(1_572_864));
        check("10MB", Some(10_000_000));
        check("10 kB", Some(10_000));
        for wrong in ["", "M", "10M", "1.5M", "10mb", "-1", "0", "1.5", "nan", "inf", "1e30", "1 2"] {
            check(wrong, None);
        }
    }

    #[test]
    fn durations_are_read_strictly() {
        let check = |text, expected: Option<u64>| {
            assert_eq!(parse_duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        };
        check("5s", Some(5_000));
        check("1.5", Some(1_500));
        check("250ms", Some(250));
        check("2min", Some(120_000));
        for wrong in ["0", "-1s", "5m", "s", "1e30", "1 s s"] {
            check(wrong, None);
        }
    }

    #[test]
    fn speeds_are_megabytes_a_second() {
        assert_eq!(Unit::MegabytesPerSecond.parse("50"), Ok(50.0));
        assert_eq!(Unit::MegabytesPerSecond.parse("2GB/s"), Ok(2_000.0));
        assert!(Unit::MegabytesPerSecond.parse("2GB").is_err());
        assert!(Unit::MegabytesPerSecond.parse("2/s").is_err());
        assert_eq!(Unit::Percent.parse("10%"), Ok(10.0));
    }

    #[test]
    fn durations_are_shown_with_the_digits_that_matter() {
        let check = |micros, expected| assert_eq!(show_duration(Duration::from_micros(micros)), expected);
        check(850, "850 µs");
        check(3_200, "3.20 ms");
        check(32_000, "32.0 ms");
        check(320_000, "320 ms");
        check(1_500_000, "1.5 s");
    }
}
