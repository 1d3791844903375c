//! The values that options take.

use std::time::Duration;

/// Units by their names, in seconds.
const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads a duration: `1.5s`, `500ms`, `90m`, plain seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let end = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "s" } else { unit };
    let factor = UNITS.into_iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    let seconds = factor.zip(number.parse::<f64>().ok()).map(|(factor, number)| factor * number);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a duration is a number with a unit, like 1.5s, 500ms, 90m, 2h or 1d".to_owned())
}

/// Takes an id, which is not empty.
pub(super) fn test_id(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a test has an id".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn durations_have_units() {
        check("5", Some(5000));
        check("1.5s", Some(1500));
        check("250ms", Some(250));
        check("2m", Some(120_000));
        check("1h", Some(3_600_000));
        check("0s", Some(0));
        for wrong in ["", "s", "-1s", "1x", "1 s", "1e400", "NaN", "inf", "1h30m"] {
            check(wrong, None);
        }
    }
}
