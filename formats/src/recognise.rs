//! Which format a document without a packet seems to be of, and which command reads it.

use std::fmt;

use subunit::part;

use crate::tap::is_line_of_prove;

/// A format that another command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    name: &'static str,
    command: &'static str,
}

impl Recognised {
    /// The command that reads it: `tap2subunit`.
    #[must_use]
    pub fn command(&self) -> &'static str {
        self.command
    }
}

impl fmt::Display for Recognised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "this looks like {}, which {} reads", self.name, self.command)
    }
}

/// What the beginning of a document looks like; none if it is like no format that is known.
///
/// ```
/// let found = formats::recognise::recognise(b"TAP version 13\nok 1 - boots\n").unwrap();
/// assert_eq!(found.to_string(), "this looks like TAP, which tap2subunit reads");
/// ```
#[must_use]
pub fn recognise(head: &[u8]) -> Option<Recognised> {
    let known = |name, command| Some(Recognised { name, command });
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    match head {
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => return known("an xz file", "xz -dc"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => return known("a bzip2 file", "bzip2 -dc"),
        _ => {}
    }
    let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
    if head.trim_ascii_start().starts_with(b"<") {
        return if has("<testsuite") { known("JUnit XML", "junitxml2subunit") } else { None };
    }
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find_map(|line| match line.trim_ascii() {
        _ if is_line_of_prove(line) => known("TAP", "tap2subunit"),
        [b'{', ..] => match line {
            _ if has("\"Action\"") => known("what go test -json writes", "gojson2subunit"),
            _ if has("\"event\"") && has("\"type\"") => known("JSON of Rust's tests", "libtest2subunit"),
            _ if has("\"id\"") && has("\"status\"") => known("JSON of subunit2json", "json2subunit"),
            _ => None,
        },
        line if is_tap(line) => known("TAP", "tap2subunit"),
        line if is_v1(line) => known("version 1 of subunit", "subunit-1to2"),
        line if is_libtest(line) => known("what cargo test writes", "libtest2subunit"),
        _ => None,
    })
}

/// Whether this line begins a stream of version 1, or goes on with one.
#[must_use]
pub fn is_v1(line: &[u8]) -> bool {
    let words = ["test: ", "testing: ", "tags: ", "progress: "];
    let is_time =
        line.strip_prefix(b"time: ").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
    is_time || words.iter().any(|word| line.starts_with(word.as_bytes()))
}

fn is_tap(line: &[u8]) -> bool {
    let point = line.strip_prefix(b"not ").unwrap_or(line).strip_prefix(b"ok");
    let is_number = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_digit);
    line.starts_with(b"TAP version ")
        || line.strip_prefix(b"1..").is_some_and(is_number)
        || point
            .and_then(|rest| rest.strip_prefix(b" "))
            .is_some_and(|rest| is_number(rest) || rest.starts_with(b"- "))
}

fn is_libtest(line: &[u8]) -> bool {
    let count = line.strip_prefix(b"running ").unwrap_or_default();
    let digits = count.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(part(count, digits..), b" test" | b" tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Option<&str>) {
        assert_eq!(recognise(head.as_bytes()).map(|found| found.command), expected, "{head:?}");
    }

    #[test]
    fn formats_are_known_by_what_begins_them() {
        check("# from a log\n1..3\n", Some("tap2subunit"));
        check("not ok 1 - x", Some("tap2subunit"));
        check("time: 2026-01-01 00:00:00Z\ntest: a\n", Some("subunit-1to2"));
        check("\u{feff}<?xml version=\"1.0\"?>\n<testsuites>", Some("junitxml2subunit"));
        check("{\"Time\":\"\",\"Action\":\"start\"}", Some("gojson2subunit"));
        check("   Compiling a\n{ \"type\": \"suite\", \"event\": \"started\" }", Some("libtest2subunit"));
        check("\nrunning 1 test\n", Some("libtest2subunit"));
        check("{\"id\":\"a\",\"status\":\"success\"}", Some("json2subunit"));
        check("BZh91AY", Some("bzip2 -dc"));
    }

    #[test]
    fn what_is_like_nothing_is_not_named() {
        for text in ["", "ok then", "running 3 testbeds", "<html>", "{}", "1.. 2", "test:a", "okay 1"] {
            check(text, None);
        }
    }
}
