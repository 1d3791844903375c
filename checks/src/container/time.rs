//! Times as engines write them.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// How many seconds before `now` this was; `None` of no time, and of the year 1, which means never.
pub(super) fn seconds_before(now: SystemTime, text: &str) -> Option<f64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let seconds = time.timestamp() as f64 + f64::from(time.timestamp_subsec_nanos()) / 1e9;
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    (seconds > 0.0).then(|| (now - seconds).max(0.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        assert_eq!(seconds_before(UNIX_EPOCH + Duration::from_secs(1_000_000), text), expected, "{text}");
    }

    #[test]
    fn times_are_told_by_their_age() {
        check("1970-01-12T13:46:30Z", Some(10.0));
        check("1970-01-12T14:46:30.5+01:00", Some(9.5));
        check("1970-02-12T00:00:00Z", Some(0.0));
        check("0001-01-01T00:00:00Z", None);
        check("", None);
    }
}
