//! Lines of JSON as go writes them: few keys, in one order, without blanks. All others are left to serde.

use std::borrow::Cow;

use memchr::memchr2;

use super::event::{Action, Line, Output};

/// The line, and what it is about; `None` where this scanner cannot tell.
pub(super) fn line(text: &str) -> Option<(Action, Line<'_>)> {
    // Control characters have no place in JSON. Without a branch for each byte this is fast.
    if text.bytes().fold(u8::MAX, |least, byte| least.min(byte)) < b' ' {
        return None;
    }
    let rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let (time, rest) = match rest.strip_prefix(r#""Time":"#) {
        Some(value) => plain(value).and_then(|(time, rest)| Some((time, rest.strip_prefix(',')?)))?,
        None => ("", rest),
    };
    let (action, rest) = action(rest.strip_prefix(r#""Action":""#)?)?;
    let (package, rest) = match rest.strip_prefix(r#","Package":"#) {
        Some(value) => plain(value)?,
        None => ("", rest),
    };
    let (test, rest) = match rest.strip_prefix(r#","Test":"#) {
        Some(value) => plain(value)?,
        None => ("", rest),
    };
    let (elapsed, rest) = match rest.strip_prefix(r#","Elapsed":"#) {
        Some(value) => number(value).map(|(elapsed, rest)| (Some(elapsed), rest))?,
        None => (None, rest),
    };
    let (output, rest) = match rest.strip_prefix(r#","Output":"#) {
        Some(value) => output(value)?,
        None => (Output::default(), rest),
    };
    let [time, package, test] = [time, package, test].map(Cow::Borrowed);
    rest.is_empty().then_some((action, Line { time, package, test, elapsed, output, more: None }))
}

/// A word up to its quotation mark, and what is behind it.
fn action(value: &str) -> Option<(Action, &str)> {
    let end = value.bytes().position(|byte| byte == b'"')?;
    let (word, rest) = value.split_at_checked(end)?;
    Some((Action::of(word)?, rest.strip_prefix('"')?))
}

/// A string without escapes, and what is behind it.
fn plain(value: &str) -> Option<(&str, &str)> {
    let value = value.strip_prefix('"')?;
    let (text, rest) = value.split_at_checked(memchr2(b'"', b'\\', value.as_bytes())?)?;
    Some((text, rest.strip_prefix('"')?))
}

/// A line of output, and what is behind it.
fn output(value: &str) -> Option<(Output<'_>, &str)> {
    let value = value.strip_prefix('"')?;
    let first = memchr2(b'"', b'\\', value.as_bytes())?;
    let (head, tail) = value.split_at_checked(first)?;
    if let Some(rest) = tail.strip_prefix('"') {
        return Some((Output { text: Cow::Borrowed(head), has_newline: false }, rest));
    }
    if let Some(rest) = tail.strip_prefix(r#"\n""#) {
        return Some((Output { text: Cow::Borrowed(head), has_newline: true }, rest));
    }
    let mut text = String::with_capacity(head.len() + 64);
    text.push_str(head);
    let rest = unescape(tail, &mut text)?;
    Some((Output::new(Cow::Owned(text)), rest))
}

/// Appends a string up to its quotation mark; what is behind it.
fn unescape<'a>(mut rest: &'a str, text: &mut String) -> Option<&'a str> {
    loop {
        let at = memchr2(b'"', b'\\', rest.as_bytes())?;
        let (plain, tail) = rest.split_at_checked(at)?;
        text.push_str(plain);
        if let Some(rest) = tail.strip_prefix('"') {
            return Some(rest);
        }
        let (character, len) = match tail.as_bytes().get(1)? {
            b'n' => ('\n', 2),
            b't' => ('\t', 2),
            b'r' => ('\r', 2),
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            byte @ (b'"' | b'\\' | b'/') => (char::from(*byte), 2),
            b'u' => (unit(tail.get(2..6)?)?, 6),
            _ => return None,
        };
        text.push(character);
        rest = tail.get(len..)?;
    }
}

/// A character by its number, unless it is one of a surrogate pair.
fn unit(digits: &str) -> Option<char> {
    // A sign is not a digit.
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?)
}

/// A number as go writes durations, and what is behind it.
fn number(value: &str) -> Option<(f64, &str)> {
    let end = value.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b'.')).unwrap_or(value.len());
    let (number, rest) = value.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_sound = !whole.is_empty() && !fraction.is_empty() && (whole == "0" || !whole.starts_with('0'));
    if !is_sound {
        return None;
    }
    if number == "0" { Some((0.0, rest)) } else { Some((number.parse().ok()?, rest)) }
}
