//! Durations and sizes as people write them.

use std::time::Duration;

/// Units of time by their names, in nanoseconds.
const TIMES: [(&str, u64); 10] = [
    ("", 1_000_000_000),
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Units of storage by their names, in bytes.
const SIZES: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("k", 1_000),
    ("kB", 1_000),
    ("M", 1_000_000),
    ("MB", 1_000_000),
    ("G", 1_000_000_000),
    ("GB", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads a duration: `1.5s`, `90m`, `30d`, plain seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = scaled(text, &TIMES);
    time.map(Duration::from_nanos)
        .ok_or_else(|| "a duration is a number with a unit, like 1.5s, 90m or 30d".into())
}

/// Reads a size: `500M`, `1.5GB`, plain bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    scaled(text, &SIZES).ok_or_else(|| "a size is a number with a unit, like 500M or 1.5GB".into())
}

/// A decimal number of units; what is finer than one is cut off.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|character: char| !matches!(character, '0'..='9' | '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let parse = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let of_fraction = u128::from(parse(fraction)?) * u128::from(*scale)
        / 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    u64::try_from(u128::from(parse(whole)?) * u128::from(*scale) + of_fraction).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let check = |text, expected| assert_eq!(duration(text).ok(), expected, "{text}");
        check("1.5s", Some(Duration::from_millis(1500)));
        check("90m", Some(Duration::from_secs(5400)));
        check("7", Some(Duration::from_secs(7)));
        check("30d", Some(Duration::from_secs(30 * 86_400)));
        for wrong in ["", "s", ".", "1x", "-5s", "1.2.3", "1 s", "99999999999999999999"] {
            check(wrong, None);
        }
    }

    #[test]
    fn sizes_have_units() {
        let check = |text, expected| assert_eq!(size(text).ok(), expected, "{text}");
        check("0", Some(0));
        check("1.5GB", Some(1_500_000_000));
        check("500M", Some(500_000_000));
        check("99999999T", None);
        check("1q", None);
    }
}
