//! Times and durations as reports have them.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use subunit::Timestamp;

/// Formats of times that name their zone, besides RFC 3339 and RFC 2822. What JavaScript shows of a date is one.
const WITH_ZONE: [&str; 4] = ["%FT%T%.f%z", "%F %T%.f%z", "%F %T%.f %z", "%a %b %d %Y %T GMT%z"];
/// Formats of times that are in UTC, as they name no zone. C's `ctime` has the third one.
const WITHOUT_ZONE: [&str; 7] = [
    "%FT%T%.f",
    "%F %T%.f",
    "%a %b %e %T %Y",
    "%a, %d %b %Y %T",
    "%Y/%m/%d %T%.f",
    "%FT%H:%M",
    "%Y%m%dT%H%M%S",
];
/// A number that is a time is one of milliseconds from here on.
const MILLISECONDS: u64 = 100_000_000_000;

/// A point in time, in the zone it names or else in UTC; `None` when it is not a time, or one that subunit cannot
/// express.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // A zone may have its name behind it.
    let text = text.split_once(" (").map_or(text, |(time, _)| time);
    let since = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok();
    let since = since.or_else(|| time_in_words(text)).or_else(|| time_in_seconds(text))?;
    // A leap second has more nanoseconds than others.
    let nanoseconds = since.timestamp_subsec_nanos().min(999_999_999);
    Timestamp::new(since.timestamp().try_into().ok()?, nanoseconds)
}

fn time_in_words(text: &str) -> Option<DateTime<Utc>> {
    let zoned = || WITH_ZONE.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    let in_utc = || WITHOUT_ZONE.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let bare = || in_utc().map(|time| time.and_utc());
    let zoned = zoned().or_else(|| DateTime::parse_from_rfc2822(text).ok()).map(|time| time.to_utc());
    zoned.or_else(bare)
}

/// Seconds or milliseconds since 1970; a smaller number is none.
fn time_in_seconds(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !(9..=13).contains(&whole.len()) || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let number: u64 = whole.parse().ok()?;
    if number >= MILLISECONDS {
        return DateTime::from_timestamp_millis(i64::try_from(number).ok()?);
    }
    let fraction = duration(&format!("0.{fraction}")).unwrap_or_default();
    DateTime::from_timestamp(i64::try_from(number).ok()?, fraction.subsec_nanos())
}

/// A number of seconds, to the nanosecond: `1.5`, `1,234.5`, `0,5`, `1e-3`. `None` when it is not one, is negative,
/// or is longer than subunit's clock runs.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim_ascii();
    if let Some(duration) = plain_duration(text) {
        return Some(duration);
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = match number.split_once('.') {
        Some(parts) => parts,
        None if has_decimal_comma(number) => number.split_once(',').unwrap_or((number, "")),
        None => (number, ""),
    };
    let is_number = whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (whole.bytes().any(|byte| byte.is_ascii_digit()) || !fraction.is_empty());
    if !is_number {
        return None;
    }
    let nanoseconds = shift(whole, fraction, exponent.checked_add(9)?)?;
    let duration = Duration::new(nanoseconds / 1_000_000_000, (nanoseconds % 1_000_000_000) as u32);
    (duration.as_secs() <= u64::from(u32::MAX)).then_some(duration)
}

/// What is nothing but up to nine digits, a point, and up to nine more: nearly all are that.
fn plain_duration(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_at_checked(text.bytes().position(|byte| byte == b'.')?)?;
    let fraction = fraction.strip_prefix('.')?;
    if whole.len() > 9 || fraction.len() > 9 || text.len() < 2 {
        return None;
    }
    let nanoseconds = number(fraction)? * 10_u32.pow(9 - fraction.len() as u32);
    Some(Duration::new(number(whole)?.into(), nanoseconds))
}

/// A number of up to nine digits.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().try_fold(0_u32, |number, byte| {
        Some(number * 10 + u32::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?))
    })
}

/// Whether the one comma in a number without a point stands for that: it does not part groups of three.
fn has_decimal_comma(number: &str) -> bool {
    match number.split_once(',') {
        Some((whole, rest)) => {
            !rest.contains(',') && (rest.len() != 3 || whole.is_empty() || whole.starts_with('0'))
        }
        None => false,
    }
}

/// The digits as a number after the point has moved by this many places; what is then behind it is rounded.
fn shift(whole: &str, fraction: &str, places: i32) -> Option<u64> {
    let whole = whole.bytes().filter(u8::is_ascii_digit);
    let mut left = i64::try_from(whole.clone().count()).ok()? + i64::from(places);
    let mut number: u64 = 0;
    for digit in whole.chain(fraction.bytes()).map(|byte| u64::from(byte - b'0')) {
        if left <= 0 {
            return if left == 0 && digit >= 5 { number.checked_add(1) } else { Some(number) };
        }
        number = number.checked_mul(10)?.checked_add(digit)?;
        left -= 1;
    }
    // Zero stays zero, however far it is moved.
    if number == 0 { Some(0) } else { number.checked_mul(10_u64.checked_pow(left.max(0).try_into().ok()?)?) }
}

/// The point in time this long after that one, if subunit can express it.
pub(crate) fn after(start: Timestamp, duration: Duration) -> Option<Timestamp> {
    Timestamp::from_epoch(start.since_epoch().checked_add(duration)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, nanoseconds: Option<u64>) {
        assert_eq!(duration(text), nanoseconds.map(Duration::from_nanos), "{text}");
    }

    #[test]
    fn a_duration_is_exact() {
        check("0", Some(0));
        check("1.5", Some(1_500_000_000));
        check(" .25 ", Some(250_000_000));
        check("3.", Some(3_000_000_000));
        check("0.0000000015", Some(2));
        check("0.0000000004", Some(0));
        check("1e-3", Some(1_000_000));
        check("1.5E+2", Some(150_000_000_000));
        check("0.000123456789", Some(123_457));
        check("4294967295.999999999", Some(4_294_967_295_999_999_999));
        check("0e99", Some(0));
        check("1e-300", Some(0));
    }

    #[test]
    fn a_comma_parts_groups_or_stands_for_the_point() {
        check("1,234.5", Some(1_234_500_000_000));
        check("1,234", Some(1_234_000_000_000));
        check("1,234,567", Some(1_234_567_000_000_000));
        check("0,5", Some(500_000_000));
        check("0,123", Some(123_000_000));
        check("12,3456", Some(12_345_600_000));
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in
            ["", "-1", "-0.5", "NaN", "inf", "1e20", "1e", "1.2.3", "one", ".", ",", "4294967296", "0x1"]
        {
            check(text, None);
        }
    }

    fn check_time(text: &str, expected: Option<(u32, u32)>) {
        let expected = expected.map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).unwrap());
        assert_eq!(timestamp(text), expected, "{text}");
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        check_time("2023-11-14T22:13:20", Some((1_700_000_000, 0)));
        check_time("2023-11-14 22:13:20.25", Some((1_700_000_000, 250_000_000)));
        check_time("2023-11-14T22:13:20.123456789Z", Some((1_700_000_000, 123_456_789)));
        check_time("2023-11-14T23:13:20+01:00", Some((1_700_000_000, 0)));
        check_time("2023-11-14T23:13:20.5+0100", Some((1_700_000_000, 500_000_000)));
        check_time("2023-11-14 22:13:20+00:00", Some((1_700_000_000, 0)));
    }

    #[test]
    fn times_are_known_in_the_formats_of_many_tools() {
        for text in [
            "Tue, 14 Nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 2023 23:13:20 +0100",
            "14 Nov 2023 22:13:20 +0000",
            "Tue, 14 Nov 2023 22:13:20",
            "Tue Nov 14 22:13:20 2023",
            "Tue Nov 14 2023 23:13:20 GMT+0100 (Central European Standard Time)",
            "2023-11-14 23:13:20 +0100",
            "2023/11/14 22:13:20",
            "20231114T221320",
            "1700000000",
            "1700000000000",
        ] {
            check_time(text, Some((1_700_000_000, 0)));
        }
        check_time("2023-11-14T22:13", Some((1_699_999_980, 0)));
        check_time("1700000000.5", Some((1_700_000_000, 500_000_000)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "today",
            "1960-01-01T00:00:00",
            "2200-01-01T00:00:00Z",
            "2023-13-01T00:00:00",
            "12:00:00",
            "17",
            "11/14/2023",
        ] {
            check_time(text, None);
        }
    }
}
