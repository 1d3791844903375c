use streamresult::StreamResult;
use subunit::{Event, File, Status, Tags, Timestamp};

use super::*;

fn at(seconds: u32) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(seconds))
}

fn with_file<'a>(name: &'a str, bytes: &'a [u8], event: Event<'a>) -> Event<'a> {
    Event { file: Some(File { name, bytes }), ..event }
}

/// An event of a test that goes on.
fn interim(test_id: &str) -> Event<'_> {
    Event { status: None, ..Event::status(test_id, Status::Fail) }
}

const LINES: TextOptions = TextOptions {
    lines: true,
    color: false,
    slowest: None,
    group: None,
    all_output: false,
    summary_only: false,
};
const QUIET: TextOptions = TextOptions { lines: false, ..LINES };

fn report(options: TextOptions, events: &[Event<'_>]) -> TextReport<Vec<u8>> {
    let mut report = TextReport::new(Vec::new(), options);
    report.start_run().unwrap();
    events.iter().for_each(|event| report.status(event).unwrap());
    report.stop_run().unwrap();
    report
}

fn check(options: TextOptions, events: &[Event<'_>], expected: &str) {
    let found = report(options, events).finish(Conclusion::default()).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), expected);
}

#[test]
fn each_test_is_a_line_as_it_ends() {
    let timed = Event { timestamp: at(1), ..Event::status("a", Status::InProgress) };
    check(
        LINES,
        &[
            timed,
            with_file("reason", b"\nno net\nat all", Event::status("b", Status::Skip)),
            Event { timestamp: at(3), ..Event::status("a", Status::Success) },
            Event { route_code: Some("w/1"), ..Event::status("c", Status::XFail) },
            Event::status("d", Status::Exists),
        ],
        concat!(
            "skip                 b: no net\n",
            "ok           2.000s  a\n",
            "xfail                c [w/1]\n\n",
            "---- skipped ----\n        1  no net\n\n",
            "PASSED  3 tests: 1 passed, 1 failed as expected, 1 skipped, 1 announced but not run in 2.000s\n",
        ),
    );
}

#[test]
fn failures_stand_whole_in_order_of_appearance() {
    check(
        QUIET,
        &[
            Event { timestamp: at(5), ..with_file("traceback", b"Traceback:\n\n  boom", interim("a")) },
            with_file("core", b"\0\x01", interim("a")),
            with_file("empty", b"", interim("a")),
            Event {
                timestamp: at(7),
                tags: Tags::from(&["slow", "x"]),
                ..with_file("traceback", b"!\n", Event::status("a", Status::Fail))
            },
            Event { route_code: Some("0"), ..Event::status("u", Status::UxSuccess) },
            with_file("out", b"not shown", Event::status("ok", Status::Success)),
        ],
        concat!(
            "---- failures ----\n",
            "FAIL  a\n  2.000s; tags: slow, x\n",
            "  traceback:\n    Traceback:\n\n      boom!\n",
            "  core: 2 bytes, application/octet-stream\n  empty: empty\n\n",
            "UXSUCCESS  u [0]\n\n",
            "---- failing tests ----\n  a\n  u\n\n",
            "FAILED  3 tests: 1 passed, 1 failed, 1 passed unexpectedly in 2.000s\n",
        ),
    );
}

#[test]
fn an_unfinished_test_tells_how_long_it_ran_and_what_was_heard_last() {
    check(
        QUIET,
        &[
            Event { timestamp: at(10), ..Event::status("hung", Status::InProgress) },
            Event { timestamp: at(15), ..with_file("log", b"waiting\n", interim("hung")) },
            Event::status("lost", Status::InProgress),
            Event { timestamp: at(100), ..Event::status("a", Status::Success) },
        ],
        concat!(
            "---- failures ----\n",
            "UNFINISHED  hung\n",
            "  never finished: ran for 1m30s up to the end of the stream; last sign of life: file, 1m25s before the end\n",
            "  log:\n    waiting\n\n",
            "UNFINISHED  lost\n  never finished; last sign of life: inprogress\n\n",
            "---- failing tests ----\n  hung\n  lost\n\n",
            "FAILED  3 tests: 1 passed, 2 unfinished in 1m30s\n",
        ),
    );
}

#[test]
fn nothing_of_the_stream_begins_a_line_or_commands_a_terminal() {
    let mime_type = Some("text/plain; charset=iso-8859-1");
    check(
        LINES,
        &[
            Event {
                mime_type,
                ..with_file("::a", b"::error::gr\xfcn\n##vso[x]\n\x1b[2J", interim("::x\n::y"))
            },
            Event { route_code: None, ..Event::status("::x\n::y", Status::Fail) },
            Event { route_code: Some("##[r]\n"), ..Event::status("##teamcity[x]", Status::Skip) },
        ],
        concat!(
            "FAIL                 \\x3a:x\\n::y\n",
            "skip                 \\x23#teamcity[x] [\\x23#[r]\\n]\n\n",
            "---- failures ----\nFAIL  \\x3a:x\\n::y\n",
            "  \\x3a:a:\n    \\x3a:error::grün\n    \\x23#vso[x]\n    \\x1b[2J\n\n",
            "---- skipped ----\n        1  (no reason given)\n\n",
            "---- failing tests ----\n  \\x3a:x\\n::y\n\n",
            "FAILED  2 tests: 1 failed, 1 skipped\n",
        ),
    );
}

#[test]
fn what_belongs_to_no_running_test_is_shown() {
    check(
        LINES,
        &[
            Event::status("a", Status::Success),
            with_file("log", b"too late", interim("a")),
            Event { status: Some(Status::Fail), ..Event::file("log", b"disk full") },
        ],
        concat!(
            "ok                   a\n",
            "FAIL                 (the run as a whole)\n\n",
            "---- failures ----\n",
            "LATE  a\n  log:\n    too late\n\n",
            "FAIL  (the run as a whole)\n  log:\n    disk full\n\n",
            "FAILED  1 test: 1 passed, 1 failure of the run as a whole\n",
        ),
    );
}

#[test]
fn failures_are_put_together_by_route_or_status() {
    let on = |route, id, status| Event { route_code: route, ..Event::status(id, status) };
    let events = [
        on(Some("1"), "a", Status::Fail),
        on(None, "b", Status::UxSuccess),
        on(Some("1"), "c", Status::UxSuccess),
        on(Some("2"), "d", Status::Skip),
    ];
    let rest = concat!(
        "---- failing tests ----\n  a\n  b\n  c\n\n",
        "FAILED  4 tests: 1 failed, 2 passed unexpectedly, 1 skipped\n"
    );
    let skipped = "---- skipped ----\n        1  (no reason given)\n\n";
    let by_route = concat!(
        "---- failures: 1 (2) ----\nFAIL  a [1]\n\nUXSUCCESS  c [1]\n\n",
        "---- failures: (no route) (1) ----\nUXSUCCESS  b\n\n"
    );
    let routes = concat!(
        "---- routes ----\n   passed   failed  skipped  route\n",
        "        0        2        0  1\n        0        1        0  (no route)\n        0        0        1  2\n\n"
    );
    let options = TextOptions { group: Some(GroupBy::Route), ..QUIET };
    check(options, &events, &format!("{by_route}{skipped}{routes}{rest}"));
    let by_status = concat!(
        "---- failures: fail (1) ----\nFAIL  a [1]\n\n",
        "---- failures: uxsuccess (2) ----\nUXSUCCESS  b\n\nUXSUCCESS  c [1]\n\n"
    );
    let options = TextOptions { group: Some(GroupBy::Status), ..QUIET };
    check(options, &events, &format!("{by_status}{skipped}{rest}"));
}

#[test]
fn all_output_is_of_passing_tests_too() {
    let events = [with_file("out", b"hello", Event::status("a", Status::Success))];
    let end = "PASSED  1 test: 1 passed\n";
    let options = TextOptions { all_output: true, ..LINES };
    check(options, &events, &format!("ok                   a\n  out:\n    hello\n\n{end}"));
    let options = TextOptions { all_output: true, ..QUIET };
    check(options, &events, &format!("---- output ----\nok  a\n  out:\n    hello\n\n{end}"));
}

#[test]
fn a_summary_has_no_failures_but_their_ids() {
    let events = [
        Event { timestamp: at(1), ..Event::status("a", Status::InProgress) },
        Event { timestamp: at(2), ..with_file("log", b"boom", Event::status("a", Status::Fail)) },
    ];
    let options = TextOptions { summary_only: true, slowest: Some(3), ..LINES };
    check(
        options,
        &events,
        "---- slowest ----\n   1.000s  a\n\n---- failing tests ----\n  a\n\nFAILED  1 test: 1 failed in 1.000s\n",
    );
}

#[test]
fn the_slowest_come_first_and_of_equals_the_first() {
    let ids: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    let mut events = Vec::new();
    for (id, seconds) in ids.iter().zip([3, 1, 3, 0, 2, 1, 1, 9]) {
        events.push(Event { timestamp: at(0), ..Event::status(id, Status::InProgress) });
        events.push(Event { timestamp: at(seconds), ..Event::status(id, Status::Success) });
    }
    let list = |slowest| {
        let text = report(TextOptions { slowest, ..QUIET }, &events).finish(Conclusion::default()).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines()
            .filter_map(|line| line.split_once("s  t"))
            .map(|(_, id)| id.to_owned())
            .collect::<String>()
    };
    assert_eq!(list(None), "70241");
    assert_eq!(list(Some(3)), "702");
    assert_eq!(list(Some(0)), "");
}

#[test]
fn a_long_attachment_is_shown_without_its_middle() {
    let line = "0123456789abcde\n";
    let long = line.repeat(3 << 16);
    let events = [with_file("log", long.as_bytes(), Event::status("a", Status::Fail))];
    let shown = |all_output| {
        let text =
            report(TextOptions { all_output, ..QUIET }, &events).finish(Conclusion::default()).unwrap();
        String::from_utf8(text).unwrap()
    };
    let text = shown(false);
    assert_eq!(text.matches("    0123456789abcde\n").count(), (2 << 15) - 1);
    let left_out = long.len() - ((2 << 15) - 1) * line.len();
    assert!(
        text.contains(&format!("    [... {left_out} bytes left out here; --all-output shows them ...]\n"))
    );
    assert_eq!(shown(true).matches("    0123456789abcde\n").count(), 3 << 16);
}

#[test]
fn the_last_line_tells_how_it_went() {
    let ended = |events: &[Event<'_>], incomplete, interrupted| {
        let text = report(QUIET, events).finish(Conclusion { rerun: None, incomplete, interrupted }).unwrap();
        String::from_utf8(text).unwrap().lines().last().unwrap_or_default().to_owned()
    };
    let verdict = |events: &[Event<'_>], incomplete| ended(events, incomplete, false);
    let (pass, fail) = (Event::status("a", Status::Success), Event::status("a", Status::Fail));
    assert_eq!(verdict(&[pass], false), "PASSED  1 test: 1 passed");
    assert_eq!(verdict(&[pass], true), "INCOMPLETE  1 test: 1 passed");
    assert_eq!(verdict(&[fail], true), "FAILED  1 test: 1 failed");
    assert_eq!(verdict(&[], false), "NOTHING RAN  0 tests");
    assert_eq!(ended(&[pass], false, true), "INTERRUPTED  1 test: 1 passed");
    assert_eq!(ended(&[fail], true, true), "FAILED, INTERRUPTED  1 test: 1 failed");
}

#[test]
fn colour_is_in_words_and_ends_with_them() {
    let options = TextOptions { color: true, ..LINES };
    let expected = "\x1b[32mok\x1b[0m                   a\n\n\x1b[32mPASSED\x1b[0m  1 test: 1 passed\n";
    check(options, &[Event::status("a", Status::Success)], expected);
}

#[test]
fn the_ids_of_failures_can_be_had_raw() {
    let events = [Event::status("a\nb", Status::Fail), Event::status("c", Status::InProgress)];
    let mut ids = Vec::new();
    let mut keep = |id: &str| {
        ids.push(id.to_owned());
        Ok(())
    };
    report(QUIET, &events).failing_ids(&mut keep).unwrap();
    assert_eq!(ids, ["a\nb", "c"]);
}
