//! A line of JSON, as libtest and nextest write it.

use std::borrow::Cow;
use std::time::Duration;

use memchr::{memchr, memchr2};
use serde::Deserialize;

use super::counts::Counts;
use crate::loose_json::lenient;

/// The keys that a message may begin with.
pub(super) const KEYS: [&str; 12] = [
    "type",
    "event",
    "name",
    "exec_time",
    "test_count",
    "passed",
    "failed",
    "ignored",
    "measured",
    "stdout",
    "message",
    "nextest",
];

/// What a line says. Unknown keys are ignored, and so is a value of another type than it should be: it costs what it
/// says, and not the result of the test.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) event: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) stdout: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) stderr: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) message: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) reason: Option<Text<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    exec_time: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) test_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    passed: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    failed: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    ignored: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    measured: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    filtered_out: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    median: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    deviation: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    mib_per_second: Option<f64>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub(super) nextest: Option<Nextest<'a>>,
}

/// A string that is borrowed where nothing in it is escaped.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What nextest adds (`libtest-json-plus`).
#[derive(Deserialize)]
pub(super) struct Nextest<'a> {
    #[serde(borrow, rename = "crate")]
    pub(super) package: Text<'a>,
    #[serde(borrow)]
    pub(super) test_binary: Text<'a>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
}

impl Message<'_> {
    /// How long the test ran.
    pub(super) fn took(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.exec_time?).ok()
    }

    /// The totals of a binary.
    pub(super) fn counts(&self) -> Option<Counts> {
        Some(Counts {
            passed: self.passed?,
            failed: self.failed?,
            ignored: self.ignored.unwrap_or_default(),
            measured: self.measured.unwrap_or_default(),
        })
    }

    /// How many tests of the binary nobody asked for.
    pub(super) fn filtered_out(&self) -> u64 {
        self.filtered_out.unwrap_or_default()
    }

    /// The figures of a benchmark, as the plain text has them.
    pub(super) fn figures(&self) -> String {
        let (median, deviation) = (self.median.unwrap_or_default(), self.deviation.unwrap_or_default());
        let figures = format!("{median} ns/iter (+/- {deviation})");
        match self.mib_per_second {
            Some(speed) => format!("{figures} = {speed} MB/s"),
            None => figures,
        }
    }
}

/// Reads an object that is the rest of a line; `None` when it is not a message.
pub(super) fn parse(line: &str) -> Option<Message<'_>> {
    let message: Message<'_> = serde_json::from_str(line).ok()?;
    matches!(&*message.kind, "suite" | "test" | "bench").then_some(message)
}

/// The line with the backslashes of its name escaped, where they are bare: old versions of libtest wrote the names of
/// documentation tests as they are, which on Windows begin with a path.
pub(super) fn with_escaped_name(line: &str) -> Cow<'_, str> {
    let Some(start) = start_of_name(line) else { return Cow::Borrowed(line) };
    let (head, mut rest) = line.split_at(start);
    let (mut out, mut is_bare) = (head.to_owned(), false);
    while let Some(at) = memchr2(b'"', b'\\', rest.as_bytes()) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let len = match tail.as_bytes() {
            [b'"', ..] => {
                rest = tail;
                break;
            }
            [_, b'"' | b'\\' | b'/', ..] => 2,
            [_, b'u', digits @ ..] if is_unit(digits) => 2,
            _ => {
                is_bare = true;
                out.push('\\');
                1
            }
        };
        let (escape, behind) = tail.split_at(len);
        out.push_str(escape);
        rest = behind;
    }
    if is_bare { Cow::Owned(out + rest) } else { Cow::Borrowed(line) }
}

/// Where the value of the name begins, if there is a backslash behind it.
fn start_of_name(line: &str) -> Option<usize> {
    memchr(b'\\', line.as_bytes())?;
    let key = line.find("\"name\"")?;
    let value = line.get(key + "\"name\"".len()..)?.trim_ascii_start().strip_prefix(':')?;
    Some(line.len() - value.trim_ascii_start().strip_prefix('"')?.len())
}

fn is_unit(digits: &[u8]) -> bool {
    digits.get(..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// A test's name as nextest writes it: `package::binary$test`, with the number of the attempt if it is not the
/// first: `package::binary$test#2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NextestName<'a> {
    /// `package::binary`.
    pub(super) binary: &'a str,
    pub(super) test: &'a str,
    pub(super) attempt: Option<&'a str>,
}

impl<'a> NextestName<'a> {
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (binary, test) = name.split_once('$')?;
        if binary.contains(' ') || !binary.contains("::") {
            return None;
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (test, attempt) = match test.rsplit_once('#') {
            Some((test, number)) if is_number(number) => (test, Some(number)),
            _ => (test, None),
        };
        Some(NextestName { binary, test, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_nextest_has_a_binary_and_maybe_an_attempt() {
        let check = |name, expected: Option<(&str, &str, Option<&str>)>| {
            let expected = expected.map(|(binary, test, attempt)| NextestName { binary, test, attempt });
            assert_eq!(NextestName::parse(name), expected, "{name}");
        };
        check("a-b::it$m::t", Some(("a-b::it", "m::t", None)));
        check("a::it$t#12", Some(("a::it", "t", Some("12"))));
        check("a::it$t#", Some(("a::it", "t#", None)));
        check("m::t", None);
        check("src/lib.rs - m!{$x} (line 3)", None);
    }

    #[test]
    fn bare_backslashes_of_a_name_are_read_as_what_they_are() {
        let check = |name: &str, expected: &str| {
            let line = format!(r#"{{ "type": "test", "name": "{name}", "event": "ok", "stdout": "a\nb" }}"#);
            let line = with_escaped_name(&line);
            let message = parse(&line).unwrap();
            assert_eq!((message.name.as_deref(), message.stdout.as_deref()), (Some(expected), Some("a\nb")));
        };
        check(r"src\lib.rs - f (line 3)", r"src\lib.rs - f (line 3)");
        check(r"src\bin\tool.rs - f (line 3)", r"src\bin\tool.rs - f (line 3)");
        check(r"src\\lib.rs - f", r"src\lib.rs - f");
        check(r#"a \"b\" \u00e9 \/"#, r#"a "b" é /"#);
        check("plain", "plain");
        assert!(parse(&with_escaped_name(r#"{"type":"test","name":"a\"#)).is_none());
    }

    #[test]
    fn a_value_of_another_type_costs_what_it_says() {
        let line =
            r#"{"type":"test","event":"failed","name":"a","exec_time":"0.07s","stdout":7,"test_count":-1}"#;
        let message = parse(line).unwrap();
        assert_eq!((message.name.as_deref(), message.event.as_deref()), (Some("a"), Some("failed")));
        assert!(message.took().is_none() && message.stdout.is_none() && message.test_count.is_none());
        assert!(parse(r#"{"type":7,"event":"ok"}"#).is_none());
    }

    #[test]
    fn other_objects_are_no_messages() {
        assert!(parse(r#"{"type":"report","total_time":1.0}"#).is_none());
        assert!(parse(r#"{"type":"test","name":"a","event":"ok","more":[1]}"#).is_some());
        assert!(parse(r#"{"type":"test""#).is_none());
        assert!(parse(r#"{"reason":"compiler-message"}"#).is_none());
    }
}
