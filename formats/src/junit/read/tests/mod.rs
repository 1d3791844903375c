//! What documents become.

mod ids;
mod outcomes;

use std::io;
use std::path::PathBuf;

use proptest::prelude::*;
use streamresult::{Outcome, StreamResult, Summary};
use subunit::{Event, Timestamp};

use super::{Error, Options, Parser, START};

/// Events as lines, one for all pieces of a file: `[route] id status @seconds #tag name="text"`.
#[derive(Default)]
struct EventLog {
    lines: Vec<String>,
    /// What the last line begins with, while pieces of its file may come.
    file: Option<String>,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let mut line = event.route_code.map(|route| format!("[{route}] ")).unwrap_or_default();
        line.push_str(event.test_id.unwrap_or("-"));
        if let Some(file) = event.file {
            line.push_str(&format!(" {}=", file.name));
            let text = String::from_utf8_lossy(file.bytes);
            let joins = self.file.as_deref() == Some(&line);
            self.file = (!event.eof).then(|| line.clone());
            match self.lines.last_mut() {
                Some(last) if joins => last.push_str(&text),
                _ => self.lines.push(line + &text),
            }
            return Ok(());
        }
        self.file = None;
        line.extend(event.status.map(|status| format!(" {status}")));
        line.extend(event.timestamp.map(|time| format!(" @{}", since_start(time))));
        line.extend(event.tags.iter().map(|tag| format!(" #{tag}")));
        self.lines.push(line);
        Ok(())
    }
}

fn since_start(time: Timestamp) -> String {
    let (seconds, nanoseconds) = (i64::from(time.seconds()) - i64::from(START.seconds()), time.nanoseconds());
    let text = format!("{seconds}.{nanoseconds:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a document becomes when it is read in pieces of this size, and what is wrong with it.
fn read(options: Options, document: &[u8], piece: usize) -> (Vec<String>, Option<String>) {
    let mut parser = Parser::new(options);
    let mut seen = EventLog::default();
    let fed = document.chunks(piece.max(1)).try_for_each(|piece| parser.feed(piece, &mut seen));
    let error = fed.and_then(|()| parser.finish(&mut seen)).err();
    (seen.lines, error.map(|error| error.to_string()))
}

fn check_with(options: &Options, document: &str, expected: &[&str], error: Option<&str>) {
    for piece in (1..=9).chain([64, document.len()]) {
        let (lines, found) = read(options.clone(), document.as_bytes(), piece);
        assert_eq!(lines, expected, "in pieces of {piece}");
        assert_eq!(found.as_deref(), error, "in pieces of {piece}");
    }
}

fn check(document: &str, expected: &[&str]) {
    check_with(&Options::default(), document, expected, None);
}

/// What the cases of a suite called `s` become.
fn check_cases(cases: &str, expected: &[&str]) {
    check(&format!("<testsuites><testsuite name='s'>{cases}</testsuite></testsuites>"), expected);
}

fn check_broken(document: &str, expected: &[&str], tag: &str, error: &str) {
    let data = format!("subunit.parser Packet data={tag}");
    let message = format!("subunit.parser Parser Error=broken JUnit XML, {error}");
    let mut expected = expected.to_vec();
    expected.extend([&*data, &*message]);
    check_with(&Options::default(), document, &expected, Some(error));
}

#[test]
fn each_case_is_a_test() {
    check_cases("<testcase classname='a' name='b'/>", &["a.b inprogress", "a.b success"]);
    check_cases("\n <testcase name='b'>\n </testcase>\n", &["b inprogress", "b success"]);
    check_cases("", &[]);
}

#[test]
fn any_root_will_do() {
    let expected = ["a inprogress", "a success"];
    check("<testcase name='a'/>", &expected);
    check("<testsuite><testcase name='a'/></testsuite>", &expected);
    check(
        "<testsuites><testsuite><testsuite><testcase name='a'/></testsuite></testsuite></testsuites>",
        &expected,
    );
    check(
        "<?xml version='1.0'?>\n<!DOCTYPE x>\n<j:testsuite xmlns:j='k'><j:testcase name='a'/></j:testsuite>",
        &expected,
    );
}

fn check_notes(document: &str, expected: &[&str]) {
    let mut parser = Parser::new(Options::default());
    let mut seen = EventLog::default();
    parser.feed(document.as_bytes(), &mut seen).and_then(|()| parser.finish(&mut seen)).unwrap();
    assert_eq!(parser.take_notes(), expected);
}

#[test]
fn what_changes_no_test_is_noted() {
    check_notes(
        "<testsuite name='s' failures='-1'><testcase name='a'><mood/><mood/><warning/></testcase><mood/></testsuite>",
        &[
            "<mood> within <testcase> is not JUnit XML: it is kept, and decides nothing",
            "<mood> within <testsuite> is not JUnit XML: it is kept, and decides nothing",
            "the suite s: failures=\"-1\" cannot be right",
        ],
    );
}

#[test]
fn another_document_is_passed_over_where_that_is_wanted() {
    let mut parser = Parser::new(Options::default());
    parser.pass_over_others(true);
    let mut seen = EventLog::default();
    parser.feed(b"<testng-results><x/></testng-results>", &mut seen).unwrap();
    parser.finish(&mut seen).unwrap();
    assert_eq!(parser.take_notes(), ["passed over: it is not JUnit XML but a <testng-results>"]);
    assert!(seen.lines.is_empty());
    let broken = parser.feed(b"<testsuite></x>", &mut seen);
    assert!(matches!(broken, Err(Error::Broken { .. })));
}

#[test]
fn output_and_properties_are_files() {
    check_cases(
        "<testcase name='a' line='7'><properties><property name='k' value='v'/><property name='t'>x\ny</property>\
         <property name='tag' value='slow'/></properties><system-out>\n<![CDATA[o]]>ut\n</system-out>\
         <system-err>err</system-err><system-err/></testcase>",
        &[
            "a inprogress #slow",
            "a properties=line=7\nk=v\nt=x\\ny\n",
            "a stdout=\nout\n",
            "a stderr=err",
            "a success #slow",
        ],
    );
}

#[test]
fn what_is_not_of_the_format_is_kept() {
    check_cases(
        "<testcase name='a'>loose &amp; text<note>n <b>m</b></note> more</testcase>",
        &["a inprogress", "a text=loose & text", "a note=n m", "a text-2=more", "a success"],
    );
    check(
        "make: done\n<testsuite>loose<testcase name='a'/></testsuite>bye",
        &["- stdout=make: done\n", "- stdout=loose", "a inprogress", "a success", "- stdout=bye"],
    );
}

#[test]
fn secrets_are_left_out() {
    check_cases(
        "<properties><property name='db.password' value='hunter2'/><property name='os' value='x'/></properties>\
         <testcase name='a' token='t'/>",
        &[
            "- properties=[s]\ndb.password=[redacted]\nos=x\n",
            "a inprogress",
            "a properties=token=[redacted]\n",
            "a success",
        ],
    );
}

#[test]
fn times_follow_from_the_suite_and_the_cases_before() {
    check(
        "<testsuite timestamp='2000-01-01T00:01:00'><testcase name='a' time='1.5'/><testcase name='b'/>\
         <testcase name='c' time='1,000.25'/><testcase name='d' time='1' timestamp='2000-01-01T01:00:00+01:00'/>\
         <testsuite><testcase name='e' time='1e-3'/></testsuite></testsuite>",
        &[
            "a inprogress @60",
            "a success @61.5",
            "b inprogress",
            "b success",
            "c inprogress @61.5",
            "c success @1061.75",
            "d inprogress @0",
            "d success @1",
            "e inprogress @1",
            "e success @1.001",
        ],
    );
    check(
        "<testsuite timestamp='Sat, 01 Jan 2000 00:01:00 GMT'><testcase name='a' time='1'/></testsuite>",
        &["a inprogress @60", "a success @61"],
    );
    check(
        "<testsuite timestamp='yesterday'><testcase name='a' time='1.5'/></testsuite>",
        &["a inprogress", "a properties=time=1.5\n", "a success"],
    );
    for time in ["", "NaN", "-1", "1e99"] {
        check_cases(&format!("<testcase name='a' time='{time}'/>"), &["a inprogress", "a success"]);
    }
}

#[test]
fn entities_of_a_document_are_refused() {
    check_broken(
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><testsuite/>",
        &[],
        "",
        "line 1, column 1: a DOCTYPE with declarations: entities of a document's own are not read",
    );
    check_broken(
        "<testsuite>\n<testcase name='a'><failure>ü\n &b;",
        &["a inprogress", "a traceback=ü\n "],
        "",
        "line 3, column 2: the entity &b; is not one of XML's own, and no other is read",
    );
}

#[test]
fn what_comes_before_a_break_is_told() {
    check_broken(
        "<testsuite>\n<testcase name='a'/>\n<testcase name='b'><system-out>so far",
        &["a inprogress", "a success", "b inprogress", "b stdout=so far"],
        "",
        "line 3, column 38: the document ends within <system-out>",
    );
    check_broken(
        "<testsuite><testcase name='a'></testsuite>",
        &["a inprogress"],
        "testsuite",
        "line 1, column 31: </testsuite> ends <testcase>",
    );
    check_broken("text", &["- stdout=text"], "", "line 1, column 5: there is no document");
    check_broken("<html>", &[], "html", "line 1, column 1: no JUnit XML: the document is a <html>");
}

#[test]
fn documents_are_as_deep_as_they_need_to_be() {
    let deep = "<testsuite>".repeat(1000);
    let (_, error) = read(Options::default(), deep.as_bytes(), 64);
    assert_eq!(error.unwrap(), "line 1, column 705: more than 64 elements within each other");
}

#[test]
fn files_are_attached_where_that_is_allowed() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.txt"), "text").unwrap();
    let document =
        "<testcase name='a'><system-out>[[ATTACHMENT|a.txt]]\n[[ATTACHMENT|../b]]</system-out></testcase>";
    let stdout = "a stdout=[[ATTACHMENT|a.txt]]\n[[ATTACHMENT|../b]]";
    check(document, &["a inprogress", stdout, "a success"]);
    let options = Options { attachments: Some(place.path().to_owned()), ..Options::default() };
    let refused = "a b (missing)=[../b is not attached: it is not in the folder]\n";
    check_with(&options, document, &["a inprogress", stdout, "a a.txt=text", refused, "a success"], None);
    let options = Options { attachments: Some(PathBuf::from("/no/such")), ..Options::default() };
    assert_eq!(read(options, document.as_bytes(), 64).0.len(), 5);
}

#[test]
fn a_parser_begins_anew_with_each_input() {
    let mut parser = Parser::new(Options::default());
    let mut seen = EventLog::default();
    assert!(matches!(parser.feed(b"<html>", &mut seen), Err(Error::Broken { .. })));
    parser.feed(b"<testcase name='lost'/>", &mut seen).unwrap();
    parser.finish(&mut seen).unwrap();
    parser.feed(b"<testcase name='a'/>", &mut seen).unwrap();
    parser.finish(&mut seen).unwrap();
    assert_eq!(seen.lines[2..], ["a inprogress", "a success"]);
}

/// What a recorded document adds up to: passed, failed, skipped, failed as expected.
fn check_recorded(name: &str, expected: [u64; 4]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/junit").join(name);
    let document = std::fs::read(path).unwrap();
    let mut summary = Summary::new();
    super::drive(Options::default(), &document[..], &mut summary).unwrap();
    let outcomes = [Outcome::Success, Outcome::Fail, Outcome::Skip, Outcome::XFail];
    assert_eq!(outcomes.map(|outcome| summary.count(outcome)), expected, "{name}");
    let whole = read(Options::default(), &document, document.len());
    for piece in [1, 7, 1000] {
        assert_eq!(read(Options::default(), &document, piece), whole, "{name} in pieces of {piece}");
    }
}

#[test]
fn reports_of_many_tools_are_read() {
    check_recorded("ant.xml", [1, 0, 3, 0]);
    check_recorded("bats.xml", [1, 1, 1, 0]);
    check_recorded("catch2.xml", [2, 0, 0, 2]);
    check_recorded("ctest.xml", [1, 1, 2, 0]);
    check_recorded("ctest-not-run.xml", [1, 6, 3, 0]);
    check_recorded("doctest.xml", [2, 0, 0, 0]);
    check_recorded("doctest-no-version.xml", [2, 0, 0, 0]);
    check_recorded("gradle.xml", [1, 1, 0, 0]);
    check_recorded("gtest.xml", [2, 1, 2, 0]);
    check_recorded("jest.xml", [2, 1, 1, 0]);
    check_recorded("nextest.xml", [2, 1, 0, 0]);
    check_recorded("node.xml", [3, 1, 1, 1]);
    check_recorded("node-suites.xml", [5, 1, 2, 0]);
    check_recorded("phpunit.xml", [3, 1, 1, 0]);
    check_recorded("phpunit-providers.xml", [3, 5, 1, 0]);
    check_recorded("playwright.xml", [3, 1, 0, 0]);
    check_recorded("pytest.xml", [5, 6, 1, 1]);
    check_recorded("pytest-xunit1.xml", [5, 5, 1, 1]);
    check_recorded("subunit2junitxml.xml", [1, 3, 1, 1]);
    check_recorded("suite-error.xml", [2, 3, 0, 0]);
    check_recorded("surefire.xml", [3, 2, 1, 0]);
    check_recorded("surefire-counts.xml", [1, 1, 0, 0]);
    check_recorded("words.xml", [2, 5, 2, 0]);
}

/// Pieces of documents, of which any may follow any.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "<testsuites>",
        "</testsuites>",
        "<testsuite name='s' tests='2' errors='1'>",
        "</testsuite>",
        "<testcase classname='a' name='b' time='1'>",
        "</testcase>",
        "<testcase name='c'/>",
        "<failure message='m'>",
        "</failure>",
        "<error type='Incomplete'/>",
        "<skipped/>",
        "<properties>",
        "</properties>",
        "<property name='tag' value='t'/>",
        "<property name='p'>",
        "</property>",
        "<system-out>",
        "</system-out>",
        "<flakyFailure>",
        "</flakyFailure>",
        "<stackTrace>",
        "</stackTrace>",
        "<![CDATA[",
        "]]>",
        "]",
        "&lt;",
        "&#13;",
        "&b;",
        "&",
        "\r\n",
        "\r",
        "\n",
        " ",
        "<!--",
        "-->",
        "<?p",
        "?>",
        "<!DOCTYPE x>",
        "<",
        ">",
        "'",
        "ü",
        "\0",
        "<?xml version='1.0' encoding='ISO-8859-1'?>",
        "\u{feff}",
        "<note>",
        "</note>",
        "<timeout message='m'>",
        "</timeout>",
        "<rerunError/>",
        "<testcase name='c' status='strange'/>",
        "<skipped message='TEST_CASE tagged with !mayfail'/>",
    ]);
    prop_oneof![9 => fixed.prop_map(str::to_owned), 1 => "[ -~]{0,8}"]
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_events(fragments in prop::collection::vec(fragment(), 0..40), piece in 1_usize..20) {
        let document = format!("<testsuite>{}", fragments.concat());
        let whole = read(Options::default(), document.as_bytes(), document.len());
        prop_assert_eq!(read(Options::default(), document.as_bytes(), piece), whole);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..9) {
        let whole = read(Options::default(), &bytes, bytes.len());
        prop_assert_eq!(read(Options::default(), &bytes, piece), whole);
    }

    #[test]
    fn what_is_broken_is_never_a_success(fragments in prop::collection::vec(fragment(), 0..40)) {
        let document = fragments.concat();
        let mut summary = Summary::new();
        let read = super::drive(Options::default(), document.as_bytes(), &mut summary);
        let is_failing = summary.count(Outcome::Fail) + summary.count(Outcome::Unfinished) > 0 || !summary.is_success();
        prop_assert!(read.is_ok() || is_failing);
    }
}
