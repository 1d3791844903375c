//! Sizes, durations and rates: numbers with units, read strictly.

use std::fmt;

use cli::value::{self, ValueError};

/// What a number counts; its name for people is also what it is shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
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

impl MetricUnit {
    /// The unit as it is written in performance data: `s`, `B`, `MB/s`, `%` or nothing.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            MetricUnit::Seconds => "s",
            MetricUnit::Bytes => "B",
            MetricUnit::MegabytesPerSecond => "MB/s",
            MetricUnit::Percent => "%",
            MetricUnit::Count => "",
        }
    }

    /// Reads a number with or without a unit: times and sizes as options have them, `50MB/s`, `10%`.
    ///
    /// # Errors
    ///
    /// When it is not a finite number, or its unit is of another kind.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let told = |error: ValueError| error.to_string();
        match self {
            MetricUnit::Seconds => value::seconds(text).map_err(told),
            MetricUnit::Bytes => value::bytes(text).map_err(told),
            MetricUnit::MegabytesPerSecond => match text.strip_suffix("/s") {
                Some(size) if size.ends_with(char::is_alphabetic) => {
                    value::bytes(size).map(|bytes| bytes / 1e6).map_err(told)
                }
                _ => self.plain(text),
            },
            MetricUnit::Percent => self.plain(text.strip_suffix('%').unwrap_or(text)),
            MetricUnit::Count => self.plain(text),
        }
    }

    fn plain(self, text: &str) -> Result<f64, String> {
        let number = text.trim_end().parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("{text:?} is not a number for {self}"))
    }
}

impl fmt::Display for MetricUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            MetricUnit::Seconds => "a time (500ms, 10s, 1h30m)",
            MetricUnit::Bytes => "a size (10kB, 1.5MiB)",
            MetricUnit::MegabytesPerSecond => "a speed (500kB/s, 50MB/s, 1GiB/s)",
            MetricUnit::Percent => "a percentage (10%)",
            MetricUnit::Count => "a count",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_megabytes_a_second() {
        assert_eq!(MetricUnit::MegabytesPerSecond.parse("50"), Ok(50.0));
        assert_eq!(MetricUnit::MegabytesPerSecond.parse("2GB/s"), Ok(2_000.0));
        assert!(MetricUnit::MegabytesPerSecond.parse("2GB").is_err());
        assert!(MetricUnit::MegabytesPerSecond.parse("2/s").is_err());
        assert_eq!(MetricUnit::Percent.parse("10%"), Ok(10.0));
        assert_eq!(MetricUnit::Seconds.parse("1h30m"), Ok(5400.0));
        assert_eq!(MetricUnit::Bytes.parse("1.5MiB"), Ok(1_572_864.0));
        assert!(MetricUnit::Count.parse("1%").is_err());
        assert_eq!(
            MetricUnit::Percent.parse("5MB").unwrap_err(),
            "\"5MB\" is not a number for a percentage (10%)"
        );
    }
}
