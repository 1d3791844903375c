use std::sync::atomic::{AtomicU32, Ordering};

use formats::lines::Lines;
use formats::tap::TapParser;
use subunit::{Event, Timestamp};

use super::{check, log};

const MISSING: &str = "tap meta: test missing from TAP output";

/// The lines of an event that says what is wrong.
fn meta(id: &str, why: &str) -> [String; 2] {
    [format!("{id} tap meta: {why}\\n"), format!("{id} fail")]
}

fn check_document(document: &str, tests: &[&str], why: &str) {
    let wrong = meta("tap document", why);
    let expected: Vec<&str> = tests.iter().copied().chain(wrong.iter().map(String::as_str)).collect();
    check(document, &expected);
}

#[test]
fn a_test_point_is_a_test() {
    check(
        "TAP version 14\n1..6\nok 1 - a\nnot ok 2 - b c\nok\nok 4 # SKIP no net\nnot ok 5 - d # TODO later\nok e #todo",
        &[
            "a success",
            "b c fail",
            "test 3 success",
            "test 4 reason: no net",
            "test 4 skip",
            "d reason: later",
            "d xfail",
            "e success [\"todo\"]",
        ],
    );
}

#[test]
fn what_was_to_do_and_is_done_is_a_success_unless_that_is_not_wanted() {
    let document = b"ok 1 - a # TODO later\nok 2 - b # bonus\nnot ok 3 - c # todo\n1..3\n";
    let log = |parser: TapParser| {
        let (mut lines, mut log) = (Lines::new(parser), crate::EventLog::default());
        lines.feed(document, &mut log).unwrap();
        lines.finish(&mut log).unwrap();
        log.lines
    };
    let reason = "a reason: later";
    assert_eq!(log(TapParser::new()), [reason, "a success [\"todo\"]", "b success [\"todo\"]", "c xfail"]);
    assert_eq!(log(TapParser::new().strict_todo()), [reason, "a uxsuccess", "b uxsuccess", "c xfail"]);
}

#[test]
fn a_plan_may_say_what_is_to_do() {
    check(
        "1..3 todo 2 3;\nok 1\nnot ok 2\nok 3\n",
        &["test 1 success", "test 2 xfail", "test 3 success [\"todo\"]"],
    );
}

#[test]
fn colours_are_no_part_of_a_line() {
    check("\u{1b}[32mok\u{1b}[0m 1 - a\n\u{1b}[31mnot ok 2 - b\u{1b}[K\n1..2\n", &["a success", "b fail"]);
}

#[test]
fn utf_16_is_read() {
    let bytes: Vec<u8> = "1..1\r\nnot ok 1 - grün\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for piece in [1, 3, 100] {
        assert_eq!(log(&[b"\xff\xfe", &*bytes].concat(), piece), ["grün fail"]);
    }
}

#[test]
fn subtests_may_stand_in_braces_behind_their_test() {
    check(
        "TAP version 14\nok 1 - a # time=5ms {\n    ok 1 - b\n    not ok 2 - c # TODO d {\n        not ok 1 - e\n        1..1\n    }\n    1..2\n}\nnot ok 2 - f\n  ---\n  x: 1\n  ...\n{\n    not ok 1\n}\n# why\nok 3 - g {\nok 4 - h {\n}\n1..4\n",
        &[
            "a/b success",
            "a/c/e xfail",
            "a/c reason: d",
            "a/c xfail",
            "a inprogress -5ms",
            "a success",
            "f/test 1 fail",
            "f tap comment: # why\\n",
            "f diagnostics.yaml: x: 1\\n",
            "f fail",
            "g { success",
            "h success",
        ],
    );
    check("1..2\nok 1 - a {\n  loose\nok 2 - b {", &["a { success", "- stdout:   loose\\n", "b { success"]);
}

#[test]
fn what_is_part_of_something_that_is_to_do_may_fail() {
    // As Test2 writes it, in a stream and in braces.
    check(
        "# Subtest: a\n    not ok 1 - b # \n    1..1\nok 1 - Subtest: a # TODO c\nok 2 - d # TODO {\n    not ok 1 - e\n    1..1\n}\nnot ok 3 - f # \nok 4 - g { # TODO\n    not ok 1 - h\n    1..1\n}\nok 5 - i { # time=1s\n1..5\n",
        &[
            "a/b xfail",
            "a inprogress",
            "a reason: c",
            "a success [\"todo\"]",
            "d/e xfail",
            "d success [\"todo\"]",
            "f fail",
            "g/h xfail",
            "g success [\"todo\"]",
            "i { inprogress -1s",
            "i { success",
        ],
    );
}

#[test]
fn braces_have_to_close() {
    let wrong = |id| meta(&format!("{id}/tap document"), "the brace that closes these subtests never came");
    let [end, other] = [wrong("a"), wrong("a")];
    check("1..1\nok 1 - a {\n    ok 1 - b\n", &["a/b success", "a success", &end[0], &end[1]]);
    check(
        "1..2\nok 1 - a {\n    1..2\n    ok 1 - b\nok 2 - c\n",
        &[
            "a/b success",
            &format!("a/test 2 {MISSING}"),
            "a/test 2 fail",
            "a success",
            &other[0],
            &other[1],
            "c success",
        ],
    );
}

#[test]
fn what_was_recorded_has_no_times_but_where_a_test_says_how_long_it_took() {
    let mut lines = Lines::new(TapParser::new().clock(|| crate::NOON));
    let mut times = Vec::new();
    let mut sink = streamresult::from_fn(|event: &Event<'_>| {
        times.push(event.timestamp.map(|time| time.seconds()));
        Ok(())
    });
    lines.parser_mut().recorded(Some(Timestamp::from_seconds(100)));
    lines
        .feed(
            b"TAP version 13\nok 1 - a\nok 2 - b # time=7s\nok 3\n  ---\n  duration_ms: 1000\n  ...\n1..3\n",
            &mut sink,
        )
        .unwrap();
    lines.finish(&mut sink).unwrap();
    lines.parser_mut().live();
    lines.feed(b"1..1\nok 1\n", &mut sink).unwrap();
    lines.finish(&mut sink).unwrap();
    assert_eq!(times, [None, Some(93), Some(100), Some(99), Some(100), Some(43_200)]);
}

#[test]
fn prove_begins_and_ends_documents() {
    check(
        "t/a.t .. \n1..2\nok 1 - a\nok 2 - b\nok\nt/b.t ....... \nok 1 - a\n1..1\nok\nResult: PASS\n",
        &["t/a.t/a success", "t/a.t/b success", "t/b.t/a success", "- stdout: Result: PASS\\n"],
    );
    // The last `ok` is prove's, wherever the plan stands.
    check(
        "t/a.t .. \nok\nok\n1..2\nok\nt/b.t .. \n1..1\nok\nok\nAll tests successful.\nResult: PASS\n",
        &[
            "t/a.t/test 1 success",
            "t/a.t/test 2 success",
            "t/b.t/test 1 success",
            "- stdout: All tests successful.\\nResult: PASS\\n",
        ],
    );
}

#[test]
fn prove_knows_of_failures_that_no_test_has() {
    let reason = "Dubious, test returned 3 (wstat 768, 0x300)\\nAll 1 subtests passed\\n";
    check(
        "t/a.t .. \n1..1\nok 1 - a\nDubious, test returned 3 (wstat 768, 0x300)\nAll 1 subtests passed \nResult: FAIL\n",
        &[
            "t/a.t/a success",
            "- stdout: Dubious, test returned 3 (wstat 768, 0x300)\\nAll 1 subtests passed \\n",
            &format!("t/a.t reason: {reason}"),
            "t/a.t fail",
            "- stdout: Result: FAIL\\n",
        ],
    );
    check(
        "t/a.t .. ok\nResult: FAIL\n",
        &[
            "t/a.t success",
            "prove reason: prove says that something failed: Result: FAIL\\n",
            "prove fail",
            "- stdout: Result: FAIL\\n",
        ],
    );
    check(
        "t/a.t .. ok\n",
        &[
            "t/a.t success",
            "prove reason: prove has not told its result: it may have been cut off\\n",
            "prove fail",
        ],
    );
    let nothing = "Files=0, Tests=0\nResult: NOTESTS\n";
    for document in [nothing.to_owned(), format!("{nothing}1..0\n")] {
        check(&document, &["- stdout: Files=0, Tests=0\\nResult: NOTESTS\\n"]);
    }
}

#[test]
fn what_only_looks_like_prove_is_text() {
    check(
        "Starting the server ... ok\nready .. \n1..1\nok 1 - a\n",
        &["- stdout: Starting the server ... ok\\nready .. \\n", "a success"],
    );
    check(
        "1..1\nwaiting .. \nok 1 - a\nResult: FAIL\n",
        &["- stdout: waiting .. \\n", "a success", "- stdout: Result: FAIL\\n"],
    );
    check(
        "t/a.t .. \n1..2\nok 1 - a\nloading .. \nok 2 - b\nok\nResult: PASS\n",
        &["t/a.t/a success", "- stdout: loading .. \\n", "t/a.t/b success", "- stdout: Result: PASS\\n"],
    );
}

#[test]
fn lines_may_end_in_cr_lf_and_the_last_one_not_at_all() {
    check("1..2\r\nok 1 - a\r\nok 2 - b", &["a success", "b success"]);
    check("ok 1 - a # skip b\r\n1..1\r\n", &["a reason: b", "a skip"]);
}

#[test]
fn a_second_test_of_a_name_gets_a_number() {
    check(
        "ok - a\nok - a\nok\nok - test 3\n1..4\n",
        &["a success", "a #2 success", "test 3 success", "test 3 #2 success"],
    );
}

#[test]
fn the_plan_may_be_anywhere() {
    for document in ["1..2\nok\nok\n", "ok\nok\n1..2\n", "ok\n1..2\nok\n", "1..2 # why not\nok\nok\n"] {
        check(document, &["test 1 success", "test 2 success"]);
    }
}

#[test]
fn a_plan_for_nothing_is_a_skip_when_it_says_why() {
    check("1..0\n", &[]);
    check("1..0 # SKIP no net\n", &["file skip reason: no net", "file skip skip"]);
    check("1..0 # no net\n", &["file skip reason: no net", "file skip skip"]);
    check("1..0 # skipped\n", &["file skip skip"]);
    check_document("1..0 # SKIP\nok\n", &["test 1 success"], "1..0 was planned, but 1 test points came");
}

#[test]
fn what_was_planned_and_did_not_come_fails() {
    let missing = |id: &str| [format!("{id} {MISSING}"), format!("{id} fail")];
    let [two, four] = ["test 2", "test 4"].map(missing);
    check("1..4\nok 1\nok 3\n", &["test 1 success", "test 3 success", &two[0], &two[1], &four[0], &four[1]]);
    check("1..2\nok 1 - a\nok 1 - b\n", &["a success", "b success", &two[0], &two[1]]);
    check("ok 3\nok 1\nok 2\n1..3\n", &["test 3 success", "test 1 success", "test 2 success"]);
}

#[test]
fn a_plan_that_does_not_agree_fails() {
    check_document(
        "1..1\nok\nok\n",
        &["test 1 success", "test 2 success"],
        "1..1 was planned, but 2 test points came",
    );
    check_document("ok 1\n1..1\n1..1\n", &["test 1 success"], "there is more than one plan");
    check_document("", &[], "there is neither a plan nor a test point");
    check_document("TAP version 13\n", &[], "there is neither a plan nor a test point");
    check_document("ok\n", &["test 1 success"], "there is no plan: it may have been cut off");
    let lines = log(b"1..1000000000000\n", 100);
    assert_eq!(lines.len(), 2 * 1001);
    assert_eq!(lines[2000], "tap document tap meta: 999999999000 more test points are missing\\n");
}

#[test]
fn bailing_out_is_a_failure_and_enough_of_it() {
    check(
        "1..3\nok\nBail out!  no disk\n",
        &["test 1 success", "Bail out! reason: no disk", "Bail out! fail"],
    );
    check(
        "    ok\n    bail OUT!\nBail out!\n",
        &["test 1/test 1 success", "Bail out! fail", "- stdout: Bail out!\\n"],
    );
}

#[test]
fn comments_after_a_failure_are_its_own_and_others_are_text() {
    check(
        "# before\nnot ok 1 - a\n# one\n\n#   two\nhello\n# three\nok 2 - b\n# four\n1..2\n",
        &[
            "- stdout: # before\\n\\n",
            "a tap comment: # one\\n#   two\\n",
            "a fail",
            "- stdout: hello\\n# three\\n",
            "b success",
            "- stdout: # four\\n",
        ],
    );
}

#[test]
fn a_block_is_a_file_and_its_duration_a_time() {
    check(
        "TAP version 13\nok 1 - a\n  ---\n  duration_ms: 250\n  ...\nnot ok 2 - b\n# why\n  ---\n  at: x\n\n  duration_ms: 1500.5\n    more\n  ...\n# and\n1..2\n",
        &[
            "a inprogress -250ms",
            "a success",
            "b inprogress -1.5005s",
            "b tap comment: # why\\n# and\\n",
            "b diagnostics.yaml: at: x\\n\\nduration_ms: 1500.5\\n  more\\n",
            "b fail",
        ],
    );
}

#[test]
fn times_in_the_line_give_the_start() {
    check(
        "ok 1 - a # time=12.5ms\nok 2 b in 8ms\n1..2\n",
        &["a inprogress -12.5ms", "a success", "b inprogress -8ms", "b success"],
    );
}

#[test]
fn a_block_that_is_cut_off_ends_with_what_follows() {
    check(
        "TAP version 13\n1..2\nok 1 - a\n  ---\n  x: 1\nok 2 - b\n",
        &["a diagnostics.yaml: x: 1\\n", "a success", "b success"],
    );
    check_document(
        "TAP version 13\n1..1\nok 1 - a\n  ---\n  x: 1\n",
        &["a diagnostics.yaml: x: 1\\n", "a success"],
        "it ends within a block of diagnostics",
    );
}

#[test]
fn a_block_without_a_test_is_text() {
    check(
        "1..1\n  ---\n  x: 1\n  ...\nok\n  ---\n",
        &["- stdout:   ---\\n  x: 1\\n  ...\\n", "test 1 success", "- stdout:   ---\\n"],
    );
}

#[test]
fn subtests_are_below_their_test() {
    check(
        "1..2\n# Subtest: a\n    1..2\n    ok 1 - b\n    # Subtest: c\n        ok 1 - d\n        1..1\n    ok 2 - c\nok 1 - a\nok 2 - e\n",
        &[
            "a/b success",
            "a/c/d success",
            "a/c inprogress",
            "a/c success",
            "a inprogress",
            "a success",
            "e success",
        ],
    );
}

#[test]
fn subtests_may_come_without_a_name() {
    check(
        "ok 1 - a\n        ok 1 - b\n        1..1\n    ok 1 - c\n    1..1\nok 2 - d\n1..2\n",
        &[
            "a success",
            "test 2/test 1/b success",
            "test 2/c inprogress",
            "test 2/c success",
            "d inprogress",
            "d success",
        ],
    );
    check(
        "# Subtest\n    1..1\n    ok\nok 1\n1..1\n",
        &["test 1/test 1 success", "test 1 inprogress", "test 1 success"],
    );
}

#[test]
fn old_producers_name_subtests_at_their_own_level() {
    check(
        "    # Subtest: a\n    ok 1 - b\n    1..1\nok 1 - a\n1..1\n",
        &["a/b success", "a inprogress", "a success"],
    );
}

#[test]
fn each_subtests_of_a_name_keep_theirs() {
    check(
        "# Subtest: a\n    ok 1 - b\n    1..1\nok 1 - a\n# Subtest: a\n    ok 1 - b\n    1..1\nok 2 # skip c\n1..2\n",
        &[
            "a/b success",
            "a inprogress",
            "a success",
            "a #2/b success",
            "a #2 inprogress",
            "a #2 reason: c",
            "a #2 skip",
        ],
    );
}

#[test]
fn a_test_that_was_announced_and_has_no_subtests_is_one() {
    check("# Subtest: a\nok 1 - a\n# Subtest: b\nok 2 - b\n1..2\n", &["a success", "b success"]);
}

#[test]
fn subtests_whose_test_never_came_fail() {
    let lost = |id| meta(id, "the test that these subtests belong to never came");
    let [a, two] = [lost("a"), lost("test 1")];
    check("1..0\n# Subtest: a\n    ok 1 - b\n", &["a/b success", &a[0], &a[1]]);
    check("1..0\n    ok 1 - b\n", &["test 1/b success", &two[0], &two[1]]);
    check(
        "1..1\n# Subtest: a\n    ok 1 - b\nok 1 - c\n",
        &["a/b success", &a[0], &a[1], "c inprogress", "c success"],
    );
}

#[test]
fn the_plan_of_subtests_counts_where_they_have_one() {
    check("    ok\nok 1 - a\n1..1\n", &["test 1/test 1 success", "a inprogress", "a success"]);
    check(
        "# Subtest: a\n    1..2\n    ok\nok 1 - a\n1..1\n",
        &["a/test 1 success", &format!("a/test 2 {MISSING}"), "a/test 2 fail", "a inprogress", "a success"],
    );
}

#[test]
fn documents_may_follow_each_other() {
    check(
        "TAP version 13\n1..1\nok 1 - a\nTAP version 13\n1..2\nok 1 - a\n",
        &["a success", "a #2 success", &format!("test 2 {MISSING}"), "test 2 fail"],
    );
}

#[test]
fn what_is_not_tap_is_text_in_its_place() {
    check(
        "starting\n1..1\n  ok 1\nokay\npragma +strict\nok 1 - a\n\x1b[31m\u{ff}\n",
        &["- stdout: starting\\n  ok 1\\nokay\\n", "a success", "- stdout: \\x1b[31m\\xc3\\xbf\\n"],
    );
}

#[test]
fn of_long_lines_it_is_told_how_a_test_ended() {
    let long = "x".repeat((8 << 20) + 5);
    let lines = log(format!("ok 1\nnot ok 2 - {long}\n1..2\n").as_bytes(), 50_000);
    assert!(
        lines.len() == 3 && lines[1].starts_with("xxx") && lines[1].ends_with("… fail"),
        "{}",
        lines.len()
    );
    let lines = log(format!("1..0\n{long}\n").as_bytes(), 50_000);
    assert!(lines.len() == 1 && lines[0].starts_with("- stdout: xxx"));
    let block = format!("TAP version 13\n1..1\nok 1 - a\n  ---\n  {long}\n  ...\n");
    assert_eq!(log(block.as_bytes(), 50_000).len(), 2);
}

#[test]
fn ids_fit_into_packets_however_long_names_are() {
    let name = "ü".repeat(300_000);
    let mut document = "1..0\n".to_owned();
    for level in 0..20 {
        document += &format!("{}# Subtest: {name}\n", "    ".repeat(level));
    }
    document += &format!("{}ok 1 - {name}\n", "    ".repeat(20));
    let lines = log(document.as_bytes(), 5000);
    assert_eq!(lines.len(), 1 + 2 * 20);
    assert!(lines.iter().all(|line| line.len() < 400_000 && line.contains('…')));
}

#[test]
fn lines_have_the_time_when_they_came_not_when_they_were_read() {
    static SECONDS: AtomicU32 = AtomicU32::new(0);
    let clock = || Timestamp::from_seconds(SECONDS.fetch_add(1, Ordering::Relaxed));
    let mut times = Vec::new();
    let mut sink = streamresult::from_fn(|event: &Event<'_>| {
        times.push(event.timestamp.unwrap().seconds());
        Ok(())
    });
    let mut lines = Lines::new(TapParser::new().clock(clock));
    lines.feed(b"ok 1\nok 2\nok", &mut sink).unwrap();
    lines.feed(b" 3\n", &mut sink).unwrap();
    lines.finish(&mut sink).unwrap();
    // The last one is of the missing plan.
    assert_eq!(times, [0, 0, 1, 2]);
}
