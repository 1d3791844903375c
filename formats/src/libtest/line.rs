//! What a line of the plain text says, taken by itself.

use std::time::Duration;

use memchr::memmem;

use super::counts::Counts;

/// A line of libtest's, or of something else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// `running 3 tests`, with what stands behind it.
    Running(u64, &'a [u8]),
    /// `test a::b ... ok`.
    Result(Named<'a>, TestEnd<'a>),
    /// `test a::b ... ` and then output of the test.
    Began(Named<'a>, &'a [u8]),
    /// `test a::b has been running for over 60 seconds`.
    Slow(&'a [u8], Duration),
    /// `a::b --- FAILED`, in the middle of dots.
    TerseFailure(&'a [u8]),
    /// Dots: `..i.F 5/9`.
    Terse,
    /// `failures:`.
    Failures,
    /// `successes:`.
    Successes,
    /// `test result: …`.
    Totals(Totals),
    /// Nothing.
    Blank,
    /// Something else.
    Other,
}

/// The name of a test, and the words behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a [u8],
    pub(super) tag: Option<&'static str>,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TestEnd<'a> {
    pub(super) outcome: EndKind<'a>,
    pub(super) took: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndKind<'a> {
    Passed,
    /// With what stands behind the word.
    Failed(&'a [u8]),
    /// With the reason.
    Ignored(&'a [u8]),
    /// With the figures.
    Measured(&'a [u8]),
}

/// What the last line of a binary says of all its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) is_ok: bool,
    pub(super) counts: Counts,
}

/// What stands between a name and its result.
const DOTS: &[u8] = b" ... ";

/// Reads a line without its end.
pub(super) fn parse(line: &[u8]) -> Line<'_> {
    if let Some(rest) = line.strip_prefix(b"test ") {
        return test(rest).unwrap_or(Line::Other);
    }
    match line {
        b"" => Line::Blank,
        b"failures:" => Line::Failures,
        b"successes:" => Line::Successes,
        [b'r', ..] => running(line).unwrap_or(Line::Other),
        _ if is_dots(line) => Line::Terse,
        _ => match line.strip_suffix(b" --- FAILED") {
            Some(name) if !name.is_empty() => Line::TerseFailure(name),
            _ => Line::Other,
        },
    }
}

fn test(rest: &[u8]) -> Option<Line<'_>> {
    let Some(at) = memmem::find(rest, DOTS) else {
        return totals(rest).map(Line::Totals).or_else(|| slow(rest));
    };
    let (name, output) = (rest.get(..at)?, rest.get(at + DOTS.len()..)?);
    let named = named(name);
    if named.name.is_empty() {
        return None;
    }
    Some(ended(output).map_or(Line::Began(named, output), |ended| Line::Result(named, ended)))
}

/// Doc-tests and tests that should panic have words behind their names, in this text and nowhere else.
fn named(name: &[u8]) -> Named<'_> {
    let name = name.trim_ascii();
    for (words, tag) in [
        (&b" - should panic"[..], "should-panic"),
        (b" - compile fail", "compile-fail"),
        (b" - compile", "compile"),
    ] {
        if let Some(name) = name.strip_suffix(words) {
            return Named { name, tag: Some(tag) };
        }
    }
    Named { name, tag: None }
}

/// Reads a result that stands alone: `ok`, `FAILED`, `ignored, why`, `bench: …`, with a time behind it or not.
pub(super) fn ended(text: &[u8]) -> Option<TestEnd<'_>> {
    if text == b"ok" {
        return Some(TestEnd { outcome: EndKind::Passed, took: None });
    }
    let (word, took) = timed(text);
    let outcome = match word {
        b"ok" => EndKind::Passed,
        b"FAILED" => EndKind::Failed(b""),
        b"ignored" => EndKind::Ignored(b""),
        _ if word.starts_with(b"FAILED (") && word.ends_with(b")") => {
            EndKind::Failed(word.get(8..word.len() - 1)?)
        }
        _ if word.starts_with(b"ignored, ") => EndKind::Ignored(word.get(9..)?),
        _ if word.starts_with(b"bench: ") && memmem::find(word, b" ns/iter").is_some() => {
            EndKind::Measured(word.get(7..)?.trim_ascii_start())
        }
        _ => return None,
    };
    Some(TestEnd { outcome, took })
}

/// A line of output that a result may be glued to: what it is, and how long the output before it is.
pub(super) fn glued(text: &[u8]) -> Option<(TestEnd<'static>, usize)> {
    let (text, took) = timed(text);
    let of = |outcome, word: &[u8]| Some((TestEnd { outcome, took }, text.len() - word.len()));
    match text {
        _ if text.ends_with(b"ok") => of(EndKind::Passed, b"ok"),
        _ if text.ends_with(b"FAILED") => of(EndKind::Failed(b""), b"FAILED"),
        _ => None,
    }
}

/// The text before a time, and the time: ` <0.012s>`.
fn timed(text: &[u8]) -> (&[u8], Option<Duration>) {
    let split = || {
        let inner = text.strip_suffix(b"s>")?;
        let at = memmem::rfind(inner, b" <")?;
        Some((text.get(..at)?, seconds(inner.get(at + 2..)?)?))
    };
    split().map_or((text, None), |(text, took)| (text, Some(took)))
}

/// A number of seconds like `0.012`, exactly.
fn seconds(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = fraction.parse::<u32>().ok()? * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?);
    Some(Duration::new(whole.parse().ok()?, nanoseconds))
}

fn slow(rest: &[u8]) -> Option<Line<'_>> {
    let (name, number) = before_number(rest, b" has been running for over ", b" seconds")?;
    Some(Line::Slow(name, Duration::from_secs(number)))
}

/// `running 3 tests`; with `--shuffle` the seed stands behind it.
fn running(line: &[u8]) -> Option<Line<'_>> {
    let rest = line.strip_prefix(b"running ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(digits)?;
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let rest = rest.strip_prefix(b" test")?;
    let rest = rest.strip_prefix(b"s").unwrap_or(rest);
    (rest.is_empty() || rest.starts_with(b" (")).then_some(Line::Running(number, rest.trim_ascii_start()))
}

fn before_number<'a>(text: &'a [u8], between: &[u8], behind: &[u8]) -> Option<(&'a [u8], u64)> {
    let text = text.strip_suffix(behind)?;
    let at = memmem::rfind(text, between)?;
    let number = std::str::from_utf8(text.get(at + between.len()..)?).ok()?.parse().ok()?;
    Some((text.get(..at)?, number))
}

/// `result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.12s`.
fn totals(rest: &[u8]) -> Option<Totals> {
    let rest = std::str::from_utf8(rest.strip_prefix(b"result: ")?).ok()?;
    let (word, rest) = rest.split_once(". ")?;
    let is_ok = match word {
        "ok" => true,
        "FAILED" => false,
        _ => return None,
    };
    let mut parts = rest.split("; ");
    let mut count = |word| -> Option<u64> { parts.next()?.strip_suffix(word)?.trim_end().parse().ok() };
    let counts = Counts {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored")?,
        measured: count("measured")?,
    };
    Some(Totals { is_ok, counts })
}

/// A letter a test, and maybe ` 5/9` at the end.
fn is_dots(line: &[u8]) -> bool {
    let dots = line.iter().take_while(|byte| b".Fibtxp?".contains(byte)).count();
    let Some((dots, rest)) = line.split_at_checked(dots) else { return false };
    let is_count = |byte: &u8| byte.is_ascii_digit() || *byte == b'/';
    // Letters alone may be a word.
    (dots.contains(&b'.') || !rest.is_empty() || dots.len() == 1)
        && !dots.is_empty()
        && (rest.is_empty()
            || rest.first() == Some(&b' ')
                && rest.contains(&b'/')
                && rest.get(1..).is_some_and(|rest| rest.iter().all(is_count)))
}

/// `---- a::b stdout ----`: the name of the test whose output follows.
pub(super) fn block(line: &[u8]) -> Option<&[u8]> {
    let name = line.strip_prefix(b"---- ")?.strip_suffix(b" ----")?;
    let name = name.strip_suffix(b" stdout").unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// `    a::b`: a name in a list.
pub(super) fn listed(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"    ").filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Line<'_>) {
        assert_eq!(parse(line.as_bytes()), expected, "{line}");
    }

    fn result<'a>(name: &'a str, outcome: EndKind<'a>) -> Line<'a> {
        Line::Result(Named { name: name.as_bytes(), tag: None }, TestEnd { outcome, took: None })
    }

    #[test]
    fn results_are_read() {
        check("test a::b ... ok", result("a::b", EndKind::Passed));
        check("test a ... FAILED", result("a", EndKind::Failed(b"")));
        check(
            "test a ... FAILED (time limit exceeded)",
            result("a", EndKind::Failed(b"time limit exceeded")),
        );
        check("test a ... ignored", result("a", EndKind::Ignored(b"")));
        check("test a ... ignored, no net, no time", result("a", EndKind::Ignored(b"no net, no time")));
        let figures = b"0.66 ns/iter (+/- 0.14) = 8000 MB/s";
        check(
            "test a     ... bench:           0.66 ns/iter (+/- 0.14) = 8000 MB/s",
            result("a", EndKind::Measured(figures)),
        );
        let took = Some(Duration::from_millis(1012));
        let named = Named { name: b"a", tag: None };
        check("test a ... ok <1.012s>", Line::Result(named, TestEnd { outcome: EndKind::Passed, took }));
        check("test   a ... ok", result("a", EndKind::Passed));
        check("test a ... okay", Line::Began(named, b"okay"));
        check("test a ... ", Line::Began(named, b""));
        check("test  ... ok", Line::Other);
    }

    #[test]
    fn words_behind_a_name_are_tags() {
        let ended = TestEnd { outcome: EndKind::Passed, took: None };
        let check = |line: &str, name: &str, tag| {
            check(line, Line::Result(Named { name: name.as_bytes(), tag: Some(tag) }, ended));
        };
        check("test a - should panic ... ok", "a", "should-panic");
        check("test src/lib.rs - f (line 3) - compile ... ok", "src/lib.rs - f (line 3)", "compile");
        check(
            "test src/lib.rs - f (line 3) - compile fail ... ok",
            "src/lib.rs - f (line 3)",
            "compile-fail",
        );
    }

    #[test]
    fn the_frame_is_read() {
        check("running 1 test", Line::Running(1, b""));
        check("running 12 tests (shuffle seed: 7)", Line::Running(12, b"(shuffle seed: 7)"));
        check("running late", Line::Other);
        check("test a b has been running for over 60 seconds", Line::Slow(b"a b", Duration::from_secs(60)));
        let counts = Counts { passed: 3, failed: 1, ignored: 2, measured: 4 };
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 4 measured; 5 filtered out; finished in 0.12s";
        check(line, Line::Totals(Totals { is_ok: false, counts }));
        let old = "test result: ok. 3 passed; 1 failed; 2 ignored; 4 measured";
        check(old, Line::Totals(Totals { is_ok: true, counts }));
        check("test result: ok. many passed", Line::Other);
    }

    #[test]
    fn dots_are_no_words() {
        for line in ["..i.F", ". 1/9", "F", "i 12/1000"] {
            check(line, Line::Terse);
        }
        for line in ["bit", "... and so on", "1/9", "tip"] {
            check(line, Line::Other);
        }
        check("a::b --- FAILED", Line::TerseFailure(b"a::b"));
    }

    #[test]
    fn a_result_may_be_glued_to_output() {
        let check = |text: &str, expected: Option<usize>| {
            assert_eq!(glued(text.as_bytes()).map(|(_, len)| len), expected, "{text}");
        };
        check("no newlineok", Some(10));
        check("xFAILED <0.5s>", Some(1));
        check("okay", None);
    }
}
