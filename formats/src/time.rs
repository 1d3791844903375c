//! Points in time and durations as text.

use std::time::Duration;

use chrono::DateTime;
use subunit::Timestamp;

const DAY: u32 = 86_400;
const MICROSECONDS: u32 = 1_000_000;

/// Appends a time as python's `str(datetime)` shows it: `2020-01-01 00:00:00.123456+00:00`, without a fraction
/// where it is zero. Nanoseconds are rounded to microseconds, halves to even ones, as python-subunit does.
pub fn push_python(time: Timestamp, out: &mut Vec<u8>) {
    let (quotient, rest) = (time.nanoseconds() / 1000, time.nanoseconds() % 1000);
    let microseconds = quotient + u32::from(rest > 500 || rest == 500 && quotient % 2 == 1);
    let seconds = u64::from(time.seconds()) + u64::from(microseconds / MICROSECONDS);
    push_date_time(seconds, b' ', out);
    if !microseconds.is_multiple_of(MICROSECONDS) {
        out.push(b'.');
        push_digits(u64::from(microseconds % MICROSECONDS), 6, out);
    }
    out.extend_from_slice(b"+00:00");
}

/// Appends a time as RFC 3339 has it, to the nanosecond: `2020-01-01T00:00:00.123456789Z`, with as few groups of
/// three decimals as it takes.
pub fn push_rfc3339(time: Timestamp, out: &mut Vec<u8>) {
    push_date_time(time.seconds().into(), b'T', out);
    push_fraction(time.nanoseconds(), out);
    out.push(b'Z');
}

/// A time as [`push_rfc3339`] has it.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    let mut text = Vec::new();
    push_rfc3339(time, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Reads a time as RFC 3339 has it, in any zone; `None` when it is not one, or is one that subunit cannot express.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let nanoseconds = time.timestamp_subsec_nanos();
    // A leap second has more.
    (nanoseconds < 1_000_000_000).then(|| Timestamp::new(time.timestamp().try_into().ok()?, nanoseconds))?
}

/// Appends a duration in seconds with three decimals, as python's `%.3f` does.
pub fn push_seconds(duration: Duration, out: &mut Vec<u8>) {
    const MILLISECOND: u32 = 1_000_000;
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    if nanoseconds % MILLISECOND == MILLISECOND / 2 {
        // What becomes of a half depends on whether a binary fraction can say it.
        out.extend_from_slice(format!("{:.3}", duration.as_secs_f64()).as_bytes());
        return;
    }
    let milliseconds = u64::from((nanoseconds + MILLISECOND / 2) / MILLISECOND);
    push_number(seconds + milliseconds / 1000, out);
    out.push(b'.');
    push_digits(milliseconds % 1000, 3, out);
}

/// Appends a duration in seconds, to the nanosecond, with as few groups of three decimals as it takes.
pub fn push_exact_seconds(duration: Duration, out: &mut Vec<u8>) {
    push_number(duration.as_secs(), out);
    push_fraction(duration.subsec_nanos(), out);
}

/// Appends a number in decimal.
pub fn push_number(number: u64, out: &mut Vec<u8>) {
    let width = number.checked_ilog10().unwrap_or_default() as usize + 1;
    push_digits(number, width, out);
}

/// Appends the last `width` digits of a number, 20 at most.
fn push_digits(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    for digit in digits.iter_mut().rev().take(width) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let (_, shown) = digits.split_at(digits.len().saturating_sub(width));
    out.extend_from_slice(shown);
}

fn push_fraction(nanoseconds: u32, out: &mut Vec<u8>) {
    if nanoseconds == 0 {
        return;
    }
    let start = out.len();
    out.push(b'.');
    push_digits(nanoseconds.into(), 9, out);
    while out.len() > start + 4 && out.ends_with(b"000") {
        out.truncate(out.len() - 3);
    }
}

fn push_date_time(seconds: u64, separator: u8, out: &mut Vec<u8>) {
    let (days, second) = (seconds / u64::from(DAY), (seconds % u64::from(DAY)) as u32);
    let (year, month, day) = civil(days as u32);
    let [century, year] = [year / 100, year % 100].map(two_digits);
    let [month, day] = [month, day].map(two_digits);
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60].map(two_digits);
    let [(a, b), (c, d), (e, f), (g, h)] = [century, year, month, day];
    let [(i, j), (k, l), (m, n)] = [hour, minute, second];
    out.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h, separator, i, j, b':', k, l, b':', m, n]);
}

fn two_digits(number: u32) -> (u8, u8) {
    (b'0' + (number / 10) as u8, b'0' + (number % 10) as u8)
}

/// The date of a day since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year.
fn civil(days: u32) -> (u32, u32, u32) {
    const ERA: u32 = 146_097;
    const FROM_MARCH_OF_YEAR_0: u32 = 719_468;
    let days = days + FROM_MARCH_OF_YEAR_0;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn check(seconds: u32, nanoseconds: u32, python: &str, rfc3339: &str) {
        let time = Timestamp::new(seconds, nanoseconds).unwrap();
        assert_eq!(shown(|out| push_python(time, out)), python);
        assert_eq!(shown(|out| push_rfc3339(time, out)), rfc3339);
        assert_eq!(parse_rfc3339(rfc3339), Some(time));
    }

    #[test]
    fn a_time_is_as_python_and_the_standard_have_it() {
        check(0, 0, "1970-01-01 00:00:00+00:00", "1970-01-01T00:00:00Z");
        check(1_577_836_800, 123_456_000, "2020-01-01 00:00:00.123456+00:00", "2020-01-01T00:00:00.123456Z");
        check(951_782_400, 1, "2000-02-29 00:00:00+00:00", "2000-02-29T00:00:00.000000001Z");
        check(u32::MAX, 999_999_999, "2106-02-07 06:28:16+00:00", "2106-02-07T06:28:15.999999999Z");
        check(59, 2_500, "1970-01-01 00:00:59.000002+00:00", "1970-01-01T00:00:59.000002500Z");
        check(59, 3_500, "1970-01-01 00:00:59.000004+00:00", "1970-01-01T00:00:59.000003500Z");
        check(5, 500_000_000, "1970-01-01 00:00:05.500000+00:00", "1970-01-01T00:00:05.500Z");
    }

    #[test]
    fn every_day_has_its_date() {
        for day in (0..=u32::MAX / DAY).step_by(13) {
            let time = Timestamp::from_seconds(day * DAY);
            assert_eq!(parse_rfc3339(&shown(|out| push_rfc3339(time, out))), Some(time));
        }
    }

    #[test]
    fn a_time_that_subunit_cannot_say_is_none() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+02:00"), None);
        assert_eq!(parse_rfc3339("2106-02-07T06:28:16Z"), None);
        assert_eq!(parse_rfc3339("2016-12-31T23:59:60Z"), None);
        assert_eq!(parse_rfc3339("yesterday"), None);
    }

    fn check_seconds(nanoseconds: u64, expected: &str) {
        assert_eq!(shown(|out| push_seconds(Duration::from_nanos(nanoseconds), out)), expected);
    }

    #[test]
    fn seconds_are_rounded_as_python_rounds_them() {
        check_seconds(0, "0.000");
        check_seconds(1_234_499_999, "1.234");
        check_seconds(999_999_999, "1.000");
        check_seconds(312_500_000, "0.312");
        check_seconds(112_500_000, "0.113");
        check_seconds(86_400_000_000_000, "86400.000");
    }
}
