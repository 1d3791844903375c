//! Durations and moments as people write them.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use subunit::Timestamp;

/// A length of time with a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    back: bool,
    length: Duration,
}

impl Span {
    /// The time this long after, or before, `from`; `None` where the wire cannot say it.
    pub(crate) fn from(self, from: Timestamp) -> Option<Timestamp> {
        let since = from.since_epoch();
        let moved = if self.back { since.checked_sub(self.length) } else { since.checked_add(self.length) };
        Timestamp::from_epoch(moved?)
    }

    /// From one time to another.
    pub(crate) fn between(from: Timestamp, to: Timestamp) -> Self {
        let back = to < from;
        let length = if back { from.saturating_since(to) } else { to.saturating_since(from) };
        Span { back, length }
    }
}

/// Units by their names, in nanoseconds.
const UNITS: [(&str, u64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Reads a duration: `1.5s`, `90m`, `1h30m`, `-5s`, plain seconds.
pub(crate) fn span(text: &str) -> Result<Span, String> {
    let (back, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = length(rest).ok_or("a duration is a number with a unit, like 1.5s, 90m or 2h")?;
    Ok(Span { back, length })
}

/// Reads a duration that has no direction.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let span = span(text)?;
    if span.back { Err("a duration below zero".to_owned()) } else { Ok(span.length) }
}

/// Reads a moment: RFC 3339, or how long ago it is (`10m`), or in how long it will be (`+10m`).
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    moment_from(text, Timestamp::now())
}

fn moment_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let since = u64::try_from(time.timestamp()).ok();
        let since = since.map(|seconds| Duration::new(seconds, time.timestamp_subsec_nanos()));
        return since.and_then(Timestamp::from_epoch).ok_or_else(|| "before 1970 or after 2106".to_owned());
    }
    let span = span(text).map_err(|_| "neither a time like 2026-01-31T12:00:00Z nor a duration like 10m")?;
    let ago = Span { back: !text.starts_with('+'), ..span };
    ago.from(now).ok_or_else(|| "before 1970 or after 2106".to_owned())
}

/// The time in RFC 3339, to the nanosecond where it has them.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let since = i64::from(time.seconds);
    let time: Option<DateTime<Utc>> = DateTime::from_timestamp(since, time.nanoseconds);
    time.map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn length(mut text: &str) -> Option<Duration> {
    let mut nanoseconds: u128 = 0;
    let all = text.len();
    loop {
        let end = text.find(|character: char| !matches!(character, '0'..='9' | '.')).unwrap_or(text.len());
        let (number, rest) = text.split_at_checked(end)?;
        let end = rest.find(|character: char| matches!(character, '0'..='9' | '.')).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(end)?;
        let unit = if number.len() == all { "s" } else { unit };
        let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        nanoseconds = nanoseconds.checked_add(scaled(number, scale)?)?;
        if rest.is_empty() {
            break;
        }
        text = rest;
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, (nanoseconds % 1_000_000_000) as u32))
}

/// A decimal number of units, in nanoseconds; what is finer is cut off.
fn scaled(number: &str, scale: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let parse = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let fraction_scale = 10_u128.checked_pow(fraction.len() as u32)?;
    let fraction = u128::from(parse(fraction)?) * u128::from(scale) / fraction_scale;
    (u128::from(parse(whole)?) * u128::from(scale)).checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u32, nanoseconds: u32) -> Timestamp {
        Timestamp { seconds, nanoseconds }
    }

    #[test]
    fn durations_are_read_to_the_nanosecond() {
        let check = |text, expected: Option<Duration>| assert_eq!(duration(text).ok(), expected, "{text}");
        check("1.5s", Some(Duration::from_millis(1500)));
        check("90m", Some(Duration::from_secs(5400)));
        check("2h", Some(Duration::from_secs(7200)));
        check("7", Some(Duration::from_secs(7)));
        check("0.000000001", Some(Duration::from_nanos(1)));
        check(".5ms", Some(Duration::from_micros(500)));
        check("1h30m", Some(Duration::from_secs(5400)));
        for wrong in ["", ".", "s", "1x", "1.2.3", "1 s", "1h30", "-5s", "99999999999999999999"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_span_moves_a_time_both_ways() {
        assert_eq!(span("-5s").unwrap().from(at(7, 1)), Some(at(2, 1)));
        assert_eq!(span("+0.5s").unwrap().from(at(7, 600_000_000)), Some(at(8, 100_000_000)));
        assert_eq!(span("-8s").unwrap().from(at(7, 0)), None);
        for (from, to) in [(at(1, 5), at(9, 2)), (at(9, 2), at(1, 5)), (at(3, 3), at(3, 3))] {
            assert_eq!(Span::between(from, to).from(from), Some(to));
        }
    }

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let now = at(1_700_000_000, 0);
        let check = |text, expected| assert_eq!(moment_from(text, now).ok(), expected, "{text}");
        check("2023-11-14T22:13:20Z", Some(now));
        check("2023-11-14T23:13:20.5+01:00", Some(at(1_700_000_000, 500_000_000)));
        check("10m", Some(at(1_699_999_400, 0)));
        check("-10m", Some(at(1_699_999_400, 0)));
        check("+1", Some(at(1_700_000_001, 0)));
        check("1969-12-31T23:59:59Z", None);
        check("yesterday", None);
        assert_eq!(rfc3339(at(1_700_000_000, 500_000_000)), "2023-11-14T22:13:20.500Z");
    }
}
