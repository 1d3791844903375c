//! A line of JSON, as libtest and nextest write it.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use super::counts::Counts;

/// What a line says; unknown keys are ignored.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) event: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) stdout: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) stderr: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) reason: Option<Text<'a>>,
    exec_time: Option<f64>,
    pub(super) test_count: Option<u64>,
    passed: Option<u64>,
    failed: Option<u64>,
    ignored: Option<u64>,
    measured: Option<u64>,
    median: Option<f64>,
    deviation: Option<f64>,
    mib_per_second: Option<f64>,
    #[serde(borrow)]
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

/// Reads a line that begins with `{`; `None` when it is not a message.
pub(super) fn parse(line: &str) -> Option<Message<'_>> {
    let message: Message<'_> = serde_json::from_str(line).ok()?;
    matches!(&*message.kind, "suite" | "test" | "bench").then_some(message)
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
    fn other_objects_are_no_messages() {
        assert!(parse(r#"{"type":"report","total_time":1.0}"#).is_none());
        assert!(parse(r#"{"type":"test","name":"a","event":"ok","more":[1]}"#).is_some());
        assert!(parse(r#"{"type":"test""#).is_none());
        assert!(parse(r#"{"reason":"compiler-message"}"#).is_none());
    }
}
