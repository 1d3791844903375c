//! Points in time as v1 has them: `2026-01-31 23:59:59.250000Z`.

use chrono::{Datelike as _, NaiveDate, TimeDelta};
use nom::branch::alt;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{all_consuming, map_opt, opt, value};
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser as _};
use subunit::Timestamp;

/// Reads an ISO 8601 date, time and zone; what is absent is zero, and no zone is UTC. It is an error if the
/// wire has no such time: it goes from 1970 to 2106.
pub(crate) fn parse(text: &[u8]) -> IResult<&[u8], Timestamp> {
    map_opt(all_consuming((date, opt(preceded(one_of(" T"), clock)))), |(date, clock)| {
        let Clock { hour, minute, second, nanosecond, east } = clock.unwrap_or_default();
        let time = date.and_hms_opt(hour, minute, second)? - TimeDelta::minutes(east);
        let seconds = u32::try_from(time.and_utc().timestamp()).ok()?;
        Timestamp::new(seconds, nanosecond)
    })
    .parse(text)
}

#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Minutes that the zone is ahead of UTC.
    east: i64,
}

fn date(text: &[u8]) -> IResult<&[u8], NaiveDate> {
    let dashed = pair(preceded(char('-'), number(1, 2)), preceded(char('-'), number(1, 2)));
    let plain = pair(number(2, 2), number(2, 2));
    map_opt((number(4, 4), alt((dashed, plain))), |(year, (month, day))| {
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    })
    .parse(text)
}

fn clock(text: &[u8]) -> IResult<&[u8], Clock> {
    let (text, hour) = number(2, 2).parse(text)?;
    let (text, minute) = opt(preceded(opt(char(':')), number(2, 2))).parse(text)?;
    let (text, second) = opt(preceded(opt(char(':')), (number(1, 2), opt(fraction)))).parse(text)?;
    let (text, east) = opt(zone).parse(text)?;
    let (second, nanosecond) = second.unwrap_or_default();
    let nanosecond = nanosecond.unwrap_or_default();
    let [minute, second] = [minute.unwrap_or_default(), second];
    Ok((text, Clock { hour, minute, second, nanosecond, east: east.unwrap_or_default() }))
}

/// Digits of a second; beyond the ninth they are less than a nanosecond.
fn fraction(text: &[u8]) -> IResult<&[u8], u32> {
    let nanoseconds = |digits: &[u8]| {
        let digits = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
        digits.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    preceded(one_of(".,"), digit1).map(nanoseconds).parse(text)
}

fn zone(text: &[u8]) -> IResult<&[u8], i64> {
    let sign = alt((value(1, char('+')), value(-1, char('-'))));
    let offset = (sign, number(2, 2), opt(char(':')), opt(number(2, 2)));
    let east = offset.map(|(sign, hours, _, minutes)| {
        sign * (i64::from(hours) * 60 + i64::from(minutes.unwrap_or_default()))
    });
    alt((value(0, char('Z')), east)).parse(text)
}

/// A number of this many digits.
fn number<'a>(
    least: usize,
    most: usize,
) -> impl nom::Parser<&'a [u8], Output = u32, Error = nom::error::Error<&'a [u8]>> {
    take_while_m_n(least, most, |byte: u8| byte.is_ascii_digit())
        .map(|digits: &[u8]| digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// Writes times; it remembers the minute, which is the same for many.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeWriter {
    minute: Option<u32>,
    /// `YYYY-MM-DD HH:MM:`.
    text: Vec<u8>,
}

const MINUTES_OF_DAY: u32 = 24 * 60;

impl TimeWriter {
    /// Appends a time with six digits after the second, as all writers of v1 do, or with nine where there is
    /// more to say.
    pub(crate) fn push(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let minute = time.seconds() / 60;
        if self.minute != Some(minute) {
            self.set_minute(minute);
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&digits::<2>(time.seconds() % 60));
        out.push(b'.');
        if time.nanoseconds().is_multiple_of(1000) {
            out.extend_from_slice(&digits::<6>(time.nanoseconds() / 1000));
        } else {
            out.extend_from_slice(&digits::<9>(time.nanoseconds()));
        }
        out.push(b'Z');
    }

    fn set_minute(&mut self, minute: u32) {
        self.minute = Some(minute);
        let date = NaiveDate::default() + TimeDelta::days(i64::from(minute / MINUTES_OF_DAY));
        let [hour, minute] = [minute % MINUTES_OF_DAY / 60, minute % 60];
        self.text.clear();
        self.text.extend_from_slice(&digits::<4>(date.year().unsigned_abs()));
        for (before, value, after) in [
            (&b"-"[..], date.month(), &b""[..]),
            (b"-", date.day(), b" "),
            (b"", hour, b":"),
            (b"", minute, b":"),
        ] {
            self.text.extend_from_slice(before);
            self.text.extend_from_slice(&digits::<2>(value));
            self.text.extend_from_slice(after);
        }
    }
}

/// The last decimal digits of a number.
fn digits<const COUNT: usize>(mut value: u32) -> [u8; COUNT] {
    let mut digits = [b'0'; COUNT];
    for digit in digits.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(u32, u32)>) {
        let found = parse(text.as_bytes()).ok().map(|(_, time)| (time.seconds(), time.nanoseconds()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn times_are_iso_8601() {
        check("1970-01-01 00:00:00Z", Some((0, 0)));
        check("2020-01-01 00:00:00.5Z", Some((1_577_836_800, 500_000_000)));
        check("2020-01-01T01:00:00,123456789123+01:00", Some((1_577_836_800, 123_456_789)));
        check("2019-12-31 19:30:00.000001-0430", Some((1_577_836_800, 1_000)));
        check("20200101T000000", Some((1_577_836_800, 0)));
        check("2020-1-1", Some((1_577_836_800, 0)));
        check("2106-02-07 06:28:15Z", Some((u32::MAX, 0)));
    }

    #[test]
    fn what_the_wire_cannot_say_is_no_time() {
        for text in [
            "",
            "soon",
            "2020",
            "2020-02-30 00:00:00Z",
            "2020-01-01 24:00:00Z",
            "2020-01-01 00:00:60Z",
            "1969-12-31 23:59:59Z",
            "2106-02-07 06:28:16Z",
            "2020-01-01 00:00:00Z ",
            "2020-01-01 00:00:00.Z",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = TimeWriter::default();
        for (seconds, nanoseconds, expected) in [
            (0, 0, "1970-01-01 00:00:00.000000Z"),
            (1_577_836_800, 250_000_000, "2020-01-01 00:00:00.250000Z"),
            (1_577_836_799, 1, "2019-12-31 23:59:59.000000001Z"),
            (u32::MAX, 999_999_999, "2106-02-07 06:28:15.999999999Z"),
        ] {
            let mut out = Vec::new();
            writer.push(Timestamp::new(seconds, nanoseconds).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            check(expected, Some((seconds, nanoseconds)));
        }
    }
}
