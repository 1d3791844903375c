//! The grammar of one line: a directive and what it is about, or text.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{digit1, one_of};
use nom::combinator::{all_consuming, opt, rest, value, verify};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser as _};
use subunit::{Status, Timestamp};

use super::time;

/// What a line says that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A test begins; this is its label.
    Test(&'a [u8]),
    /// A test ends: its label, and ` [` or ` [ multipart` where details follow.
    Outcome(Status, &'a [u8]),
    /// Tags come and, behind a `-`, go.
    Tags(&'a [u8]),
    /// It is this time now.
    Time(Timestamp),
    /// This many tests are expected, which v2 cannot express.
    Progress,
}

/// How the details of an outcome are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Details {
    /// There are none.
    None,
    /// Lines up to one that is `]`.
    Bracketed,
    /// Parts with a MIME type, a name and chunks of bytes.
    Multipart,
}

/// Reads a line without its end; `None` is text.
pub(crate) fn parse(line: &[u8]) -> Option<Line<'_>> {
    // Most lines of text are recognised by their first byte.
    line.first().filter(|first| b"tsfexpu".contains(first))?;
    let (_, found) = all_consuming(directive).parse(line).ok()?;
    Some(found)
}

fn directive(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let (value, word) = terminated(keyword, separator).parse(line)?;
    match word {
        Keyword::Test => argument.map(Line::Test).parse(value),
        Keyword::Outcome(status) => argument.map(|text| Line::Outcome(status, text)).parse(value),
        Keyword::Tags => argument.map(Line::Tags).parse(value),
        Keyword::Time => time::parse.map(Line::Time).parse(value),
        Keyword::Progress => progress(value),
    }
}

#[derive(Clone, Copy)]
enum Keyword {
    Test,
    Outcome(Status),
    Tags,
    Time,
    Progress,
}

fn keyword(line: &[u8]) -> IResult<&[u8], Keyword> {
    let (after, word) = take_while1(|byte: u8| byte.is_ascii_lowercase())(line)?;
    let keyword = match word {
        b"test" | b"testing" => Keyword::Test,
        b"success" | b"successful" => Keyword::Outcome(Status::Success),
        b"failure" | b"error" => Keyword::Outcome(Status::Fail),
        b"skip" => Keyword::Outcome(Status::Skip),
        b"xfail" => Keyword::Outcome(Status::XFail),
        b"uxsuccess" => Keyword::Outcome(Status::UxSuccess),
        b"tags" => Keyword::Tags,
        b"time" => Keyword::Time,
        b"progress" => Keyword::Progress,
        _ => return Err(no_directive(line)),
    };
    Ok((after, keyword))
}

/// Colons, which may be absent, and one blank. Further blanks belong to the label.
fn separator(line: &[u8]) -> IResult<&[u8], char> {
    preceded(take_while(|byte| byte == b':'), one_of(" \t")).parse(line)
}

/// All that follows, which is more than blanks.
fn argument(line: &[u8]) -> IResult<&[u8], &[u8]> {
    verify(rest, |text: &[u8]| text.iter().any(|byte| !byte.is_ascii_whitespace())).parse(line)
}

fn progress(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let number = preceded(opt(one_of("+-")), digit1);
    value(Line::Progress, alt((tag(&b"push"[..]), tag(&b"pop"[..]), number))).parse(line)
}

fn no_directive(line: &[u8]) -> nom::Err<nom::error::Error<&[u8]>> {
    nom::Err::Error(nom::error::Error::new(line, nom::error::ErrorKind::Verify))
}

/// How details follow an outcome of the test with this label; `None` when it is about another test.
pub(crate) fn details_of(label: &[u8], outcome: &[u8]) -> Option<Details> {
    match outcome.strip_prefix(label)? {
        b"" => Some(Details::None),
        b" [" => Some(Details::Bracketed),
        b" [ multipart" => Some(Details::Multipart),
        _ => None,
    }
}

/// A failure that stands outside of any test: how it ended, its label, and how its details follow. With a colon only:
/// `failure to connect` is text; so is what a compiler says, `error: no such file`, unless details follow it or one
/// word alone.
pub(crate) fn failure_alone(line: &[u8]) -> Option<(Status, &[u8], Details)> {
    let is_error = line.starts_with(b"error:");
    if !is_error && !line.starts_with(b"failure:") && !line.starts_with(b"uxsuccess:") {
        return None;
    }
    let Some(Line::Outcome(status, outcome)) = parse(line) else { return None };
    let (label, details) = match (outcome.strip_suffix(b" [ multipart"), outcome.strip_suffix(b" [")) {
        (Some(label), _) => (label, Details::Multipart),
        (_, Some(label)) => (label, Details::Bracketed),
        _ => (outcome, Details::None),
    };
    let is_sentence = details == Details::None && label.contains(&b' ');
    (!is_error || !is_sentence).then_some((status, label, details))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Line<'_>>) {
        assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
    }

    #[test]
    fn colons_may_be_absent() {
        for word in ["test", "test:", "testing", "testing:", "test::"] {
            check(&format!("{word} a b"), Some(Line::Test(b"a b")));
        }
        for (word, status) in [
            ("success", Status::Success),
            ("successful", Status::Success),
            ("failure", Status::Fail),
            ("error", Status::Fail),
            ("skip", Status::Skip),
            ("xfail", Status::XFail),
            ("uxsuccess", Status::UxSuccess),
        ] {
            check(&format!("{word} a"), Some(Line::Outcome(status, b"a")));
            check(&format!("{word}: a ["), Some(Line::Outcome(status, b"a [")));
        }
    }

    #[test]
    fn one_blank_separates_and_the_others_belong_to_the_label() {
        check("test:  a ", Some(Line::Test(b" a ")));
        check("test:\ta", Some(Line::Test(b"a")));
    }

    #[test]
    fn what_is_no_directive_is_text() {
        for line in [
            "",
            "test",
            "test:",
            "test: ",
            "test:  \t",
            " test: a",
            "test:a",
            "Test: a",
            "tested: a",
            "skips: a",
        ] {
            check(line, None);
        }
        for line in ["time: soon", "progress: half", "progress: +", "progress: 5%", "progress: pushed"] {
            check(line, None);
        }
    }

    #[test]
    fn progress_is_a_number_or_a_level() {
        for value in ["3", "+2", "-1", "push", "pop"] {
            check(&format!("progress: {value}"), Some(Line::Progress));
        }
    }

    #[test]
    fn a_failure_alone_is_told_by_its_colon() {
        let check = |line: &str, expected: Option<(Status, &str, Details)>| {
            let expected = expected.map(|(status, label, details)| (status, label.as_bytes(), details));
            assert_eq!(failure_alone(line.as_bytes()), expected, "{line}");
        };
        check("failure: a b", Some((Status::Fail, "a b", Details::None)));
        check("failure: a [", Some((Status::Fail, "a", Details::Bracketed)));
        check("error: a b [ multipart", Some((Status::Fail, "a b", Details::Multipart)));
        check("error: m.T.a", Some((Status::Fail, "m.T.a", Details::None)));
        check("uxsuccess: a", Some((Status::UxSuccess, "a", Details::None)));
        for line in ["failure to connect", "error: no rule", "error a", "skip: a", "success: a", "failure:"] {
            check(line, None);
        }
    }

    #[test]
    fn an_outcome_is_about_one_label() {
        let check = |outcome: &str, expected| {
            assert_eq!(details_of(b"a [", outcome.as_bytes()), expected, "{outcome}");
        };
        check("a [", Some(Details::None));
        check("a [ [", Some(Details::Bracketed));
        check("a [ [ multipart", Some(Details::Multipart));
        check("a [ multipart", None);
        check("b", None);
    }
}
