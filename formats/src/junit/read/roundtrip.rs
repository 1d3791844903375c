//! What our writer writes is read back.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use streamresult::{Outcome, Record, Records, StreamResult, record_fn};
use subunit::{Event, File, Status, Tags, Timestamp, strategy};

use super::Options;
use crate::junit::{self, JunitWriter};

/// A test as it comes back, whatever its report looks like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    route: Option<String>,
    id: String,
    outcome: Outcome,
    duration: Option<Duration>,
    tags: Vec<String>,
    /// The traceback or the reason.
    detail: Option<String>,
    stdout: Option<String>,
}

impl Test {
    fn of(record: &Record<'_>) -> Self {
        let text = |name| {
            let mut bytes = Vec::new();
            let file = record.attachment(name)?;
            std::io::Read::read_to_end(&mut file.reader(), &mut bytes).unwrap();
            Some(String::from_utf8(bytes).unwrap())
        };
        Test {
            route: record.route_code().map(str::to_owned),
            id: record.test_id().to_owned(),
            outcome: record.outcome(),
            duration: record.duration(),
            tags: record.tags().iter().map(str::to_owned).collect(),
            detail: text("traceback").or_else(|| text("reason")),
            stdout: text("stdout"),
        }
    }

    fn tell(&self, start: u32, sink: &mut dyn StreamResult) {
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let tags = if tags.is_empty() { Tags::default() } else { Tags::from(tags.as_slice()) };
        let event =
            Event { route_code: self.route.as_deref(), tags, ..Event::status(&self.id, Status::InProgress) };
        let start = Timestamp::from_seconds(start);
        sink.status(&Event { timestamp: self.duration.map(|_| start), ..event }).unwrap();
        let detail = if self.outcome.is_failure() { "traceback" } else { "reason" };
        for (name, text) in [(detail, &self.detail), ("stdout", &self.stdout)] {
            let file = text.as_deref().map(|text| File { name, bytes: text.as_bytes() });
            sink.status(&Event { status: None, file, mime_type: Some("text/plain;charset=utf8"), ..event })
                .unwrap();
        }
        let end = self.duration.and_then(|duration| Timestamp::from_epoch(start.since_epoch() + duration));
        let status = match self.outcome {
            Outcome::Fail => Status::Fail,
            Outcome::UxSuccess => Status::UxSuccess,
            Outcome::Skip => Status::Skip,
            Outcome::XFail => Status::XFail,
            Outcome::Unfinished => Status::InProgress,
            Outcome::Success | Outcome::Exists => Status::Success,
        };
        sink.status(&Event { status: Some(status), timestamp: end, ..event }).unwrap();
    }

    /// The test with what XML cannot hold shown, as the writer shows it.
    fn shown(self) -> Self {
        let stdout =
            self.stdout.as_deref().map(|text| shown(text) + if text.ends_with('\n') { "" } else { "\n" });
        let mut tags: Vec<String> = Vec::new();
        for tag in self.tags.iter().map(|tag| shown(tag)) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        // Of a failure without a text of its own, the output tells.
        let told = self.detail.or_else(|| self.stdout.clone().filter(|_| self.outcome.is_failure()));
        Test { id: shown(&self.id), tags, detail: told.map(|text| shown(&text)), stdout, ..self }
    }
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\t' | '\n' | '\r' => out.push(character),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
            '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out
}

/// An id that comes back: not one of `a::b`, which cannot be told from `a.b`.
fn id() -> impl Strategy<Value = String> {
    let class = prop::sample::select(vec![
        "",
        "pkg.mod.Test.",
        "a.",
        "tests/test_a.py::",
        "tests/test_a.py::TestA::",
        "test_a.py::",
        "crate::tests::",
        "github.com/x/y.",
        "ü.",
    ]);
    let rest =
        prop_oneof![4 => Just(String::new()), 1 => strategy::string().prop_map(|text| format!("[{text}]"))];
    let usual = (class, "[a-z]{1,4}", rest).prop_map(|(class, name, rest)| format!("{class}{name}{rest}"));
    let any = prop_oneof![strategy::string(), "[ \\.\t\n]{0,2}[a-c&<\"]{1,3}[ \\.\r\n]{0,2}"];
    let any = any.prop_filter("what comes back", |id| !id.is_empty() && !id.contains("::"));
    prop_oneof![3 => usual, 1 => any]
}

/// A text with more than white space in it.
fn text() -> impl Strategy<Value = String> {
    (strategy::string(), strategy::string()).prop_map(|(before, after)| format!("{before}x{after}"))
}

fn test() -> impl Strategy<Value = Test> {
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Exists).collect::<Vec<_>>();
    (
        option::of(prop::sample::select(vec!["w1", "w2/3", "ü"])),
        id(),
        prop::sample::select(outcomes),
        option::of(0..100_000_u64),
        prop::collection::vec(strategy::string(), 0..3),
        option::of(text()),
        option::of(text()),
    )
        .prop_map(|(route, id, outcome, milliseconds, tags, detail, stdout)| Test {
            route: route.map(str::to_owned),
            id,
            outcome,
            duration: milliseconds.map(Duration::from_millis),
            tags,
            detail: detail.filter(|_| outcome != Outcome::Success),
            stdout,
        })
}

/// The tests that a report is about.
fn read_back(report: &[u8]) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        tests.push(Test::of(record));
        Ok(())
    }));
    super::drive(Options::default(), report, &mut records).unwrap();
    drop(records);
    tests
}

/// Tests of which none gets a number in the report: that stays in its id. A route code does not.
fn told_apart(mut tests: Vec<Test>) -> Vec<Test> {
    tests.sort_by_cached_key(|test| (shown(&test.id), test.route.clone()));
    tests.dedup_by(|a, b| shown(&a.id) == shown(&b.id) && (a.route == b.route || b.route.is_none()));
    tests
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(tests in prop::collection::vec(test(), 0..12), single_suite: bool) {
        let tests = told_apart(tests);
        let mut records = Records::new(JunitWriter::new(junit::JunitOptions {
            all_output: true,
            single_suite,
            ..junit::JunitOptions::default()
        }));
        for (number, test) in tests.iter().enumerate() {
            test.tell(1_700_000_000 + number as u32, &mut records);
        }
        records.stop_run().unwrap();
        let mut report = Vec::new();
        records.into_sink().write(&mut report).unwrap();
        let mut expected: Vec<Test> = tests.into_iter().map(Test::shown).collect();
        let mut found = read_back(&report);
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected, "{}", String::from_utf8_lossy(&report));
    }
}

#[test]
fn attempts_that_were_merged_are_attempts() {
    let mut records = Records::new(JunitWriter::new(junit::JunitOptions {
        merge_retries: true,
        ..junit::JunitOptions::default()
    }));
    for status in [Status::Fail, Status::Success] {
        records.status(&Event::status("a.b", status)).unwrap();
    }
    records.stop_run().unwrap();
    let mut report = Vec::new();
    records.into_sink().write(&mut report).unwrap();
    let tests = read_back(&report);
    assert_eq!(tests.len(), 1);
    assert_eq!(tests[0].outcome, Outcome::Success);
    assert_eq!(tests[0].tags, ["attempt-2", "flaky"]);
}

/// A report as our writer writes it after it was read.
fn rewritten(report: &str, options: junit::JunitOptions) -> String {
    let mut records = Records::new(JunitWriter::new(options));
    super::drive(Options::default(), report.as_bytes(), &mut records).unwrap();
    let mut written = Vec::new();
    records.into_sink().write(&mut written).unwrap();
    String::from_utf8(written).unwrap()
}

fn check_rewritten(cases: &str, expected: &str) {
    let report = format!("<testsuites><testsuite name='s'>{cases}</testsuite></testsuites>");
    let written = rewritten(&report, junit::JunitOptions::default());
    let cases = written.split_inclusive('\n').skip(3).collect::<String>();
    assert_eq!(cases.strip_suffix("</testsuite>\n</testsuites>\n"), Some(expected));
    let again = rewritten(&written, junit::JunitOptions::default());
    assert_eq!(again, written, "what is written stays as it is");
}

#[test]
fn classes_messages_and_types_survive() {
    check_rewritten(
        "<testcase classname='orders add' name='up'/>",
        "<testcase classname=\"orders add\" name=\"up\"/>\n",
    );
    check_rewritten(
        "<testcase classname='add up' name='orders add up'/>",
        "<testcase classname=\"add up\" name=\"orders add up\"/>\n",
    );
    check_rewritten(
        "<testcase classname='c' name='a'><failure message='expected: 1' type='java.lang.AssertionError'>\
         java.lang.AssertionError: expected: 1\n\tat a.b</failure></testcase>",
        "<testcase classname=\"c\" name=\"a\">\n<failure message=\"expected: 1\" type=\"java.lang.AssertionError\">\
         java.lang.AssertionError: expected: 1\n\tat a.b</failure>\n</testcase>\n",
    );
    check_rewritten(
        "<testcase classname='c' name='a'><error message='refused' type='java.net.ConnectException'/></testcase>",
        "<testcase classname=\"c\" name=\"a\">\n<failure message=\"refused\" type=\"java.net.ConnectException\">\
         java.net.ConnectException: refused</failure>\n</testcase>\n",
    );
}

#[test]
fn attempts_survive() {
    check_rewritten(
        "<testcase classname='c' name='a'><flakyFailure message='m' type='T'><stackTrace>T: m</stackTrace>\
         <system-out>o</system-out></flakyFailure></testcase>",
        "<testcase classname=\"c\" name=\"a\">\n<properties><property name=\"tag\" value=\"attempt-2\"/>\
         <property name=\"tag\" value=\"flaky\"/></properties>\n<flakyFailure message=\"T: m\" type=\"Failure\">\
         <stackTrace>T: m</stackTrace>\n<system-out>o</system-out></flakyFailure>\n</testcase>\n",
    );
    check_rewritten(
        "<testcase classname='c' name='a'><failure>1</failure><rerunFailure>2</rerunFailure></testcase>",
        "<testcase classname=\"c\" name=\"a\">\n<properties><property name=\"tag\" value=\"attempt-2\"/></properties>\n\
         <failure message=\"1\" type=\"Failure\">1</failure>\n<rerunFailure message=\"2\" type=\"Failure\">\
         <stackTrace>2</stackTrace></rerunFailure>\n</testcase>\n",
    );
}
