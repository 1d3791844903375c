//! Points in time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use subunit::Timestamp;

use super::duration::{Offset, length};
use super::error::{Fault, Kind, ValueError};

/// Reads a time: RFC 3339 (`2026-01-31T12:00:00Z`), a date or a time without a zone (in UTC), `@` and seconds since
/// 1970, `now`, how long ago it is (`10m`, `-10m`, `2d ago`), or in how long it will be (`+10m`).
///
/// ```
/// use subunit::Timestamp;
///
/// let time = Timestamp::from_seconds(1_769_817_600);
/// for text in ["2026-01-31", "2026-01-31 00:00", "2026-01-31T01:00:00+01:00", "@1769817600"] {
///     assert_eq!(cli::value::time(text), Ok(time), "{text}");
/// }
/// ```
///
/// # Errors
///
/// When it is not one, or is one that subunit cannot express.
pub fn time(text: &str) -> Result<Timestamp, ValueError> {
    time_from(text, Timestamp::now()).map_err(|fault| fault.of(Kind::Time, text))
}

pub(super) fn time_from(text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return since_1970(seconds);
    }
    if let Some(time) = of_calendar(text) {
        return Timestamp::try_from(time).map_err(|_| Fault::TooLarge);
    }
    let offset = match text.strip_suffix("ago") {
        Some(length) => Offset::parse(length.trim_end())?.ago(),
        None if text.starts_with('+') => Offset::parse(text)?,
        None => Offset::parse(text)?.ago(),
    };
    offset.of(now).ok_or(Fault::TooLarge)
}

/// Seconds, as `date +%s.%N` has them.
fn since_1970(seconds: &str) -> Result<Timestamp, Fault> {
    let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let since = if is_number { length(seconds)? } else { return Err(Fault::NotOne) };
    Timestamp::from_epoch(since).ok_or(Fault::TooLarge)
}

/// A time of the calendar; without a zone it is in UTC.
fn of_calendar(text: &str) -> Option<DateTime<Utc>> {
    const WITHOUT_ZONE: [&str; 4] = ["%FT%T%.f", "%F %T%.f", "%FT%H:%M", "%F %H:%M"];
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let date = || NaiveDate::parse_from_str(text, "%F").ok()?.and_hms_opt(0, 0, 0);
    let mut formats = WITHOUT_ZONE.iter();
    let time = formats.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    time.or_else(date).map(|time| time.and_utc())
}
