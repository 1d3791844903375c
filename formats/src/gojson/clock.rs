//! Times of lines.

use subunit::Timestamp;

use crate::time::parse_rfc3339;

/// `2026-01-31T23:59:`.
const MINUTE: usize = 17;

/// Reads times; it remembers the minute, which is the same for many.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    minute: String,
    /// When it began.
    began: u32,
    zone: String,
}

impl Clock {
    /// A time as RFC 3339 has it; `None` when it is not one, or is one that subunit cannot express.
    pub(super) fn read(&mut self, text: &str) -> Option<Timestamp> {
        if text.is_empty() {
            return None;
        }
        self.within_minute(text).or_else(|| self.anew(text))
    }

    fn within_minute(&self, text: &str) -> Option<Timestamp> {
        let rest = text.strip_prefix(self.minute.as_str())?.strip_suffix(self.zone.as_str())?;
        let [tens @ b'0'..=b'5', ones @ b'0'..=b'9', fraction @ ..] = rest.as_bytes() else { return None };
        let seconds = u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        let nanoseconds = match fraction {
            [] => 0,
            [b'.', digits @ ..] => nanoseconds(digits)?,
            _ => return None,
        };
        Timestamp::new(self.began.checked_add(seconds)?, nanoseconds)
    }

    fn anew(&mut self, text: &str) -> Option<Timestamp> {
        let time = parse_rfc3339(text)?;
        let zone = text.rfind(['Z', 'z', '+', '-'])?;
        if let (Some(minute), Some(zone)) = (text.get(..MINUTE), text.get(zone..))
            && let Some(second) = text.get(MINUTE..MINUTE + 2).and_then(|second| second.parse::<u32>().ok())
            && let Some(began) = time.seconds().checked_sub(second)
        {
            *self = Clock { minute: minute.to_owned(), began, zone: zone.to_owned() };
        }
        Some(time)
    }
}

fn nanoseconds(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        value = value * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    Some(value * 10_u32.pow(9 - digits.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[(&str, Option<(u32, u32)>)]) {
        let mut clock = Clock::default();
        for (text, expected) in texts {
            let time = clock.read(text).map(|time| (time.seconds(), time.nanoseconds()));
            assert_eq!(time, *expected, "{text}");
            assert_eq!(
                clock.read(text).map(|time| (time.seconds(), time.nanoseconds())),
                *expected,
                "{text} again"
            );
        }
    }

    #[test]
    fn times_are_kept_to_the_nanosecond() {
        check(&[
            ("2020-01-01T00:00:00Z", Some((1_577_836_800, 0))),
            ("2020-01-01T00:00:07.1Z", Some((1_577_836_807, 100_000_000))),
            ("2020-01-01T00:00:59.123456789Z", Some((1_577_836_859, 123_456_789))),
            ("2020-01-01T00:01:00.000000001Z", Some((1_577_836_860, 1))),
        ]);
    }

    #[test]
    fn the_zone_counts() {
        check(&[
            ("2020-01-01T01:00:07.5+01:00", Some((1_577_836_807, 500_000_000))),
            ("2020-01-01T01:00:08.5+01:00", Some((1_577_836_808, 500_000_000))),
            ("2020-01-01T01:00:08.5Z", Some((1_577_840_408, 500_000_000))),
            ("2020-01-01T01:00:09.5-05:30", Some((1_577_860_209, 500_000_000))),
        ]);
    }

    #[test]
    fn what_is_no_time_is_none() {
        check(&[
            ("", None),
            ("soon", None),
            ("2020-01-01T00:00:00Z", Some((1_577_836_800, 0))),
            ("2020-01-01T00:00:0Z", None),
            ("2020-01-01T00:00:60Z", None),
            ("2020-01-01T00:00:00.Z", None),
            ("2020-01-01T00:00:00.1x", None),
            ("1960-01-01T00:00:00Z", None),
        ]);
    }
}
