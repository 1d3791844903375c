//! What the reader says of real and of broken output.

use std::io;

use proptest::prelude::*;
use streamresult::{Records, StreamResult, Summary, record_fn};
use subunit::{Event, Timestamp};

use super::*;
use crate::lines::Lines;

const NOW: Timestamp = Timestamp::from_seconds(100);

/// What a reader says, an event a line: id, status, tags, file with its content, time as far as it is not the
/// clock's. Pieces of a file that follow one another are one.
#[derive(Default)]
struct EventLog {
    lines: Vec<String>,
    /// The id and name of the file that the last line is of.
    file: Option<(String, String)>,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let id = event.test_id.unwrap_or("-").to_owned();
        let text = event.file.map(|file| file.bytes.escape_ascii().to_string());
        let key = event.file.map(|file| (id.clone(), file.name.to_owned()));
        let is_more = key.is_some() && key == self.file && event.status.is_none();
        if let (true, Some(last)) = (is_more, self.lines.last_mut()) {
            last.push_str(&text.unwrap_or_default());
            return Ok(());
        }
        let mut line = id;
        for part in [
            event.status.map(|status| status.as_str().to_owned()),
            (!event.tags.is_empty()).then(|| event.tags.iter().map(|tag| format!("+{tag}")).collect()),
            event.timestamp.filter(|time| *time != NOW).map(|time| format!("@{:?}", time.since_epoch())),
            (!event.runnable && event.status.is_some()).then(|| "not runnable".to_owned()),
            key.as_ref().map(|key| format!("{}={}", key.1, text.unwrap_or_default())),
        ] {
            line.extend(part.map(|part| format!(" {part}")));
        }
        self.file = key.filter(|_| event.status.is_none());
        self.lines.push(line);
        Ok(())
    }
}

fn log(format: LibtestFormat, input: &[u8], piece: usize) -> Vec<String> {
    let mut log = EventLog::default();
    let mut lines = Lines::new(LibtestParser::with_clock(format, || Some(NOW)));
    for bytes in input.chunks(piece) {
        lines.feed(bytes, &mut log).unwrap();
    }
    lines.finish(&mut log).unwrap();
    log.lines
}

fn check_as(format: LibtestFormat, input: &str, expected: &[&str]) {
    for piece in [1, 7, input.len().max(1)] {
        assert_eq!(log(format, input.as_bytes(), piece), expected, "in pieces of {piece}");
    }
}

fn check(input: &str, expected: &[&str]) {
    check_as(LibtestFormat::Auto, input, expected);
}

/// The outcome of each test of some output, and whether its run is a success.
fn outcomes(input: &str) -> (Vec<String>, bool) {
    let mut outcomes = Vec::new();
    let mut summary = Summary::new();
    let mut sink = (
        &mut summary,
        Records::new(record_fn(|record| {
            outcomes.push(format!("{} {}", record.test_id(), record.outcome().as_str()));
            Ok(())
        })),
    );
    drive(input.as_bytes(), &mut sink).unwrap();
    drop(sink);
    outcomes.sort();
    (outcomes, summary.is_success())
}

macro_rules! corpus {
    ($name:literal) => {
        include_str!(concat!("../../../tests/corpus/libtest/", $name))
    };
}

fn result(counts: [u64; 4]) -> String {
    let [passed, failed, ignored, measured] = counts;
    let word = if failed == 0 { "ok" } else { "FAILED" };
    format!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; {measured} measured; 0 filtered out; finished in 0.00s\n\n"
    )
}

#[test]
fn tests_have_the_name_of_their_binary_and_text_its_place() {
    let input = format!(
        "   Compiling foo\n     Running unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)\n\n\
         running 2 tests\ntest a::b ... ok\nnoise\n\nmore\ntest c ... ignored, no net\n{}\
         \x20    Running tests/it.rs (target/debug/deps/it-0123456789abcdef)\n\nrunning 1 test\ntest a::b ... ok\n{}",
        result([1, 0, 1, 0]),
        result([1, 0, 0, 0]),
    );
    let expected = [
        "- stdout=   Compiling foo\\n",
        "foo::a::b success",
        "- stdout=noise\\n\\nmore\\n",
        "foo::c skip reason=no net",
        "foo::it::a::b success",
    ];
    check(&input, &expected);
}

#[test]
fn a_failure_waits_for_its_output() {
    let input = format!(
        "running 3 tests\ntest b ... FAILED\ntest a ... FAILED\ntest c ... FAILED (time limit exceeded)\n\n\
         failures:\n\n---- b stdout ----\nnote\n---- a stdout ----\n\npanic\n\n\nfailures:\n    a\n    b\n    c\n{}",
        result([0, 3, 0, 0]),
    );
    let expected =
        ["b stdout=note", "b fail", "a stdout=\\npanic\\n", "a fail", "c fail reason=time limit exceeded"];
    check(&input, &expected);
}

#[test]
fn what_a_failed_test_wrote_may_look_like_anything() {
    let within = "---- b stdout ----\nrunning 1 test\ntest x ... FAILED\n\nfailures:\n\n---- x stdout ----\nno\n\n\
                  failures:\n    x\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
                  error: test failed, to rerun pass `--lib`\n{ \"type\": \"suite\", \"event\": \"started\" }\n";
    let input = format!(
        "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n{within}\n\nfailures:\n    a\n{}",
        result([0, 1, 0, 0])
    );
    let output = format!("a stdout={}", within.as_bytes().escape_ascii());
    check(&input, &[&output, "a fail"]);
}

#[test]
fn output_of_tests_that_passed_is_late() {
    let input = format!(
        "running 2 tests\ntest a ... ok\ntest b ... ok\n\nsuccesses:\n\n---- a stdout ----\nhello\n---- x stdout ----\n\n\n\
         successes:\n    a\n    b\n{}",
        result([2, 0, 0, 0])
    );
    check(&input, &["a success", "b success", "a stdout=hello\\n---- x stdout ----\\n"]);
    assert!(outcomes(&input).1);
}

#[test]
fn output_behind_a_name_is_that_tests() {
    let input = format!(
        "running 6 tests\ntest a ... hello\ntest x ... fine\nok\ntest b ... no newlineok\ntest c ... look\nFAILED\n\
         test d ... ok\ntest e ... bookok\n\nfailures:\n\nfailures:\n    c\n{}",
        result([5, 1, 0, 0])
    );
    let expected = [
        "a inprogress",
        "a stdout=hello\\n",
        "x inprogress",
        "x stdout=fine\\n",
        "x success",
        "b inprogress",
        "b stdout=no newline",
        "b success",
        "c inprogress",
        "c stdout=look\\n",
        "d success",
        "e inprogress",
        "e stdout=book",
        "e success",
        "c fail",
        "a success",
    ];
    check(&input, &expected);
}

#[test]
fn a_result_behind_output_counts_if_the_totals_tell_it() {
    let input = |passed| {
        format!("running {passed} tests\ntest a ... ok\nxtest b ... ok\n{}", result([passed, 0, 0, 0]))
    };
    check(&input(2), &["a success", "- stdout=xtest b ... ok\\n", "b success"]);
    check(&input(1), &["a success", "- stdout=xtest b ... ok\\n"]);
}

#[test]
fn times_are_told() {
    let input = format!(
        "running 3 tests\ntest a ... ok <1.500s>\ntest b has been running for over 60 seconds\ntest b ... ok\n\
         test c ... FAILED <0.001s>\n\nfailures:\n\n---- c stdout ----\nno\n\n\nfailures:\n    c\n{}",
        result([2, 1, 0, 0])
    );
    let expected = [
        "a inprogress @98.5s",
        "a success",
        "b inprogress @40s",
        "b success",
        "c inprogress @99.999s",
        "c stdout=no\\n",
        "c fail",
    ];
    check(&input, &expected);
}

#[test]
fn lost_results_are_never_green() {
    let log = "test a ... ok\n";
    let ends = "cargo test fail not runnable error=the tests ended without a line `test result`: 1 of 2 were told\\n";
    check(&format!("running 2 tests\n{log}"), &["a success", ends]);
    let missing =
        "cargo test fail not runnable error=results are missing: 1 passed (the totals say: 2 passed)\\n";
    check(&format!("running 2 tests\n{log}{}", result([2, 0, 0, 0])), &["a success", missing]);
    check(&format!("{log}{}", result([2, 0, 0, 0])), &["a success", missing]);
    let failed = result([1, 0, 0, 0]).replace("ok.", "FAILED.");
    let wrong = "cargo test fail not runnable error=the totals say FAILED, and no test failed\\n";
    check(&format!("{log}{failed}"), &["a success", wrong]);
    let begins = "foo fail not runnable error=the output ends where that of this test binary begins\\n";
    check("     Running unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)\n", &[begins]);
    // What only looked like a result is no loss.
    check(
        &format!("running 1 test\n{log}test b ... ok\n{}", result([1, 0, 0, 0])),
        &["a success", "b success"],
    );
}

#[test]
fn a_failure_that_only_the_list_tells_is_one() {
    let input =
        format!("running 1 test\ntest a ... ok\n\nfailures:\n\nfailures:\n    a\n{}", result([0, 1, 0, 0]));
    check(&input, &["a success", "a fail"]);
}

#[test]
fn a_binary_that_died_has_failed_and_the_test_within_which_it_did() {
    let input = "     Running unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)\n\nrunning 2 tests\n\
                 test a ... ok\ntest b ... error: test failed, to rerun pass `--lib`\n\nCaused by:\n  signal: 6\n\
                 \x20    Running tests/it.rs (target/debug/deps/it-0123456789abcdef)\nall is well\n";
    let expected = [
        "foo::a success",
        "foo::b inprogress",
        "foo::b fail reason=its result never came",
        "foo error=the tests ended without a line `test result`: 1 of 2 were told\\nerror: test failed, to rerun pass \
         `--lib`\\n\\nCaused by:\\n  signal: 6\\n",
        "foo fail not runnable",
        "- stdout=all is well\\n",
    ];
    check(input, &expected);
}

#[test]
fn cargo_may_know_better_than_the_totals() {
    let running = "     Running unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)\n";
    let error = "error: test failed, to rerun pass `--lib`\n";
    let input = format!("{running}running 1 test\ntest a ... ok\n{}{error}", result([1, 0, 0, 0]));
    let says = "foo error=error: test failed, to rerun pass `--lib`\\n";
    check(&input, &["foo::a success", says, "foo fail not runnable"]);
    let own = format!("{running}test a ... ok\n");
    check(&own, &["foo::a success"]);
    let skips = ["foo::a success", "foo::b inprogress", "foo::b stdout=skipped\\n"];
    let skipped = [&skips[..], &["foo::b skip reason=its result never came"]].concat();
    check(&format!("{own}test b ... skipped\n"), &skipped);
    check(&format!("{own}{error}"), &["foo::a success", says, "foo fail not runnable"]);
    let text = "- stdout=error: test failed, to rerun pass `--lib`\\n";
    check(&format!("{own}test b ... FAILED\n{error}"), &["foo::a success", "foo::b fail", text]);
    // A harness of its own.
    let text = "- stdout=checking\\nerror: of its own\\n";
    check(&format!("{running}checking\nerror: of its own\n{error}"), &[text, says, "foo fail not runnable"]);
}

#[test]
fn json_is_read_and_its_end_needed() {
    let started = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 3 }\n";
    let a = "{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\n";
    let a_ends = "{ \"type\": \"test\", \"name\": \"a\", \"event\": \"failed\", \"exec_time\": 0.5, \"stdout\": \"o\\n\" }\n";
    let end = "{ \"type\": \"suite\", \"event\": \"failed\", \"passed\": 0, \"failed\": 1, \"ignored\": 0, \"measured\": 0 }\n";
    let fails = ["a inprogress @99.5s", "a stdout=o\\n", "a fail"];
    check(&format!("{started}{a}{a_ends}{end}"), &fails);
    check(
        &format!("{started}{a}glued{a_ends}{end}"),
        &["a inprogress", "- stdout=glued", "a stdout=o\\n", "a fail @100.5s"],
    );
    let lost = "cargo test fail not runnable error=the tests ended without their totals: 0 of 3 were told\\n";
    check(&format!("{started}{a}"), &["a inprogress", "a fail reason=its result never came", lost]);
    let input = format!("{started}{a}");
    let text = format!("- stdout={}", input.as_bytes().escape_ascii());
    check_as(LibtestFormat::Plain, &input, &[&text]);
    check_as(LibtestFormat::Json, "test a ... ok\n", &["- stdout=test a ... ok\\n"]);
    let exists = "{ \"type\": \"test\", \"event\": \"discovered\", \"name\": \"a\" }\n";
    check(exists, &["a exists"]);
}

#[test]
fn json_may_be_in_any_spacing_and_order() {
    let input = "noise {\"a\":1}\n {\"event\" : \"started\", \"type\" : \"suite\", \"test_count\" : 1}\n\
                 {\"name\":\"a\" , \"event\":\"failed\",\"exec_time\":\"0.07s\",\"type\":\"test\"}\n\
                 glued{ \"event\":\"failed\",\"type\":\"suite\",\"passed\":0,\"failed\":1 }\n";
    check(input, &["- stdout=noise {\\\"a\\\":1}\\n", "a fail", "- stdout=glued"]);
}

#[test]
fn names_of_old_doc_tests_on_windows_are_read() {
    let input = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }\n\
                 { \"type\": \"test\", \"event\": \"started\", \"name\": \"src\\tool.rs - (line 3)\" }\n\
                 { \"type\": \"test\", \"name\": \"src\\tool.rs - (line 3)\", \"event\": \"ok\" }\n\
                 { \"type\": \"suite\", \"event\": \"ok\", \"passed\": 1, \"failed\": 0 }\n";
    check(input, &["src\\tool.rs - (line 3) inprogress", "src\\tool.rs - (line 3) success"]);
}

#[test]
fn what_was_announced_has_to_come() {
    let wrong = "cargo test fail not runnable error=3 tests were announced, and the totals tell 1\\n";
    let text = format!("running 3 tests\ntest a ... ok\n{}", result([1, 0, 0, 0]));
    check(&text, &["a success", wrong]);
    let json = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":3}\n\
                {\"type\":\"test\",\"event\":\"ok\",\"name\":\"a\"}\n\
                {\"type\":\"suite\",\"event\":\"ok\",\"passed\":1,\"failed\":0";
    check(&format!("{json}}}\n"), &["a success", wrong]);
    check(&format!("{json},\"filtered_out\":2}}\n"), &["a success"]);
    // A run that was stopped by its first failure says so itself.
    let stopped = format!("running 3 tests\ntest a ... FAILED\n{}", result([0, 1, 0, 0]));
    check(&stopped, &["a fail"]);
}

#[test]
fn a_message_may_be_long() {
    let output = "x".repeat(3 << 20);
    let input = |end: &str| {
        format!(
            "{{\"type\":\"suite\",\"event\":\"started\",\"test_count\":1}}\n\
             {{\"type\":\"test\",\"name\":\"a\",\"event\":\"ok\",\"stdout\":\"{output}\"}}{end}"
        )
    };
    let end = "\n{\"type\":\"suite\",\"event\":\"ok\",\"passed\":1,\"failed\":0}\n";
    for (end, passes) in [(end, true), ("", false), ("\r\n", false)] {
        let (outcomes, is_success) = outcomes(&input(end));
        assert_eq!((outcomes.first().map(|line| &**line), is_success), (Some("a success"), passes));
    }
    let log = log(LibtestFormat::Auto, input(end).as_bytes(), 1000);
    assert_eq!(log.first(), Some(&format!("a stdout={output}")));
}

#[test]
fn nextest_may_not_say_that_a_test_was_ignored() {
    let of = "\"nextest\":{\"crate\":\"a-b\",\"test_binary\":\"a_b\",\"kind\":\"lib\"}}\n";
    let input = |ignored| {
        format!(
            "{{\"type\":\"suite\",\"event\":\"started\",\"test_count\":2,{of}\
             {{\"type\":\"test\",\"event\":\"started\",\"name\":\"a-b::a_b$t\"}}\n\
             {{\"type\":\"suite\",\"event\":\"ok\",\"passed\":0,\"failed\":0,\"ignored\":{ignored},{of}"
        )
    };
    check(&input(1), &["a_b::t inprogress", "a_b::t skip"]);
    check(&input(0), &["a_b::t inprogress", "a_b::t fail reason=its result never came"]);
}

#[test]
fn any_json_is_borne() {
    check("{}\n{\"type\":\"test\"\nnull\n", &["- stdout={}\\n{\\\"type\\\":\\\"test\\\"\\nnull\\n"]);
    check(
        "{\"type\":\"test\",\"event\":\"ok\"}\n",
        &["- stdout={\\\"type\\\":\\\"test\\\",\\\"event\\\":\\\"ok\\\"}\\n"],
    );
}

/// The ids and outcomes of recorded output must be these, and their run no success.
fn check_recorded(input: &str, expected: &[&str]) {
    assert_eq!(outcomes(input), (expected.iter().map(|&line| line.to_owned()).collect(), false));
}

const DOCUMENTATION: [&str; 6] = [
    "scratch::doc::src/lib.rs - (line 1) success",
    "scratch::doc::src/lib.rs - one (line 11) success",
    "scratch::doc::src/lib.rs - one (line 15) success",
    "scratch::doc::src/lib.rs - one (line 19) skip",
    "scratch::doc::src/lib.rs - one (line 23) success",
    "scratch::doc::src/lib.rs - one (line 7) fail",
];
const LIBRARY: [&str; 9] = [
    "scratch::tests::deep::it_works success",
    "scratch::tests::does_not_panic fail",
    "scratch::tests::fails fail",
    "scratch::tests::ignored skip",
    "scratch::tests::ignored_with_reason skip",
    "scratch::tests::it_works success",
    "scratch::tests::panics success",
    "scratch::tests::panics_with_other_words fail",
    "scratch::tests::returns_an_error fail",
];
const OTHER: [&str; 3] =
    ["other::tests::it_works success", "other::tests::slow success", "other::tests::zz_aborts success"];

#[test]
fn a_test_has_the_same_id_whatever_told_it() {
    let program = ["scratch::bin/scratch::it_works success"];
    let more = ["scratch::it::tests::it_works success"];
    let smoke = ["scratch::smoke::it_works success"];
    let workspace = [&OTHER[..], &program, &DOCUMENTATION, &more, &smoke, &LIBRARY].concat();
    check_recorded(corpus!("workspace.txt"), &workspace);
    check_recorded(corpus!("workspace.json"), &workspace);
    // nextest runs no documentation, and does not say that this one is the program.
    let program = ["scratch::it_works success"];
    let workspace = [&OTHER[..], &more, &program, &smoke, &LIBRARY].concat();
    check_recorded(corpus!("nextest.json"), &workspace);
    check_recorded(corpus!("nextest-plus-retries.json"), &workspace);
}

#[test]
fn a_test_has_the_same_outcome_however_it_was_told() {
    for input in [
        corpus!("nocapture.txt"),
        corpus!("nocapture-parallel.txt"),
        corpus!("show-output.txt"),
        corpus!("coloured.txt"),
        corpus!("report-time.txt"),
    ] {
        check_recorded(input, &LIBRARY);
    }
}

#[test]
fn dots_have_no_names() {
    let failures = LIBRARY.iter().filter(|line| line.ends_with("fail"));
    let expected: Vec<&str> = ["scratch fail"].iter().chain(failures).copied().collect();
    check_recorded(corpus!("quiet.txt"), &expected);
}

#[test]
fn what_died_and_what_did_not_compile_is_red() {
    let [works, slow, _] = OTHER;
    check_recorded(corpus!("abort.txt"), &["other fail", works, slow]);
    check_recorded(
        corpus!("abort-one-thread.txt"),
        &["other fail", works, slow, "other::tests::zz_aborts fail"],
    );
    check_recorded(corpus!("abort.json"), &["other fail", works, slow, "other::tests::zz_aborts fail"]);
    check_recorded(corpus!("compile-error.txt"), &["cargo fail"]);
}

#[test]
fn without_names_of_binaries_tests_are_told_apart_by_number() {
    let (outcomes, _) = outcomes(corpus!("workspace-stdout-only.txt"));
    for id in
        ["tests::it_works", "#2::tests::it_works", "#3::it_works", "#4::tests::it_works", "#5::it_works"]
    {
        assert!(outcomes.contains(&format!("{id} success")), "{id}: {outcomes:?}");
    }
}

#[test]
fn benchmarks_and_slow_tests_pass() {
    let benches = ["benched::tests::adds success", "benched::tests::adds_more_of_them success"];
    for (input, expected) in [
        (corpus!("bench.txt"), &[&benches[..], &["benched::tests::works skip"]].concat()),
        (corpus!("bench.json"), &[&benches[..], &["benched::tests::works skip"]].concat()),
        (corpus!("slow.txt"), &OTHER.to_vec()),
        (corpus!("slow.json"), &OTHER.to_vec()),
    ] {
        assert_eq!(outcomes(input), (expected.iter().map(|&line| line.to_owned()).collect(), true));
    }
}

#[test]
fn memory_is_bounded_whatever_fails() {
    let mut input = "running 30000 tests\n".to_owned();
    for number in 0..30_000 {
        input += &format!("test t{number} ... FAILED\n");
    }
    input += "\nfailures:\n\n---- t29999 stdout ----\nlast\n\n\nfailures:\n    t29999\n    t3\n";
    input += &result([0, 30_000, 0, 0]);
    let log = log(LibtestFormat::Auto, input.as_bytes(), input.len());
    assert_eq!(log.iter().filter(|line| line.ends_with(" fail")).count(), 30_000);
    assert!(log.contains(&"t29999 stdout=last\\n".to_owned()));
}

/// A line of some kind.
fn any_line() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "",
        "running 2 tests",
        "test a ... ok",
        "test b ... FAILED",
        "test c ... ignored, why",
        "test a ... x",
        "ok",
        "FAILED",
        "test b ... nook",
        "failures:",
        "successes:",
        "---- a stdout ----",
        "---- b stdout ----",
        "    b",
        "    a",
        "test a has been running for over 60 seconds",
        ".. 2/3",
        "b --- FAILED",
        "xtest a ... ok",
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "     Running unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)",
        "   Doc-tests foo",
        "error[E0308]: mismatched types",
        "error: test failed, to rerun pass `--lib`",
        "Caused by:",
        "  signal: 6",
        "test b ... error: test failed, to rerun pass `--lib`",
        r#"{ "type": "suite", "event": "started", "test_count": 3 }"#,
        r#"{ "type": "test", "event": "started", "name": "a" }"#,
        r#"{ "type": "test", "event": "ok", "name": "a" }"#,
        r#"{ "type": "test", "event": "failed", "name": "b", "stdout": "o" }"#,
        r#"{ "type": "suite", "event": "ok", "passed": 1, "failed": 0, "ignored": 0, "measured": 0 }"#,
        r#"{"type":"suite","event":"started","test_count":1,"nextest":{"crate":"a","test_binary":"it","kind":"test"}}"#,
        r#"{"type":"test","event":"started","name":"a::it$b"}"#,
        r#"{"type":"test","event":"ok","name":"a::it$b#2"}"#,
        r#"{"type":"suite","event":"ok","passed":1,"failed":0,"ignored":0,"nextest":{"crate":"a","test_binary":"it"}}"#,
        "\u{1b}[1mtest a ... ok\u{1b}[0m",
        "test \0 ... ok",
    ]);
    prop_oneof![9 => fixed.prop_map(str::to_owned), 1 => ".{0,12}"]
}

proptest! {
    #[test]
    fn any_cut_says_the_same(lines in prop::collection::vec(any_line(), 0..40), piece in 1_usize..100) {
        let input = lines.join("\n");
        let whole = log(LibtestFormat::Auto, input.as_bytes(), input.len().max(1));
        prop_assert_eq!(log(LibtestFormat::Auto, input.as_bytes(), piece), whole);
    }

    #[test]
    fn what_began_ends(lines in prop::collection::vec(any_line(), 0..40)) {
        let input = lines.join("\n");
        let (outcomes, _) = outcomes(&input);
        prop_assert!(!outcomes.iter().any(|line| line.ends_with("unfinished")), "{:?} of {}", outcomes, input);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drive(&bytes[..], &mut Summary::new()).unwrap();
    }
}
