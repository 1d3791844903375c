//! How long a test took, as producers write it.

use std::time::Duration;

/// Nanoseconds of a millisecond, as a power of ten.
const MILLISECOND: u32 = 6;
/// Nanoseconds of a second, as a power of ten.
const SECOND: u32 = 9;

/// A number of milliseconds, to the nanosecond: `12`, `1.600026`.
pub(super) fn milliseconds(text: &[u8]) -> Option<Duration> {
    decimal(text, MILLISECOND)
}

/// A number of some unit, `12ms`, `1.2 s`, `7µs`; without one of seconds.
pub(super) fn of_value(text: &[u8]) -> Option<Duration> {
    of_unit(text).or_else(|| decimal(text.trim_ascii(), SECOND))
}

/// A number with its unit.
pub(super) fn of_unit(text: &[u8]) -> Option<Duration> {
    let text = text.trim_ascii();
    UNITS.iter().find_map(|(unit, power)| {
        let number = text.strip_suffix(unit.as_bytes())?;
        decimal(number.trim_ascii_end(), *power)
    })
}

/// Units by their powers of ten of a nanosecond; those that end like others first.
const UNITS: [(&str, u32); 5] = [("ms", MILLISECOND), ("us", 3), ("µs", 3), ("ns", 0), ("s", SECOND)];

/// What a line of a block of diagnostics says: `duration_ms: 1.6`, `duration: 0.25` (seconds), `duration: 8ms`.
pub(super) fn of_line(line: &[u8]) -> Option<Duration> {
    let value = line.strip_prefix(b"duration")?;
    if let Some(value) = value.strip_prefix(b"_ms:") {
        return milliseconds(value.trim_ascii());
    }
    of_value(value.strip_prefix(b"_s:").or_else(|| value.strip_prefix(b":"))?)
}

/// A decimal number of units that are `10^unit` nanoseconds; digits below a nanosecond are cut off.
fn decimal(text: &[u8], unit: u32) -> Option<Duration> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let padded = fraction.iter().chain(std::iter::repeat(&b'0')).take(unit as usize);
    let nanoseconds = whole
        .iter()
        .chain(padded)
        .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, nanoseconds: Option<u64>) {
        assert_eq!(of_line(line.as_bytes()), nanoseconds.map(Duration::from_nanos), "{line:?}");
    }

    #[test]
    fn durations_are_exact() {
        check("duration_ms: 1.600026", Some(1_600_026));
        check("duration_ms: 0.0000019", Some(1));
        check("duration_ms: 500", Some(500_000_000));
        check("duration: 0.25", Some(250_000_000));
        check("duration_s: 3", Some(3_000_000_000));
        check("duration: 8ms", Some(8_000_000));
        check("duration: 1.5 s", Some(1_500_000_000));
    }

    #[test]
    fn what_is_no_duration_says_nothing() {
        for line in
            ["duration_ms:", "duration_ms: -1", "duration_ms: .5", "duration: long", "duration 3", "x"]
        {
            check(line, None);
        }
        check("duration_s: 99999999999999999999", None);
    }
}
