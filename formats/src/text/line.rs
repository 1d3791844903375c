//! A test in one line.

use std::io::{self, Write as _};
use std::time::Duration;

use streamresult::{DAMAGE_MESSAGE, Outcome, Record};

use super::Tone;
use crate::charset::Content;
use crate::human::Age;
use crate::span::Span;
use crate::{harmless, time, visible};

/// Longer reasons are cut off.
const REASON: usize = 1000;
/// As wide as the longest word for an outcome.
const WORD: usize = 10;
/// Durations are aligned up to 9999.999s.
const DURATION: usize = 9;

/// The test's id as people see it, and where it ran: `boot [worker-1]`.
///
/// Control characters are shown, and nothing in it is a command to a CI system.
#[must_use]
pub fn title(test_id: &str, route_code: Option<&str>) -> String {
    let mut title = harmless::line(test_id).into_owned();
    if let Some(route) = route_code {
        title.push_str(" [");
        title.push_str(&harmless::line(route));
        title.push(']');
    }
    title
}

/// The word for a test's outcome, and how it looks. Those that count against the run are in capitals.
pub(super) fn word(record: &Record<'_>) -> (&'static str, Tone) {
    match record.outcome() {
        _ if record.is_damage() => ("DAMAGE", Tone::Bad),
        Outcome::Success if record.is_flaky() => ("flaky", Tone::Notice),
        Outcome::Success => ("ok", Tone::Good),
        Outcome::Fail => ("FAIL", Tone::Bad),
        Outcome::UxSuccess => ("UXSUCCESS", Tone::Bad),
        Outcome::Unfinished => ("UNFINISHED", Tone::Bad),
        Outcome::Skip => ("skip", Tone::Notice),
        Outcome::XFail => ("xfail", Tone::Notice),
        Outcome::Exists => ("exists", Tone::Aside),
    }
}

/// Appends the line of a test, with its newline: `ok            0.123s  boot [worker-1]`.
pub(super) fn push(record: &Record<'_>, color: bool, line: &mut Vec<u8>) -> io::Result<()> {
    let (word, tone) = word(record);
    tone.write(word, color, line)?;
    pad(WORD.saturating_sub(word.len()), line);
    push_duration(record.duration().filter(|_| record.outcome() != Outcome::Unfinished), line);
    line.extend_from_slice(b"  ");
    push_title(record, line);
    if let Some(remark) = remark(record)? {
        line.extend_from_slice(b": ");
        line.extend_from_slice(remark.as_bytes());
    }
    line.push(b'\n');
    Ok(())
}

fn push_title(record: &Record<'_>, line: &mut Vec<u8>) {
    harmless::push_line(record.test_id_bytes(), line);
    if let Some(route) = record.route_code() {
        line.extend_from_slice(b" [");
        line.extend_from_slice(harmless::line(route).as_bytes());
        line.push(b']');
    }
}

/// Appends a duration in seconds, or blanks of its width.
pub(super) fn push_duration(duration: Option<Duration>, line: &mut Vec<u8>) {
    let start = line.len();
    if let Some(duration) = duration {
        time::push_seconds(duration, line);
        line.push(b's');
    }
    let len = line.len() - start;
    pad(DURATION.saturating_sub(len), line);
    // The number stands at the right.
    if let Some(field) = line.get_mut(start..) {
        field.rotate_right(DURATION.saturating_sub(len));
    }
}

fn pad(count: usize, line: &mut Vec<u8>) {
    line.resize(line.len() + count, b' ');
}

/// What is said of a test beside its outcome: why it was skipped, what is damaged.
fn remark(record: &Record<'_>) -> io::Result<Option<String>> {
    match record.outcome() {
        _ if record.is_damage() => first_line(record, DAMAGE_MESSAGE),
        Outcome::Skip => first_line(record, "reason"),
        _ => Ok(None),
    }
}

/// The first line of an attachment that has any text.
pub(crate) fn first_line(record: &Record<'_>, name: &str) -> io::Result<Option<String>> {
    let Some(attachment) = record.attachment(name) else { return Ok(None) };
    let bytes = attachment.head(REASON)?;
    let content = Content::of(attachment.mime_type(), &bytes);
    let text = visible::lossy_text(&content.decode(&bytes)).into_owned();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    Ok(line.map(|line| harmless::line(line).into_owned()))
}

/// How long a run took, as the end of a sentence about it: ` in 2.500s`; nothing where that is not known.
pub(crate) fn in_length(span: Span) -> String {
    let length = span.length().filter(|length| !length.is_zero());
    length.map(|length| format!(" in {}", shown_length(length))).unwrap_or_default()
}

/// How long something took, to the millisecond where that says something.
pub(crate) fn shown_length(length: Duration) -> String {
    let mut text = Vec::new();
    write_length(length, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes how long something took, to the millisecond where that says something.
pub(super) fn write_length(length: Duration, out: &mut Vec<u8>) {
    if length < Duration::from_secs(60) {
        time::push_seconds(length, out);
        out.push(b's');
    } else {
        // Writing to memory cannot fail.
        let _ = write!(out, "{}", Age(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_duration(milliseconds: Option<u64>, expected: &str) {
        let mut line = b"ok".to_vec();
        push_duration(milliseconds.map(Duration::from_millis), &mut line);
        assert_eq!(String::from_utf8(line).unwrap(), format!("ok{expected}"));
    }

    #[test]
    fn durations_stand_at_the_right() {
        check_duration(Some(1_234), "   1.234s");
        check_duration(None, "         ");
        check_duration(Some(123_456_789), "123456.789s");
    }

    #[test]
    fn a_title_is_one_harmless_line() {
        assert_eq!(title("::error::a\nb\x1b[2J", Some("##[x]")), "\\x3a:error::a\\nb\\x1b[2J [\\x23#[x]]");
    }
}
