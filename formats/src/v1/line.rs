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
