//! Numbers, times and ids as the page writes them.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use formats::human::{show_duration, show_long};

use crate::escape::Line;
use crate::state::State;
use crate::tests_kept::split_id;

/// A number with its thing: `1 test`, `7 tests`.
#[must_use]
pub fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with thin gaps between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// How many are not shown of so many; `None` where all are.
pub(crate) fn rest(all: usize, shown: usize) -> Option<String> {
    let rest = all.checked_sub(shown).filter(|rest| *rest > 0)?;
    Some(grouped(rest as u64))
}

/// How long something took.
#[must_use]
pub fn took(duration: Duration) -> String {
    if duration.is_zero() {
        "0 s".to_owned()
    } else if duration.as_secs() < 60 {
        show_duration(duration)
    } else {
        show_long(duration)
    }
}

/// A time since the beginning of the run: `1:02.4`, `2:03:04`.
pub(crate) fn clock(offset: Duration) -> String {
    let tenths = (offset.as_millis() + 50) / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match minutes {
        0..60 => format!("{minutes}:{rest:02}.{tenth}"),
        _ => format!("{}:{:02}:{rest:02}", minutes / 60, minutes % 60),
    }
}

/// An id: what its neighbours share, and in bold what is its own.
#[derive(Clone, Copy, Debug)]
pub struct Id<'a>(pub &'a str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (front, own) = split_id(self.0);
        write!(formatter, "{}<b>{}</b>", Line(front), Line(own))
    }
}

/// A state: its sign and its word.
#[derive(Clone, Copy, Debug)]
pub struct Sign(pub State);

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, icon, word) = (self.0.class(), self.0.icon(), self.0.word());
        write!(
            formatter,
            "<span class=\"st {class}\"><svg aria-hidden=\"true\" width=\"13\" height=\"13\"><use href=\"#i-{icon}\"/></svg>{word}</span>"
        )
    }
}

/// As people sort: `worker-2` before `worker-10`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let ((text, rest), (other, other_rest)) = (chunk(left), chunk(right));
        let order = match (text.parse::<u64>(), other.parse::<u64>()) {
            (Ok(number), Ok(other)) => number.cmp(&other),
            _ => text.cmp(other),
        };
        if order != Ordering::Equal || (text.is_empty() && other.is_empty()) {
            return order.then_with(|| a.cmp(b));
        }
        (left, right) = (rest, other_rest);
    }
}

/// The digits at the beginning, or what comes before the first digit.
fn chunk(text: &str) -> (&str, &str) {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    let end = text.find(|character: char| character.is_ascii_digit() != is_number).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_things() {
        assert_eq!(count(1, "test"), "1 test");
        assert_eq!(count(0, "test"), "0 tests");
        assert_eq!(count(1234, "test"), "1234 tests");
        assert_eq!(count(100_000, "test"), "100\u{202f}000 tests");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        assert_eq!(rest(3, 5), None);
        assert_eq!(rest(5, 5), None);
        assert_eq!(rest(7, 5).as_deref(), Some("2"));
    }

    #[test]
    fn times_count_from_the_beginning() {
        let check = |millis, expected: &str| assert_eq!(clock(Duration::from_millis(millis)), expected);
        check(0, "0:00.0");
        check(59_960, "1:00.0");
        check(62_349, "1:02.3");
        check(7_384_000, "2:03:04");
    }

    #[test]
    fn an_id_is_text() {
        assert_eq!(Id("a::<b>\n").to_string(), "a::<b>&lt;b&gt;\\n</b>");
    }

    #[test]
    fn numbers_sort_as_numbers() {
        let check = |a, b| {
            assert_eq!(natural(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural(b, a), Ordering::Greater, "{b} {a}");
        };
        check("worker-2", "worker-10");
        check("a", "b");
        check("", "a");
        check("a01", "a1");
        check("a/2", "a/2/1");
        assert_eq!(natural("x1y", "x1y"), Ordering::Equal);
    }
}
