//! The grammar of one line: what it says, or that it is text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use memchr::{memchr, memchr_iter, memchr2, memmem, memrchr};
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{char, digit1, one_of, space0, space1};
use nom::combinator::{all_consuming, eof, map_opt, opt, rest, value};
use nom::multi::separated_list1;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser as _};

use super::duration;
use subunit::{part, split_part};

/// What a line says that is not text. Its indentation is left to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `TAP version 14`, or `KTAP version 1`.
    Version { is_ktap: bool },
    /// `1..N`, what stands behind a `#`, and the numbers behind the word `todo`, which is how perl's Test.pm says it.
    Plan { last: u64, comment: Option<&'a [u8]>, todo: &'a [u8] },
    /// `ok` or `not ok`.
    Point(Point<'a>),
    /// `Bail out!` and why.
    BailOut(&'a [u8]),
    /// `pragma +strict`, which is meant for other readers.
    Pragma,
    /// `# Subtest: name`, with or without a name.
    Subtest(&'a [u8]),
    /// Any other line that begins with `#`.
    Comment,
    /// `---`, which may begin a block of diagnostics.
    Dashes,
}

/// A test point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point<'a> {
    pub(super) is_ok: bool,
    pub(super) number: Option<u64>,
    /// The description as it is written: see [`unescaped`].
    pub(super) description: &'a [u8],
    /// What follows the description: something stood between that is not part of it.
    pub(super) more: &'a [u8],
    /// Where in the line it begins.
    pub(super) start: usize,
    /// Whether the description is written as it is meant.
    pub(super) is_plain: bool,
    pub(super) directive: Option<(Word, &'a [u8])>,
    /// Whether a `#` stands at its end with nothing but a blank behind it: Test2 writes this of what is to be done as
    /// part of something that is.
    pub(super) is_open: bool,
    /// How long it took, where the line says so.
    pub(super) took: Option<Duration>,
}

/// What a directive says, with its reason behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Skip,
    Todo,
    /// Of testem: it was not expected to pass, and did.
    Bonus,
    /// Of KTAP: it failed as expected.
    XFail,
    /// Of KTAP, `TIMEOUT` and `ERROR`: it failed.
    Failed,
}

/// Reads a line without its indentation and end; `None` is text. KTAP, the form of TAP that Linux tests write, has more
/// directives.
pub(super) fn parse(line: &[u8], is_ktap: bool) -> Option<Line<'_>> {
    let found = match line.first()? {
        b'o' | b'n' => return point(line, is_ktap).map(Line::Point),
        b's' => return point_of_testem(line.strip_prefix(b"skip ")?, Word::Skip),
        b't' if line.starts_with(b"todo ") => return point_of_testem(line.get(5..)?, Word::Todo),
        b'K' => all_consuming(ktap_version).parse(line),
        b'#' => all_consuming(alt((subtest, value(Line::Comment, rest)))).parse(line),
        b'1' => all_consuming(plan).parse(line),
        b'-' => all_consuming(value(Line::Dashes, (tag("---"), opt((space1, rest))))).parse(line),
        b'T' | b't' => all_consuming(version).parse(line),
        b'B' | b'b' => all_consuming(bail_out).parse(line),
        b'p' => all_consuming(pragma).parse(line),
        _ => return None,
    };
    Some(found.ok()?.1)
}

fn version(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let words = (tag_no_case("TAP"), space1, tag_no_case("version"), space1, digit1, space0);
    value(Line::Version { is_ktap: false }, words).parse(line)
}

fn ktap_version(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let words = (tag("KTAP"), space1, tag("version"), space1, digit1, space0);
    value(Line::Version { is_ktap: true }, words).parse(line)
}

fn bail_out(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    preceded((tag_no_case("Bail out!"), space0), rest)
        .map(|why: &[u8]| Line::BailOut(why.trim_ascii()))
        .parse(line)
}

fn pragma(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let key = take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let keys = separated_list1((space0, char(','), space0), pair(one_of("+-"), key));
    value(Line::Pragma, (tag("pragma"), space1, keys, space0)).parse(line)
}

fn subtest(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let name = alt((preceded(char(':'), rest), value(&b""[..], (space0, eof))));
    preceded((char('#'), space0, tag("Subtest")), name)
        .map(|name: &[u8]| Line::Subtest(name.trim_ascii()))
        .parse(line)
}

fn plan(line: &[u8]) -> IResult<&[u8], Line<'_>> {
    let numbers = take_while1(|byte: u8| byte.is_ascii_digit() || byte.is_ascii_whitespace());
    let todo = (space1, tag_no_case("todo"), space1, numbers, opt(char(';')), space0).map(|words| words.3);
    let comment = preceded((space0, char('#'), space0), rest);
    let behind = alt((comment.map(|text| (Some(text), &b""[..])), todo.map(|numbers| (None, numbers))));
    let (line, (last, (comment, todo))) =
        (preceded(tag("1.."), number), alt((behind, value((None, &b""[..]), (space0, eof))))).parse(line)?;
    Ok((line, Line::Plan { last, comment: comment.map(<[u8]>::trim_ascii), todo }))
}

fn number(line: &[u8]) -> IResult<&[u8], u64> {
    let value = |digits: &[u8]| {
        let mut digits = digits.iter().map(|digit| u64::from(digit - b'0'));
        digits.try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(digit))
    };
    map_opt(digit1, value).parse(line)
}

/// Nearly all lines are test points, so this is by hand.
fn point(line: &[u8], is_ktap: bool) -> Option<Point<'_>> {
    let (is_ok, rest) = match line {
        [b'o', b'k', rest @ ..] => (true, rest),
        _ => (false, line.strip_prefix(b"not ok")?),
    };
    // `ok` is a word of its own: `okay` is another.
    if rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    let (number, rest) = numbered(rest).map_or((None, rest), |(number, rest)| (Some(number), rest));
    let after_dash = match skip_blanks(rest) {
        // `ok 2-boots` has no blanks around its dash.
        [b'-', after @ ..] if matches!(after, [] | [b' ' | b'\t', ..]) || rest.starts_with(b"-") => {
            Some(after)
        }
        _ => None,
    };
    let text = after_dash.unwrap_or(rest);
    let is_plain = memchr2(b'#', b'\\', text).is_none();
    let (description, annotation) = if is_plain { (text.trim_ascii(), None) } else { split(text, is_ktap) };
    let start = line.len() - text.trim_ascii_start().len();
    let mut point = Point {
        is_ok,
        number,
        description,
        more: b"",
        start,
        is_plain,
        directive: None,
        is_open: false,
        took: None,
    };
    match annotation {
        Some(Annotation::Directive(word, reason)) => point.directive = Some((word, reason)),
        Some(Annotation::Time(took)) => point.took = Some(took),
        Some(Annotation::Nothing) => point.is_open = line.ends_with(b" # "),
        None => {}
    }
    point.take_time(after_dash.is_none() && number.is_some());
    Some(point)
}

/// `skip 3 chrome - [0 ms] - boots`: testem has words of its own in the place of `ok`. It is known by its durations.
fn point_of_testem(rest: &[u8], word: Word) -> Option<Line<'_>> {
    let (number, text) = numbered(rest)?;
    let description = text.trim_ascii();
    if description.is_empty() {
        return None;
    }
    let is_ok = word == Word::Skip;
    let directive = Some((word, &b""[..]));
    let mut point = Point {
        is_ok,
        number: Some(number),
        description,
        more: b"",
        start: 0,
        is_plain: false,
        directive,
        is_open: false,
        took: None,
    };
    point.take_time(false);
    point.took.map(|_| Line::Point(point))
}

/// The number of a test point and what is behind it: a blank, the dash or the directive. `3rd` and `3.5` are
/// descriptions.
fn numbered(rest: &[u8]) -> Option<(u64, &[u8])> {
    let (mut rest, mut number) = (skip_blanks(rest), None);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(u64::from(digit - b'0'))?);
        rest = behind;
    }
    let ends = matches!(rest, [] | [b' ' | b'\t' | b'#' | b'-', ..]);
    number.filter(|_| ends).map(|number| (number, rest))
}

fn skip_blanks(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

impl Point<'_> {
    /// Some put into the description how long the test took. It is another time every time, and no part of a name.
    fn take_time(&mut self, may_be_of_bats: bool) {
        match self.description {
            [.., b'm', b's'] if may_be_of_bats => self.take_time_of_bats(),
            [.., b's', b')'] => self.take_time_of_criterion(),
            _ => {}
        }
        if self.took.is_none() && self.description.contains(&b'[') {
            self.take_time_of_testem();
        }
    }

    /// `boots in 12ms`, where no dash stands before it.
    fn take_time_of_bats(&mut self) {
        let Some(words) = self.description.strip_suffix(b"ms") else { return };
        let digits = words.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (words, digits) = words.split_at(words.len() - digits);
        if let (Some(name), Some(took)) = (words.strip_suffix(b" in "), duration::milliseconds(digits)) {
            (self.description, self.took) = (name.trim_ascii_end(), Some(took));
        }
    }

    /// `suite::boots (0.02s)`, with two digits behind the point: `(5s)` may be part of a name.
    fn take_time_of_criterion(&mut self) {
        let Some(words) = self.description.strip_suffix(b"s)") else { return };
        let Some(at) = memrchr(b'(', words) else { return };
        let (name, number) = split_part(words, at);
        let [b'(', number @ ..] = number else { return };
        let is_own =
            matches!(number, [.., b'.', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit());
        if let Some(took) =
            duration::of_value(&[number, b"s"].concat()).filter(|_| is_own && name.ends_with(b" "))
        {
            (self.description, self.took) = (name.trim_ascii_end(), Some(took));
        }
    }

    /// `chrome - [12 ms] - boots`.
    fn take_time_of_testem(&mut self) {
        let text = self.description;
        let Some(at) = memmem::find(text, b" ms]") else { return };
        let (head, tail) = split_part(text, at);
        let tail = part(tail, 4..);
        let Some(open) = memrchr(b'[', head) else { return };
        let (before, digits) = split_part(head, open);
        let took = duration::milliseconds(part(digits, 1..));
        let is_word = before.is_empty() || before.ends_with(b" - ");
        let ends = tail.is_empty() || tail.starts_with(b" - ");
        if took.is_none() || !is_word || !ends {
            return;
        }
        let tail = tail.get(3..).unwrap_or_default();
        self.took = took;
        (self.description, self.more) = match before.strip_suffix(b" - ") {
            Some(before) if tail.is_empty() => (before, &b""[..]),
            Some(_) => (before, tail),
            None => (tail, &b""[..]),
        };
        self.is_plain = false;
    }
}

/// What stands after the `#` of a test point.
#[derive(Clone, Copy)]
enum Annotation<'a> {
    Directive(Word, &'a [u8]),
    Time(Duration),
    Nothing,
}

/// The description, and what stands behind it.
///
/// It ends at the first `#` that is not escaped, comes after a blank and says something, or is followed by a blank
/// and might. So neither a link with `#skip` in it nor `fixes #12` ends it.
fn split(text: &[u8], is_ktap: bool) -> (&[u8], Option<Annotation<'_>>) {
    for at in memchr_iter(b'#', text) {
        let (before, behind) = split_part(text, at);
        let behind = behind.strip_prefix(b"#").unwrap_or_default();
        let is_word = before.last().is_none_or(u8::is_ascii_whitespace);
        if !is_word {
            continue;
        }
        if let Some(annotation) = annotation(behind.trim_ascii(), is_ktap) {
            return (before.trim_ascii(), Some(annotation));
        }
        if behind.first().is_none_or(u8::is_ascii_whitespace) {
            break;
        }
    }
    (text.trim_ascii(), None)
}

fn annotation(behind: &[u8], is_ktap: bool) -> Option<Annotation<'_>> {
    if behind.is_empty() {
        return Some(Annotation::Nothing);
    }
    if let Some(time) = behind.strip_prefix(b"time=") {
        return duration::of_unit(time).map(Annotation::Time);
    }
    let len = behind.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(behind.len());
    let (word, reason) = split_part(behind, len);
    let word = directive(word).or_else(|| directive_of_ktap(word).filter(|_| is_ktap))?;
    Some(Annotation::Directive(word, reason.trim_ascii()))
}

/// What follows the word at once, as in `Skipped:`, says nothing; but `TODOLIST` is another word.
fn directive(word: &[u8]) -> Option<Word> {
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let word = word.get(..letters)?;
    let is_any = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    match word.first()?.to_ascii_lowercase() {
        b's' if is_any(&["skip", "skipped", "skipping"]) => Some(Word::Skip),
        b't' if is_any(&["todo"]) => Some(Word::Todo),
        b'b' if is_any(&["bonus"]) => Some(Word::Bonus),
        _ => None,
    }
}

fn directive_of_ktap(word: &[u8]) -> Option<Word> {
    match word.strip_suffix(b":").unwrap_or(word) {
        b"XFAIL" => Some(Word::XFail),
        b"TIMEOUT" | b"ERROR" => Some(Word::Failed),
        _ => None,
    }
}

/// The text that is written like this: `\#` is a `#`, `\\` a `\`; a `\` before anything else is itself.
pub(super) fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let (plain, mut rest) = split_part(text, first);
    let mut out = plain.to_vec();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.split_first()) {
            (b'\\', Some((escaped @ (b'\\' | b'#'), after))) => {
                out.push(*escaped);
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

/// Bytes as part of an id, which has only UTF-8 and no NUL: others are shown as `\xff`.
pub(super) fn push_id(bytes: &[u8], id: &mut String) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && memchr(0, bytes).is_none()
    {
        return id.push_str(text);
    }
    for chunk in bytes.utf8_chunks() {
        for (at, piece) in chunk.valid().split('\0').enumerate() {
            id.push_str(if at > 0 { "\\x00" } else { "" });
            id.push_str(piece);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(id, "\\x{byte:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Line<'_>>) {
        assert_eq!(parse(line.as_bytes(), false), expected, "{line:?}");
    }

    /// A point as `[not] ok`, number, description, directive and reason.
    fn check_point(line: &str, expected: &str) {
        check_point_of(line, false, expected);
    }

    fn check_point_of(line: &str, is_ktap: bool, expected: &str) {
        let parsed = parse(line.as_bytes(), is_ktap);
        let Some(Line::Point(point)) = parsed else { panic!("{line:?} is not a point") };
        let number = point.number.map(|number| number.to_string()).unwrap_or_default();
        let text = |bytes: &[u8]| String::from_utf8(unescaped(bytes).into_owned()).unwrap();
        let directive = point.directive.map(|(word, reason)| format!("{word:?} {}", text(reason)));
        let took = point.took.map(|took| format!("{took:?}"));
        let behind = directive.or(took).unwrap_or_default();
        let is_ok = if point.is_ok { "ok" } else { "not" };
        assert_eq!(
            format!("{is_ok}|{number}|{}{}|{behind}", text(point.description), text(point.more)),
            expected,
            "{line:?}"
        );
    }

    #[test]
    fn number_dash_and_description_may_be_absent() {
        check_point("ok", "ok|||");
        check_point("not ok", "not|||");
        check_point("ok 12", "ok|12||");
        check_point("ok - a b", "ok||a b|");
        check_point("not ok 3 - a b ", "not|3|a b|");
        check_point("ok 3 a b", "ok|3|a b|");
        check_point("ok 3 -a", "ok|3|-a|");
        check_point("ok 3 - - a", "ok|3|- a|");
        check_point("ok 3 -", "ok|3||");
        check_point("ok: a", "ok||: a|");
    }

    #[test]
    fn a_number_is_a_word_of_its_own() {
        check_point("ok 2-boots", "ok|2|boots|");
        check_point("ok 2 -boots", "ok|2|-boots|");
        check_point("not ok 2-", "not|2||");
        check_point("ok 3.5 rounds", "ok||3.5 rounds|");
        check_point("ok 3rd", "ok||3rd|");
        check_point("ok - 3 pigs", "ok||3 pigs|");
        check_point("ok 99999999999999999999", "ok||99999999999999999999|");
        check_point("ok 007", "ok|7||");
    }

    #[test]
    fn directives_come_in_any_case_and_spacing() {
        for line in ["ok 1 - a # SKIP b", "ok 1 - a # skip b", "ok 1 a #Skipped: b", "ok 1 a #\tsKiP  b "] {
            check_point(line, "ok|1|a|Skip b");
        }
        for line in ["not ok - a # TODO b c", "not ok a # todo: b c", "not ok a  #ToDo\tb c"] {
            check_point(line, "not||a|Todo b c");
        }
        check_point("ok 1 - a # TODOLIST b", "ok|1|a # TODOLIST b|");
        check_point("ok 1 - a # skipper b", "ok|1|a # skipper b|");
        check_point("ok 1 - a # bonus", "ok|1|a|Bonus ");
        check_point("ok 1 - a # ", "ok|1|a|");
        check_point("ok 1 # skip", "ok|1||Skip ");
        check_point("ok 1 - #skip", "ok|1||Skip ");
        check_point("ok#skip x", "ok|||Skip x");
        check_point(r"ok 1 - a # SKIP b \# c \\", r"ok|1|a|Skip b # c \");
    }

    #[test]
    fn a_hash_in_a_description_is_no_directive() {
        check_point(r"not ok 1 - a \# TODO b", "not|1|a # TODO b|");
        check_point(r"not ok 1 - a \\# TODO b", r"not|1|a \# TODO b|");
        check_point(r"not ok 1 - a \\ # TODO b", r"not|1|a \|Todo b");
        check_point("not ok 1 - http://x/y#todo b", "not|1|http://x/y#todo b|");
        check_point("not ok 1 - a # b # todo", "not|1|a # b # todo|");
        check_point("not ok 1 - fixes #12 # todo", "not|1|fixes #12|Todo ");
        check_point(r"ok 1 - a \b \\ \# c", r"ok|1|a \b \ # c|");
    }

    #[test]
    fn times_in_the_line_are_no_part_of_the_name() {
        check_point("ok 1 - a # time=5.25ms", "ok|1|a|5.25ms");
        check_point("ok 1 a b in 8ms", "ok|1|a b|8ms");
        check_point("ok 1 - a # time=1.2s", "ok|1|a|1.2s");
        check_point("ok 1 - a # time=7us", "ok|1|a|7µs");
        check_point("ok 1 - a # time=long", "ok|1|a # time=long|");
        check_point("ok - s::a  (0.02s)", "ok||s::a|20ms");
        check_point("ok - s::a (5s)", "ok||s::a (5s)|");
        check_point("ok - s::a(0.02s)", "ok||s::a(0.02s)|");
        check_point("ok 1 Chrome 120.0 - [12 ms] - module: a", "ok|1|Chrome 120.0 - module: a|12ms");
        check_point("ok 1 [12 ms] - a", "ok|1|a|12ms");
        check_point("not ok 1 Chrome - [12 ms]", "not|1|Chrome|12ms");
        check_point("ok 1 waits [12 ms] long", "ok|1|waits [12 ms] long|");
        check_point("ok 1 - answers in 8ms", "ok|1|answers in 8ms|");
        check_point("ok 1 answers in ms", "ok|1|answers in ms|");
    }

    #[test]
    fn ktap_has_more_directives() {
        check_point_of("ok 1 a # XFAIL known", true, "ok|1|a|XFail known");
        check_point_of("not ok 1 a # TIMEOUT 45 seconds", true, "not|1|a|Failed 45 seconds");
        check_point_of("not ok 1 a # ERROR", true, "not|1|a|Failed ");
        check_point_of("not ok 1 a # SKIP b", true, "not|1|a|Skip b");
        check_point("not ok 1 - a # XFAIL known", "not|1|a # XFAIL known|");
    }

    #[test]
    fn testem_has_words_of_its_own() {
        check_point("skip 3 Chrome - [0 ms] - a", "ok|3|Chrome - a|Skip ");
        check_point("todo 4 Chrome - [1 ms] - a", "not|4|Chrome - a|Todo ");
        for line in ["skip a", "skip 3", "skip 3 more", "todo: a", "todo later", "todo 4 "] {
            check(line, None);
        }
    }

    #[test]
    fn what_is_nearly_a_point_is_text() {
        for line in ["okay", "ok_1", "not okay", "not  ok", "Ok 1", " ok", "OK", "nok", "ok2"] {
            check(line, None);
        }
    }

    #[test]
    fn plans_may_say_why() {
        let plan = |last, comment: Option<&'static str>| {
            Some(Line::Plan { last, comment: comment.map(str::as_bytes), todo: b"" })
        };
        let todo = |last, todo: &'static [u8]| Some(Line::Plan { last, comment: None, todo });
        check("1..5 todo 2 4;", todo(5, b"2 4"));
        check("1..5 todo 2", todo(5, b"2"));
        check("1..5 todo", None);
        check("1..3", plan(3, None));
        check("1..0 ", plan(0, None));
        check("1..0 # SKIP no net", plan(0, Some("SKIP no net")));
        check("1..0 #x", plan(0, Some("x")));
        for line in ["1..", "1..x", "0..3", "1...3", "1..3 tests", "1..99999999999999999999", "1"] {
            check(line, None);
        }
    }

    #[test]
    fn other_lines_are_known_by_their_words() {
        check("TAP version 14", Some(Line::Version { is_ktap: false }));
        check("tap  Version 13 ", Some(Line::Version { is_ktap: false }));
        check("KTAP version 1", Some(Line::Version { is_ktap: true }));
        check("TAP version", None);
        check("Bail out!", Some(Line::BailOut(b"")));
        check("bail OUT!  no disk ", Some(Line::BailOut(b"no disk")));
        check("Bail out", None);
        check("pragma +strict", Some(Line::Pragma));
        check("pragma -a, +b-c ", Some(Line::Pragma));
        check("pragma once", None);
        check("# Subtest: a: b ", Some(Line::Subtest(b"a: b")));
        check("# Subtest", Some(Line::Subtest(b"")));
        check("# Subtests", Some(Line::Comment));
        check("#", Some(Line::Comment));
        check("---", Some(Line::Dashes));
        check("--- # x", Some(Line::Dashes));
        check("----", None);
        check("", None);
        check("hello", None);
    }

    #[test]
    fn ids_are_text_without_nul() {
        let check = |bytes: &[u8], expected: &str| {
            let mut id = String::new();
            push_id(bytes, &mut id);
            assert_eq!(id, expected);
        };
        check("grün".as_bytes(), "grün");
        check(b"caf\xe9\0", r"caf\xe9\x00");
    }
}
