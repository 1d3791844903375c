//! Ranges as monitoring plugins have them: when a number is a reason for an alert.

use std::fmt;

use super::MetricUnit;

/// A range of the monitoring plugins, with units: `10` alerts outside 0…10, `10:` below 10, `~:10` above 10,
/// `10:20` outside, `@10:20` inside. A number on a bound is in the range.
///
/// ```
/// use probe::{Range, MetricUnit};
///
/// let range = Range::parse("500ms", MetricUnit::Seconds)?;
/// assert!(range.alerts(0.6) && !range.alerts(0.5));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    inside: bool,
    text: String,
}

impl Range {
    /// Reads a range of numbers of this unit.
    ///
    /// # Errors
    ///
    /// When it is not a range, its end is before its start, or a unit is of another kind.
    pub fn parse(text: &str, unit: MetricUnit) -> Result<Self, String> {
        let (inside, bounds) = match text.strip_prefix('@') {
            Some(bounds) => (true, bounds),
            None => (false, text),
        };
        let (start, end) = match bounds.split_once(':') {
            Some((start, end)) => (start, end),
            None => ("", bounds),
        };
        if start.is_empty() && end.is_empty() {
            return Err(format!("`{text}` is not a range, as 10, 10:, ~:10, 10:20 and @10:20 are"));
        }
        let start = match start {
            "" => 0.0,
            "~" => f64::NEG_INFINITY,
            number => unit.parse(number)?,
        };
        let end = if end.is_empty() { f64::INFINITY } else { unit.parse(end)? };
        if start > end {
            return Err(format!("`{text}` ends before it starts"));
        }
        Ok(Range { start, end, inside, text: text.to_owned() })
    }

    /// Whether this number is a reason for an alert.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        (self.start..=self.end).contains(&value) == self.inside
    }

    /// The range in the metric's own unit, without units: as performance data wants it.
    #[must_use]
    pub fn plain(&self) -> String {
        let sign = if self.inside { "@" } else { "" };
        let start = match self.start {
            0.0 => String::new(),
            start if start.is_finite() => format!("{start}:"),
            _ => "~:".to_owned(),
        };
        match self.end {
            end if end.is_finite() => format!("{sign}{start}{end}"),
            _ => format!("{sign}{}", if start.is_empty() { "0:".to_owned() } else { start }),
        }
    }
}

impl fmt::Display for Range {
    /// The range as it was given.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, fine: &[f64], alert: &[f64], plain: &str) {
        let range = Range::parse(text, MetricUnit::Seconds).unwrap();
        assert!(fine.iter().all(|value| !range.alerts(*value)), "{text}");
        assert!(alert.iter().all(|value| range.alerts(*value)), "{text}");
        assert_eq!(range.plain(), plain);
    }

    #[test]
    fn numbers_alert_as_the_plugins_say() {
        check("10", &[0.0, 5.0, 10.0], &[-0.1, 10.1], "10");
        check("10:", &[10.0, 1e9], &[9.9], "10:");
        check("~:10", &[-1e9, 10.0], &[10.1], "~:10");
        check("10:20", &[10.0, 20.0], &[9.9, 20.1], "10:20");
        check("@10:20", &[9.9, 20.1], &[10.0, 20.0], "@10:20");
        check("100ms:1min", &[0.1, 60.0], &[0.05, 61.0], "0.1:60");
        check("~:", &[-1e9, 1e9], &[], "~:");
    }

    #[test]
    fn anything_but_a_range_is_refused() {
        for wrong in ["", ":", "@", "20:10", "10:20:30", "x", "10MB", "@~", "10..20"] {
            assert!(Range::parse(wrong, MetricUnit::Seconds).is_err(), "{wrong}");
        }
    }
}
