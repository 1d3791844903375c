//! What stands in a report.

use formats::junit::{Dialect, JunitOptions, JunitWriter};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use streamresult::{Records, StreamResult, deliver};
use subunit::io::Reader;
use subunit::{Event, File, PacketBuf, Status, Tags, Timestamp};

/// The report of these events.
pub(crate) fn report(options: JunitOptions, events: &[Event<'_>]) -> String {
    let mut records = Records::new(JunitWriter::new(options));
    for event in events {
        records.status(event).unwrap();
    }
    finish(records)
}

/// The report of a stream.
pub(crate) fn report_of_stream(options: JunitOptions, stream: &[u8]) -> String {
    let mut records = Records::new(JunitWriter::new(options));
    let mut reader = Reader::new(stream);
    while let Some(frame) = reader.next_frame().unwrap() {
        deliver(&frame, 0, &mut records).unwrap();
    }
    finish(records)
}

fn finish(mut records: Records<JunitWriter>) -> String {
    records.stop_run().unwrap();
    let mut report = Vec::new();
    records.into_sink().write(&mut report).unwrap();
    String::from_utf8(report).unwrap()
}

/// The lines of the report's cases.
fn cases(report: &str) -> Vec<&str> {
    let is_head = |line: &str| {
        line.starts_with("<testsuite") || line.starts_with("</testsuite") || line.starts_with("<?xml")
    };
    report.lines().filter(|line| !is_head(line)).collect()
}

fn check(events: &[Event<'_>], expected: &[&str]) {
    assert_eq!(cases(&report(JunitOptions::default(), events)), expected);
}

fn with_file<'a>(event: Event<'a>, name: &'a str, bytes: &'a str) -> Event<'a> {
    Event {
        file: Some(File { name, bytes: bytes.as_bytes() }),
        mime_type: Some("text/plain;charset=utf8"),
        ..event
    }
}

fn at(seconds: u32, event: Event<'_>) -> Event<'_> {
    Event { timestamp: Some(Timestamp::from_seconds(seconds)), ..event }
}

#[test]
fn a_passing_case_is_one_element() {
    let test = |status| Event::status("pkg.Test.a", status);
    check(&[test(Status::Success)], &[r#"<testcase classname="pkg.Test" name="a"/>"#]);
    let timed = [at(10, test(Status::InProgress)), at(12, test(Status::Success))];
    check(&timed, &[r#"<testcase classname="pkg.Test" name="a" time="2.000"/>"#]);
    let output = with_file(Event { status: None, ..test(Status::Success) }, "stdout", "chatter\n");
    check(&[output, test(Status::Success)], &[r#"<testcase classname="pkg.Test" name="a"/>"#]);
    check(&[test(Status::Exists)], &[]);
}

#[test]
fn a_failure_has_its_traceback_and_its_output() {
    let test = Event { status: None, ..Event::status("a.b", Status::Fail) };
    let events = [
        with_file(test, "stdout", "out\n"),
        with_file(test, "stderr", "err"),
        with_file(test, "log.txt", "line"),
        with_file(Event::status("a.b", Status::Fail), "traceback", "Traceback:\n  here\nError: 1 < 2\n\n"),
    ];
    check(
        &events,
        &[
            r#"<testcase classname="a" name="b">"#,
            r#"<failure message="Error: 1 &lt; 2" type="Error">Traceback:"#,
            "  here",
            "Error: 1 &lt; 2",
            "",
            "</failure>",
            "<system-out>out",
            "log.txt:",
            "line",
            "</system-out>",
            "<system-err>err",
            "</system-err>",
            "</testcase>",
        ],
    );
}

fn check_outcome(event: Event<'_>, expected: &str) {
    let report = report(JunitOptions::default(), &[event]);
    assert_eq!(cases(&report).get(1), Some(&expected));
}

#[test]
fn every_outcome_has_its_element() {
    let test = |status| Event::status("a", status);
    check_outcome(test(Status::Fail), r#"<failure message="failed" type="Failure"></failure>"#);
    check_outcome(
        test(Status::UxSuccess),
        r#"<failure message="passed, but was expected to fail" type="UnexpectedSuccess"></failure>"#,
    );
    check_outcome(
        test(Status::InProgress),
        r#"<error message="began and did not finish" type="Incomplete"></error>"#,
    );
    let reason = |status| with_file(test(status), "reason", "no\nnetwork");
    check_outcome(reason(Status::Skip), r#"<skipped message="no&#10;network">no"#);
    check_outcome(reason(Status::XFail), r#"<skipped message="no&#10;network" type="xfail">no"#);
}

#[test]
fn damage_and_a_failure_of_the_run_are_cases() {
    let good = PacketBuf::encode(&Event::status("a", Status::Success)).unwrap();
    let mut stream = good.as_bytes().to_vec();
    stream.extend(&good.as_bytes()[..5]);
    let fail =
        Event { file: Some(File { name: "log", bytes: b"disk full" }), ..Event::status("", Status::Fail) };
    stream.extend(PacketBuf::encode(&Event { test_id: None, runnable: false, ..fail }).unwrap().as_bytes());
    for merge_retries in [false, true] {
        let report = report_of_stream(JunitOptions { merge_retries, ..JunitOptions::default() }, &stream);
        assert!(report.contains(r#" tests="3" failures="1" errors="1" skipped="0""#), "{report}");
        assert!(
            report.contains(
                "<testcase classname=\"subunit\" name=\"parser\">\n<error message=\"damaged packet"
            )
        );
        assert!(report.contains("name=\"the run as a whole\">\n<failure"), "{report}");
        assert!(report.contains(">disk full</failure>"));
    }
}

#[test]
fn late_output_is_in_the_suite() {
    let late = with_file(Event { status: None, ..Event::status("a", Status::Success) }, "log", "later\n");
    let report = report(JunitOptions::default(), &[Event::status("a", Status::Success), late, late]);
    let expected = "<system-out>late log of a:\nlater\nlate log of a:\nlater\n</system-out>\n</testsuite>";
    assert!(report.contains(expected), "{report}");
}

#[test]
fn no_two_cases_have_the_same_names() {
    let test = |route_code| Event { route_code, ..Event::status("a.b", Status::Fail) };
    let report =
        report(JunitOptions::default(), &[test(None), test(Some("w1")), test(None), test(Some("w1"))]);
    let names: Vec<&str> = report.lines().filter(|line| line.starts_with("<testcase")).collect();
    let expected = ["b", "b #2", "b [w1]", "b [w1] #2"]
        .map(|name| format!("<testcase classname=\"a\" name=\"{name}\">"));
    assert_eq!(names, expected);
}

#[test]
fn suites_are_routes_with_counts_and_times() {
    let test =
        |seconds, id, route_code, status| at(seconds, Event { route_code, ..Event::status(id, status) });
    let events = [
        test(1_700_000_000, "a", Some("w1"), Status::InProgress),
        test(1_700_000_005, "a", Some("w1"), Status::Fail),
        test(1_700_000_003, "b", None, Status::Skip),
    ];
    let options = || JunitOptions {
        hostname: Some("here".to_owned()),
        properties: vec![("k".to_owned(), "<v>".to_owned())],
        ..JunitOptions::default()
    };
    let found = report(options(), &events);
    let heads: Vec<&str> = found
        .lines()
        .filter(|line| line.starts_with("<testsuite") || line.starts_with("<properties"))
        .collect();
    assert_eq!(
        heads,
        [
            r#"<testsuites name="subunit" tests="2" failures="1" errors="0" skipped="1" time="5.000" timestamp="2023-11-14T22:13:20">"#,
            r#"<testsuite name="w1" tests="1" failures="1" errors="0" skipped="0" time="5.000" timestamp="2023-11-14T22:13:20">"#,
            r#"<properties><property name="route" value="w1"/><property name="k" value="&lt;v&gt;"/></properties>"#,
            r#"<testsuite name="subunit" tests="1" failures="0" errors="0" skipped="1" time="0.000" timestamp="2023-11-14T22:13:23" hostname="here">"#,
            r#"<properties><property name="k" value="&lt;v&gt;"/></properties>"#,
        ]
    );
    let single = report(JunitOptions { single_suite: true, ..options() }, &events);
    assert_eq!(single.matches("<testsuite ").count(), 1);
    assert!(single.contains(r#"<property name="route" value="w1"/>"#));
}

#[test]
fn the_xunit_dialect_leaves_out_what_the_schema_does_not_know() {
    let event = Event { tags: Tags::from(&["slow"]), ..Event::status("t/a.py::b", Status::Success) };
    let options = |dialect| JunitOptions { dialect, ..JunitOptions::default() };
    let common = report(options(Dialect::Common), &[event]);
    assert!(common.contains(r#"file="t/a.py""#) && common.contains(r#"<property name="tag" value="slow"/>"#));
    let xunit = report(options(Dialect::Xunit), &[event]);
    assert!(
        xunit.contains("<testsuites name=\"subunit\" tests=\"1\" failures=\"0\" errors=\"0\">"),
        "{xunit}"
    );
    assert!(xunit.contains(r#"<testcase classname="t/a.py" name="b"/>"#));
}

fn check_retries(statuses: &[Status], counts: &str, expected: &[&str]) {
    let texts: Vec<String> = (1..=statuses.len()).map(|run| format!("run {run}")).collect();
    let events: Vec<Event<'_>> = statuses
        .iter()
        .zip(&texts)
        .map(|(status, text)| with_file(Event::status("a.b", *status), "traceback", text))
        .collect();
    let found = report(JunitOptions { merge_retries: true, ..JunitOptions::default() }, &events);
    assert!(found.contains(counts), "{found}");
    assert_eq!(cases(&found), expected);
}

#[test]
fn runs_of_one_test_become_one_case() {
    let case = r#"<testcase classname="a" name="b">"#;
    check_retries(
        &[Status::Success],
        r#"tests="1" failures="0""#,
        &[r#"<testcase classname="a" name="b"/>"#],
    );
    check_retries(
        &[Status::Fail, Status::Success],
        r#"tests="1" failures="0""#,
        &[
            case,
            r#"<flakyFailure message="run 1" type="Failure"><stackTrace>run 1</stackTrace></flakyFailure>"#,
            "</testcase>",
        ],
    );
    check_retries(
        &[Status::Success, Status::Fail, Status::Fail],
        r#"tests="1" failures="1""#,
        &[
            case,
            r#"<failure message="run 2" type="Failure">run 2</failure>"#,
            r#"<rerunFailure message="run 3" type="Failure"><stackTrace>run 3</stackTrace></rerunFailure>"#,
            "</testcase>",
        ],
    );
}

#[test]
fn tests_of_other_routes_are_no_retries() {
    let test = |route_code, status| Event { route_code, ..Event::status("a", status) };
    let events = [test(Some("linux"), Status::Fail), test(Some("mac"), Status::Success)];
    for single_suite in [false, true] {
        let found =
            report(JunitOptions { merge_retries: true, single_suite, ..JunitOptions::default() }, &events);
        assert!(found.contains(r#"name="subunit" tests="2" failures="1""#), "{found}");
        assert!(!found.contains("flaky"));
    }
}

#[test]
fn attachments_are_files_that_the_report_names() {
    let folder = std::env::temp_dir().join(format!("attachments-{}", std::process::id()));
    let options = JunitOptions { attachments: Some(folder.clone()), ..JunitOptions::default() };
    let event = Event {
        file: Some(File { name: "../a.png", bytes: b"\x89PNG\0" }),
        mime_type: Some("image/png"),
        ..Event::status("x/../y", Status::Fail)
    };
    let found = report(options, &[event]);
    let path = folder.join("x_.._y--_._a.png");
    let expected =
        format!("a.png:\n[5 bytes of image/png, in the attached file]\n[[ATTACHMENT|{}]]\n", path.display());
    assert!(found.contains(&expected), "{found}");
    assert_eq!(std::fs::read(&path).unwrap(), b"\x89PNG\0");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_long_text_says_how_much_is_missing() {
    let text = "& ".repeat(5 << 20);
    let found = report(
        JunitOptions::default(),
        &[with_file(Event::status("a", Status::Fail), "traceback", &text[..4_000_000])],
    );
    let (_, text) = found.split_once(r#" type="Failure">"#).unwrap();
    let (start, rest) = text.split_once(" bytes more, left out]").unwrap();
    let (shown, missing) = start.rsplit_once('[').unwrap();
    assert_eq!(shown.matches("&amp; ").count() * 2 + missing.parse::<usize>().unwrap(), 4_000_000);
    assert!(found.len() < 8 << 20 && rest.contains("</failure>"));
}

#[test]
fn quick_junit_reads_what_was_told() {
    let events = [
        Event::status("a.ok", Status::Success),
        Event::status("a.bad", Status::Fail),
        Event::status("a.skipped", Status::Skip),
        Event::status("a.hung", Status::InProgress),
    ];
    let found = Report::deserialize_from_str(&report(JunitOptions::default(), &events)).unwrap();
    let kinds = |status: &TestCaseStatus| match status {
        TestCaseStatus::Success { .. } => "success",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        TestCaseStatus::Skipped { .. } => "skipped",
    };
    let cases = found.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let found: Vec<(&str, &str)> = cases.map(|case| (case.name.as_str(), kinds(&case.status))).collect();
    assert_eq!(found, [("ok", "success"), ("bad", "failure"), ("skipped", "skipped"), ("hung", "error")]);
}
