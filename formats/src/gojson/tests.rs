//! What the lines of `go test -json` become.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use proptest::prelude::*;
use streamresult::{Outcome, StreamResult, Summary, from_fn};
use subunit::Event;

use super::drive;

/// What events say, a line each: id, status, files, time. Pieces of a file that follow each other are one.
#[derive(Default)]
struct EventLog {
    lines: Vec<String>,
    /// The id and name of the file that is under way, and whether a line has been begun for it.
    file: Option<(Option<String>, String)>,
}

impl StreamResult for EventLog {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        assert!(event.test_id.is_some() || event.status.is_none(), "{event:?}");
        if let Some(file) = event.file {
            self.piece(event, file.name, &file.bytes.escape_ascii().to_string());
        }
        if let Some(status) = event.status {
            self.file = None;
            let mut line = format!("{} {}", event.test_id.unwrap_or("-"), status.as_str());
            if let Some(time) = event.timestamp {
                write!(line, " {}.{:09}", time.seconds(), time.nanoseconds()).unwrap();
            }
            self.lines.push(line);
        }
        Ok(())
    }
}

impl EventLog {
    fn piece(&mut self, event: &Event<'_>, name: &str, text: &str) {
        let key = (event.test_id.map(str::to_owned), name.to_owned());
        if let Some(line) = self.lines.last_mut().filter(|_| self.file.as_ref() == Some(&key)) {
            line.push_str(text);
        } else if !text.is_empty() {
            self.lines.push(format!("{} [{name}] {text}", event.test_id.unwrap_or("-")));
            self.file = Some(key);
        }
    }
}

/// Bytes that come a few at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fn log(input: &[u8], piece: usize) -> Vec<String> {
    let mut log = EventLog::default();
    drive(Pieces(input, piece), &mut log).unwrap();
    log.lines
}

fn check(input: &str, expected: &[&str]) {
    assert_eq!(log(input.as_bytes(), usize::MAX), expected);
    for piece in [1, 7, 100] {
        assert_eq!(log(input.as_bytes(), piece), expected, "in pieces of {piece}");
    }
}

/// A line of JSON of the package `p`: `run TestA`, `output TestA text`, `fail`, and so on.
fn line(words: &str) -> String {
    let (action, rest) = words.split_once(' ').unwrap_or((words, ""));
    let (test, output) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut line = format!(r#"{{"Action":"{action}","Package":"p""#);
    if test != "-" && !test.is_empty() {
        write!(line, r#","Test":"{test}""#).unwrap();
    }
    if !output.is_empty() {
        write!(line, r#","Output":"{output}""#).unwrap();
    }
    line + "}\n"
}

fn check_lines(lines: &[&str], expected: &[&str]) {
    let input: String = lines.iter().map(|words| line(words)).collect();
    check(&input, expected);
}

#[test]
fn a_test_is_its_start_its_output_and_its_end() {
    check_lines(
        &["start", "run TestA", r"output TestA a\n", r"output TestA b\n", "pass TestA", "pass"],
        &["p.TestA inprogress", r"p.TestA [go test output] a\nb\n", "p.TestA success"],
    );
    check_lines(
        &["run TestA/sub#01", "fail TestA/sub#01", "fail"],
        &["p.TestA/sub#01 inprogress", "p.TestA/sub#01 fail"],
    );
}

#[test]
fn times_are_those_of_the_lines() {
    let input = r#"{"Time":"2020-01-01T00:00:00.000000001Z","Action":"run","Package":"p","Test":"TestA"}
{"Time":"2020-01-01T01:00:01.5+01:00","Action":"pass","Package":"p","Test":"TestA","Elapsed":1.5}
{"Time":"2020-01-01T00:00:02Z","Action":"pass","Package":"p","Test":"TestB","Elapsed":0.75}
{"Time":"2020-01-01T00:00:02Z","Action":"pass","Package":"p","Elapsed":2}
"#;
    let expected = [
        "p.TestA inprogress 1577836800.000000001",
        "p.TestA success 1577836801.500000000",
        "p.TestB inprogress 1577836801.250000000",
        "p.TestB success 1577836802.000000000",
    ];
    check(input, &expected);
}

#[test]
fn lines_of_the_framework_are_dropped_where_they_repeat_events() {
    let input = |time: &str| {
        let line = |rest: &str| format!("{{{time}\"Package\":\"p\",\"Test\":\"TestA\",{rest}}}\n");
        line(r#""Action":"run""#)
            + &line(r#""Action":"output","Output":"=== RUN   TestA\n""#)
            + &line(r#""Action":"output","Output":"--- PASS: TestA (1.50s)\n""#)
            + &line(r#""Action":"pass","Elapsed":1.5"#)
            + "{\"Action\":\"pass\",\"Package\":\"p\"}\n"
    };
    let with_time = ["p.TestA inprogress 1577836800.000000000", "p.TestA success 1577836801.500000000"];
    check(&input(r#""Time":"2020-01-01T00:00:00Z","#), &with_time);
    let output = r"p.TestA [go test output] --- PASS: TestA (1.50s)\n";
    check(&input(""), &["p.TestA inprogress", output, "p.TestA success"]);
}

#[test]
fn the_last_message_before_a_skip_is_its_reason() {
    check_lines(
        &["run TestA", r"output TestA     a_test.go:1: no network\n", "skip TestA", "pass"],
        &[
            "p.TestA inprogress",
            r"p.TestA [go test output]     a_test.go:1: no network\n",
            "p.TestA [reason] no network",
            "p.TestA skip",
        ],
    );
    check_lines(&["run TestA", "skip TestA", "pass"], &["p.TestA inprogress", "p.TestA skip"]);
}

#[test]
fn a_package_is_a_failing_test_when_no_test_explains_it() {
    let usual = r"output - FAIL\tp\t0.003s\n";
    check_lines(
        &["run TestA", "pass TestA", r"output - PASS\n", r"output - no cleanup\n", usual, "fail"],
        &[
            "p.TestA inprogress",
            "p.TestA success",
            r"p [go test output] PASS\nno cleanup\nFAIL\tp\t0.003s\n",
            "p fail",
        ],
    );
    check_lines(
        &["run TestA", "fail TestA", r"output - FAIL\n", usual, "fail"],
        &["p.TestA inprogress", "p.TestA fail"],
    );
    check_lines(&["fail"], &[r"p [traceback] the package failed\n", "p fail"]);
}

#[test]
fn a_package_that_ended_by_a_panic_fails_whatever_its_tests_did() {
    check_lines(
        &["run TestA", "fail TestA", r"output - panic: in TestMain\n", "fail"],
        &["p.TestA inprogress", "p.TestA fail", r"p [go test output] panic: in TestMain\n", "p fail"],
    );
}

#[test]
fn a_package_that_did_not_fail_is_no_test() {
    check_lines(&["start", r"output - ?   \tp\t[no test files]\n", "skip"], &[]);
    check_lines(&["start", r"output - PASS\n", r"output - ok  \tp\t0.003s\n", "pass"], &[]);
    check_lines(
        &["run TestA", "pass TestA", r"output - PASS\n", r"output - coverage: 9%\n", "pass"],
        &["p.TestA inprogress", "p.TestA success", r"- [stdout] PASS\ncoverage: 9%\n"],
    );
}

#[test]
fn a_build_that_fails_is_attached_to_each_package_that_needs_it() {
    let input = r##"{"ImportPath":"dep","Action":"build-output","Output":"# dep\n"}
{"ImportPath":"dep","Action":"build-output","Output":"d.go:1:1: no\n"}
{"ImportPath":"dep","Action":"build-fail"}
{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Output":"FAIL\ta [build failed]\n"}
{"Action":"fail","Package":"a","FailedBuild":"dep"}
{"Action":"fail","Package":"b","FailedBuild":"dep"}
{"ImportPath":"tool","Action":"build-output","Output":"linking\n"}
{"ImportPath":"gen","Action":"build-fail"}
"##;
    let expected = [
        r"a [build] [go test output] # dep\nd.go:1:1: no\nFAIL\ta [build failed]\n",
        "a [build] fail",
        r"b [build] [go test output] # dep\nd.go:1:1: no\n",
        "b [build] fail",
        r"- [stdout] linking\n",
        r"gen [build] [traceback] the build failed\n",
        "gen [build] fail",
    ];
    check(input, &expected);
}

#[test]
fn text_tells_of_a_failed_build_before_go_1_24() {
    let expected = [
        r"a.b/c [build] [go test output] # a.b/c [a.b/c.test]\n./c.go:1:1: no\nFAIL\ta.b/c [build failed]\n",
        "a.b/c [build] fail",
        r"- [stdout] FAIL\n",
    ];
    check("# a.b/c [a.b/c.test]\n./c.go:1:1: no\nFAIL\ta.b/c [build failed]\nFAIL\n", &expected);
}

#[test]
fn what_the_compiler_says_in_text_is_of_the_packages_that_need_it() {
    let failed = |of: &str| {
        let needed =
            if of == "b" { "# b\\n# [b]\\nvet: ./b.go:2:1: no\\n" } else { "# dep\\ndep/d.go:1:1: no\\n" };
        [
            format!(r"{of} [build] [go test output] {needed}FAIL\t{of} [build failed]\n"),
            format!("{of} [build] fail"),
        ]
    };
    let input = format!(
        "# dep\ndep/d.go:1:1: no\nFAIL\ta [build failed]\n# b\n# [b]\nvet: ./b.go:2:1: no\n{}FAIL\tb [build failed]\n\
         # of a script\n# plain\nand more\n# warned\nwarned.go:3:1: unused\n{}",
        line("start"),
        line("pass")
    );
    let [[a, a_fails], [b, b_fails]] = [failed("a"), failed("b")];
    let text = r"- [stdout] # of a script\n# plain\nand more\n# warned\nwarned.go:3:1: unused\n";
    check(&input, &[&a, &a_fails, &b, &b_fails, text]);
}

#[test]
fn a_test_that_waited_for_others_took_as_long_as_go_says() {
    let line = |second: u32, action: &str, test: &str, rest: &str| {
        format!(
            r#"{{"Time":"2020-01-01T00:00:{second:02}Z","Action":"{action}","Package":"p","Test":"{test}"{rest}}}"#
        ) + "\n"
    };
    let input = [
        line(0, "run", "TestA", ""),
        line(0, "pause", "TestA", ""),
        line(0, "run", "TestB", ""),
        line(40, "pass", "TestB", r#","Elapsed":40"#),
        line(40, "cont", "TestA", ""),
        line(41, "pass", "TestA", r#","Elapsed":1.25"#),
        "{\"Action\":\"pass\",\"Package\":\"p\"}\n".to_owned(),
    ];
    let expected = [
        "p.TestA inprogress 1577836800.000000000",
        "p.TestB inprogress 1577836800.000000000",
        "p.TestB success 1577836840.000000000",
        "p.TestA success 1577836801.250000000",
    ];
    check(&input.concat(), &expected);
}

#[test]
fn what_is_no_line_of_go_test_is_text() {
    let input = format!(
        "make: go\n{}{{\"Action\":\"new\"}}\n{{}}\n{}{}end",
        line("run TestA"),
        line("pass TestA"),
        line("pass")
    );
    let expected = [
        r"- [stdout] make: go\n",
        "p.TestA inprogress",
        r#"- [stdout] {\"Action\":\"new\"}\n{}\n"#,
        "p.TestA success",
        "- [stdout] end",
    ];
    check(&input, &expected);
}

#[test]
fn json_may_stand_behind_text_and_in_any_spacing() {
    let input = format!(
        "no newline{}x {{ \"Test\" : \"TestA\", \"Package\":\"p\", \"Action\" : \"fail\" }}\n{}",
        line("run TestA"),
        line("fail")
    );
    check(&input, &["- [stdout] no newline", "p.TestA inprogress", "- [stdout] x ", "p.TestA fail"]);
    let nested = r#"log {"Action":"fail","Package":"p","Test":"TestA"} and more"#;
    check(nested, &[&format!("- [stdout] {}", nested.escape_default())]);
}

#[test]
fn a_value_of_another_type_costs_what_it_says() {
    let input = r#"{"Action":"run","Package":"p","Test":"TestA","Time":7}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":"0.07s","Output":null}
{"Action":"fail","Package":"p","Test":7}
"#;
    check(input, &["p.TestA inprogress", "p.TestA fail"]);
}

#[test]
fn a_failure_on_a_line_that_is_too_long_is_one() {
    let long = "x".repeat(8 << 20);
    let failures = |line: String| {
        let mut summary = Summary::new();
        drive(line.as_bytes(), &mut summary).unwrap();
        (summary.total(), summary.failures())
    };
    let name = &long[..2 << 20];
    let end = line("pass");
    let begun = format!("{}{}", line(&format!("run {name}")), line(&format!("fail {name}")));
    assert_eq!(failures(begun + &end), (1, 1), "a name that can be read");
    assert_eq!(failures(line(&format!("fail {long}"))), (1, 1));
    assert_eq!(failures(line(&format!("output TestA {long}"))), (0, 0));
    assert_eq!(failures(format!("{{\"Action\":\"fail\" {long}")), (1, 1));
    assert_eq!(failures(long), (0, 0));
}

#[test]
fn a_test_that_a_package_passed_without_has_failed() {
    check_lines(
        &["run TestA", "run TestB", "pass TestB", r"output - PASS\n", "pass"],
        &[
            "p.TestA inprogress",
            "p.TestB inprogress",
            "p.TestB success",
            r"p.TestA [traceback] the package ended before the test did\n",
            "p.TestA fail",
        ],
    );
}

const CUT: &str = r"the output of go test ends before the test does\n";

#[test]
fn a_test_that_is_cut_off_has_failed() {
    check_lines(
        &["run TestA", r"output TestA so far\n", "run TestA/b"],
        &[
            "p.TestA inprogress",
            r"p.TestA [go test output] so far\n",
            "p.TestA/b inprogress",
            &format!("p.TestA [traceback] {CUT}"),
            "p.TestA fail",
            &format!("p.TestA/b [traceback] {CUT}"),
            "p.TestA/b fail",
        ],
    );
    let cut = r"p [traceback] the output of go test ends before the package does\n";
    check_lines(&["run TestA", "pass TestA"], &["p.TestA inprogress", "p.TestA success", cut, "p fail"]);
}

#[test]
fn a_test_that_is_open_when_its_package_fails_has_failed() {
    check_lines(
        &["run TestA", "pause TestA", "run TestB", r"output - panic: boom\n", "fail"],
        &[
            "p.TestA inprogress",
            "p.TestB inprogress",
            r"p.TestA [traceback] the package ended while the test was paused\n",
            "p.TestA fail",
            r"p.TestB [traceback] the package ended before the test did\n",
            "p.TestB fail",
            r"p [go test output] panic: boom\n",
            "p fail",
        ],
    );
}

#[test]
fn a_test_that_is_open_when_its_package_exits_early_has_failed() {
    check_lines(
        &["run TestA", r"output - ok  \tp\t0.003s\n", "pass"],
        &[
            "p.TestA inprogress",
            r"p.TestA [traceback] the package ended before the test did\n",
            "p.TestA fail",
        ],
    );
}

#[test]
fn an_end_may_stand_behind_text_without_a_newline() {
    let end = |outcome: &str| format!(r"output TestA no newline--- {outcome}: TestA (0.00s)\n");
    let output =
        |outcome: &str| format!(r"p.TestA [go test output] no newline--- {outcome}: TestA (0.00s)\n");
    for (outcome, status) in [("PASS", "success"), ("SKIP", "skip")] {
        check_lines(
            &["run TestA", &end(outcome), r"output - PASS\n", "pass"],
            &["p.TestA inprogress", &output(outcome), &format!("p.TestA {status}")],
        );
    }
    check_lines(
        &["run TestA", &end("FAIL"), r"output - FAIL\n", "fail"],
        &["p.TestA inprogress", &output("FAIL"), "p.TestA fail"],
    );
    check_lines(
        &["run TestA", &end("PASS"), "fail"],
        &[
            "p.TestA inprogress",
            &output("PASS"),
            r"p.TestA [traceback] the package ended before the test did\n",
            "p.TestA fail",
        ],
    );
}

#[test]
fn a_benchmark_ends_with_the_next_or_its_package() {
    check_lines(
        &[
            "run BenchmarkA",
            r"output BenchmarkA BenchmarkA-2\t10\t1 ns/op\n",
            r"output - BenchmarkA-2\t10\t2 ns/op\n",
            "run BenchmarkB",
            "run BenchmarkB/x",
            "run BenchmarkC",
            "fail BenchmarkC",
            r"output - FAIL\n",
            "fail",
        ],
        &[
            "p.BenchmarkA inprogress",
            r"p.BenchmarkA [go test output] BenchmarkA-2\t10\t1 ns/op\nBenchmarkA-2\t10\t2 ns/op\n",
            "p.BenchmarkA success",
            "p.BenchmarkB inprogress",
            "p.BenchmarkB/x inprogress",
            "p.BenchmarkB/x success",
            "p.BenchmarkB success",
            "p.BenchmarkC inprogress",
            "p.BenchmarkC fail",
        ],
    );
    check_lines(
        &["run BenchmarkA", r"output - PASS\n", "pass"],
        &["p.BenchmarkA inprogress", "p.BenchmarkA success"],
    );
}

#[test]
fn figures_alone_are_a_benchmark_that_passed() {
    check_lines(
        &[
            r"output - BenchmarkA-2 \t",
            r"output -       10\t        34.10 ns/op\n",
            r"output - PASS\n",
            "pass",
        ],
        &[
            r"p.BenchmarkA [go test output] BenchmarkA-2 \t      10\t        34.10 ns/op\n",
            "p.BenchmarkA success",
        ],
    );
    let expected = ["p.TestA inprogress", r"p.TestA [traceback] the package ended before the test did\n"];
    check_lines(
        &["run TestA", r"output - BenchmarkA-2 \t", "fail"],
        &[expected[0], expected[1], "p.TestA fail", r"- [stdout] BenchmarkA-2 \t"],
    );
}

#[test]
fn a_test_that_runs_again_is_another_record() {
    let again = ["run TestA", "pass TestA", "run TestA", "fail TestA", "fail"];
    check_lines(&again, &["p.TestA inprogress", "p.TestA success", "p.TestA inprogress", "p.TestA fail"]);
    let lost = r"p.TestA [traceback] the test began again before its end was told\n";
    check_lines(
        &["run TestA", "run TestA", "pass TestA", "pass"],
        &["p.TestA inprogress", lost, "p.TestA fail", "p.TestA inprogress", "p.TestA success"],
    );
}

#[test]
fn a_failure_that_is_told_twice_is_one() {
    check_lines(&["fail FuzzA", "fail FuzzA", "fail"], &["p.FuzzA fail"]);
    check_lines(&["pass TestA", "fail TestA", "fail"], &["p.TestA success", "p.TestA fail"]);
}

#[test]
fn attributes_and_artifacts_are_a_file() {
    let input = r#"{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"attr","Package":"p","Test":"TestA","Key":"owner","Value":"storage team"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== ATTR  TestA owner storage team\n"}
{"Action":"artifacts","Package":"p","Test":"TestA","Path":"out/TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
"#;
    let file = r"p.TestA [attributes] owner: storage team\nartifacts: out/TestA\n";
    check(input, &["p.TestA inprogress", file, "p.TestA success"]);
}

#[test]
fn an_output_without_package_has_the_names_of_its_tests() {
    let input = "{\"Action\":\"run\",\"Test\":\"TestA\\u0000\"}\n{\"Action\":\"pass\",\"Test\":\"TestA\\u0000\"}\n{\"Action\":\"fail\"}\n";
    let expected = [
        r"TestA\x00 inprogress",
        r"TestA\x00 success",
        r"go test [traceback] the package failed\n",
        "go test fail",
    ];
    check(input, &expected);
}

#[test]
fn long_output_of_a_package_is_attached_whole() {
    let mut input: String =
        (0..20_000).map(|number| line(&format!(r"output - line {number:05}\n"))).collect();
    input += &line("fail");
    let mut bytes = 0;
    let mut sink = from_fn(|event: &Event<'_>| {
        assert_eq!(event.test_id, Some("p"));
        bytes += event.file.map_or(0, |file| file.bytes.len());
        Ok(())
    });
    drive(input.as_bytes(), &mut sink).unwrap();
    assert_eq!(bytes, 20_000 * "line 00000\n".len());
}

#[test]
fn a_very_long_line_of_output_is_kept() {
    let long = "x".repeat(900_000);
    let input = [line("run TestA"), line(&format!("output TestA {long}")), line("fail TestA"), line("fail")];
    let log = log(input.concat().as_bytes(), usize::MAX);
    assert_eq!(log[1].len(), "p.TestA [go test output] ".len() + long.len());
    let long = "x".repeat(5_000_000);
    let too_long =
        [line("run TestA"), line(&format!("output TestA {long}{long}")), line("fail TestA"), line("fail")];
    let log = self::log(too_long.concat().as_bytes(), usize::MAX);
    assert!(log[1].starts_with("- [stdout] {") && log[1].len() > 2 * long.len(), "it is text");
}

/// The recorded outputs: how many tests passed, failed and were skipped, and whether all ended.
fn check_recorded(name: &str, expected: [u64; 3]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/gojson").join(name);
    let input = fs::read(&path).unwrap();
    let mut summary = Summary::new();
    drive(&input[..], &mut summary).unwrap();
    let counts = [Outcome::Success, Outcome::Fail, Outcome::Skip].map(|outcome| summary.count(outcome));
    assert_eq!((counts, summary.count(Outcome::Unfinished), summary.late()), (expected, 0, 0), "{name}");
    assert_eq!(log(&input, 5), log(&input, usize::MAX), "{name}");
}

#[test]
fn recorded_outputs_are_told_whole() {
    for (name, expected) in [
        ("go1.19-bench-fails.json", [2, 1, 1]),
        ("go1.19-bench.json", [4, 0, 1]),
        ("go1.19-builds.json", [1, 5, 0]),
        ("go1.19-crashes.json", [4, 8, 0]),
        ("go1.19-fuzz-seed.json", [1, 2, 0]),
        ("go1.19-fuzz.json", [0, 1, 0]),
        ("go1.19-no-newline.json", [4, 0, 1]),
        // A line that a test printed is taken for the end of a test.
        ("go1.19-outcomes.json", [13, 5, 4]),
        ("go1.25-attr.json", [1, 0, 1]),
        ("go1.25-bench-fails.json", [3, 1, 1]),
        ("go1.25-bench.json", [3, 0, 1]),
        ("go1.25-builds.json", [1, 6, 0]),
        ("go1.25-count.json", [2, 2, 2]),
        ("go1.25-crashes.json", [4, 8, 0]),
        ("go1.25-fuzz-seed.json", [1, 2, 0]),
        ("go1.25-fuzz.json", [0, 1, 0]),
        ("go1.25-missing.json", [0, 1, 0]),
        ("go1.25-outcomes.json", [13, 4, 4]),
        ("go1.25-race.json", [1, 1, 0]),
    ] {
        check_recorded(name, expected);
    }
}

proptest! {
    #[test]
    fn no_line_is_too_strange(input in "(\\{\"Action\":\"(run|pass|fail|skip|output|cont|build-output|build-fail)\",\"Package\":\"[ab]\",\"Test\":\"(|TestA|BenchmarkA)\",\"Output\":\"[a-c]*(--- PASS: TestA|\\\\n|PASS\\\\n|panic: )?\"\\}\n|[a-z{}\"\n]{0,20}){0,30}", piece in 1_usize..50) {
        prop_assert_eq!(log(input.as_bytes(), piece), log(input.as_bytes(), usize::MAX));
    }
}
