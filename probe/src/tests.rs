//! What all checks do alike, by a check that finds what it is told.

use std::fs;

use cli::Verdict;

use super::CheckRun;
use super::testing::Fake;

fn run(args: &[&str]) -> cli::RunOutput {
    cli::run_with::<CheckRun<Fake>>(args, b"")
}

fn check(args: &[&str], verdict: Verdict, expected: &str) {
    let outcome = run(&[&["--format=human"], args].concat());
    assert_eq!((outcome.verdict, outcome.output()), (verdict, expected), "{}", outcome.errors());
}

fn check_error(args: &[&str], expected: &str) {
    let outcome = run(args);
    assert_eq!((outcome.verdict, outcome.output()), (Verdict::Error, ""));
    assert!(outcome.errors().contains(expected), "{}", outcome.errors());
}

const NOW: &str = "--retry-delay=1ms";

#[test]
fn each_aspect_of_each_target_is_a_test() {
    let expected = "ok        fake.a.alive: alive is fine\nok        fake.a.ready: ready is fine\n\
                    2 passed, 0 with warnings, 0 failed, 0 skipped\n";
    check(&["a"], Verdict::Passed, expected);
    check(
        &["--list", "--probe=deep", "a", "b"],
        Verdict::Passed,
        "fake.a.alive\nfake.a.ready\nfake.a.deep\nfake.b.alive\nfake.b.ready\nfake.b.deep\n",
    );
    check(
        &["--dry-run", "--only=ping", "a"],
        Verdict::Passed,
        "fake.a.alive: looks whether it is alive (a)\n",
    );
}

#[test]
fn what_is_asked_for_is_looked_at_whatever_the_kind() {
    let list = |args: &[&str], expected| {
        check(&[&["--list"], args, &["a"]].concat(), Verdict::Passed, expected);
    };
    list(&["--only=dee*"], "fake.a.deep\n");
    list(&["--only=dee*", "--only=ready"], "fake.a.ready\nfake.a.deep\n");
    list(&["--only=*e*"], "fake.a.alive\nfake.a.ready\n");
    list(&["--change=x"], "fake.a.alive\nfake.a.ready\nfake.a.deep\n");
    list(&["--change=x", "--probe=liveness"], "fake.a.alive\nfake.a.deep\n");
    list(&["--change=x", "--only=ready"], "fake.a.ready\n");
    list(&["--ask=x", "--probe=liveness"], "fake.a.alive\nfake.a.answer\n");
}

#[test]
fn what_builds_on_a_failure_is_skipped() {
    let expected = "FAIL      fake.a.alive: broken down\n\
                    skip      fake.a.ready: it builds on fake.a.alive, of which the result is fail\n\
                    0 passed, 0 with warnings, 1 failed, 1 skipped\n";
    check(&["--found", "alive=broken down", "a"], Verdict::Failed, expected);
}

#[test]
fn everything_skipped_is_nothing() {
    check(
        &["--found", "alive=skip", "--only=alive", "a"],
        Verdict::Nothing,
        "skip      fake.a.alive: not here\n0 passed, 0 with warnings, 0 failed, 1 skipped\n",
    );
}

#[test]
fn nothing_to_check_is_a_failure() {
    check(
        &[],
        Verdict::Failed,
        "FAIL      fake.any.alive: there is nothing to fake\n0 passed, 0 with warnings, 1 failed, 0 skipped\n",
    );
}

#[test]
fn a_failed_test_is_tried_again() {
    let found = ["--found=alive=broken", "--only=alive", NOW, "a"];
    check(
        &[&["--retries=1"], &found[..]].concat(),
        Verdict::Passed,
        "flaky     fake.a.alive: alive is fine\n1 passed (1 flaky), 0 with warnings, 0 failed, 0 skipped\n",
    );
    let outcome = run(&[&["--retries=1", "--format=nagios"], &found[..]].concat());
    assert_eq!(outcome.output(), "FAKE OK - 1 ok (1 flaky)\n[FLAKY] fake.a.alive: alive is fine\n");
    let outcome = run(&[&["--retries=1", "--format=junit"], &found[..]].concat());
    assert!(outcome.output().contains("<flakyFailure message=\"broken\""), "{}", outcome.output());
    let outcome = run(&[&["--retries=1", "--format=json"], &found[..]].concat());
    assert!(outcome.output().contains(r#""tags":["attempt-2","flaky"]"#), "{}", outcome.output());
    check(
        &found,
        Verdict::Failed,
        "FAIL      fake.a.alive: broken\n0 passed, 0 with warnings, 1 failed, 0 skipped\n",
    );
}

#[test]
fn what_could_not_be_removed_is_a_test_of_its_own() {
    let expected = "ok        fake.a.alive: alive is fine\nFAIL      fake.a.clean-up: it is still there\n\
                    1 passed, 0 with warnings, 1 failed, 0 skipped\n";
    check(&["--found=left", "--only=alive", "a"], Verdict::Failed, expected);
}

#[test]
fn secrets_are_not_shown() {
    let args = ["--found=alive=broken by hunter2", "--only=alive", "--secret=hunter2", "a"];
    check(
        &args,
        Verdict::Failed,
        "FAIL      fake.a.alive: broken by [redacted]\n0 passed, 0 with warnings, 1 failed, 0 skipped\n",
    );
    let outcome = run(&args);
    assert!(!outcome.output.windows(7).any(|window| window == b"hunter2"));
}

#[test]
fn arguments_that_mean_nothing_are_errors() {
    check_error(&["--only=x", "a"], "`x` matches no test");
    check_error(&["--only=ans*", "a"], "`ans*` matches no test: it takes --ask");
    check_error(&["--only=ready", "--skip=ready", "a"], "nothing is selected");
    check_error(&["--expect-fail=fake.b.*=why", "a"], "the known outage `why` is of no test");
    check_error(&["--fail-after=2", "a"], "--state-file");
    check_error(&["-w", "lod=1", "a"], "there is no metric `lod`; is it `load`?");
    check_error(&["--only=aliv", "a"], "`aliv` matches no test; is it `alive`?");
    check_error(&["--only=fake.a.reddy", "a"], "is it `fake.a.ready`?");
    check_error(&["a", "a"], "two targets are named a");
    check_error(&["--load-list=/no/file", "a"], "cannot read the list /no/file");
}

#[test]
fn what_cannot_be_told_is_looked_at_when_it_is_asked_for() {
    let usual = "fake.a.alive\nfake.a.ready\nfake.a.answer\n";
    check(&["--list", "--ask=x", "a"], Verdict::Passed, usual);
    check(&["--list", "--ask=x", "--only=hidden", "a"], Verdict::Passed, "fake.a.hidden\n");
    check(&["--list", "--ask=x", "--probe=deep", "--skip=deep", "a"], Verdict::Passed, usual);
}

#[test]
fn a_range_selects_what_measures_its_number() {
    let list = |args: &[&str], expected| check(&[args, &["--list", "a"]].concat(), Verdict::Passed, expected);
    let all = "fake.a.alive\nfake.a.ready\nfake.a.deep\n";
    list(&["-w", "changes=1"], all);
    list(&["--probe=startup", "-c", "changes=1"], all);
    list(&["--probe=liveness", "-w", "load=1"], "fake.a.alive\n");
    list(&["--probe=liveness", "-w", "wait_seconds_p50=1"], "fake.a.alive\n");
    // The same ranges may be given whichever tests are chosen.
    let note = |args: &[&str], why: &str| {
        let outcome = run(&[args, &["--format=human", "a"]].concat());
        assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
        assert_eq!(outcome.errors(), format!("check-fake: {why}\n"));
    };
    let why = "--warning changes is for deep: nothing that is selected measures it; --only deep does";
    note(&["--only=alive", "-w", "changes=1"], why);
    note(&["--skip=deep", "-w", "changes=1"], why);
    let why = "--change is for deep: nothing that is selected looks at it; --only deep does";
    note(&["--only=ready", "--change=x"], why);
    note(&["--skip=deep", "--change=x"], why);
    note(&["--only=alive", "-c", "replies=1"], "--critical replies is for answer: it takes --ask");
    check_error(&["-c", "replies=1", "a"], "--critical replies is for answer: it takes --ask");
    list(&["-c", "replies=1", "--ask=x"], "fake.a.alive\nfake.a.ready\nfake.a.answer\n");
    check_error(
        &["-c", "errors_delta=1", "a"],
        "it is counted from one run to the next, which takes --state-file",
    );
}

#[test]
fn what_nothing_measures_is_never_green() {
    let human = |args: &[&str], verdict, expected: &str| {
        let outcome = run(&[&["--format=human"], args].concat());
        assert_eq!(outcome.verdict, verdict, "{}", outcome.output());
        assert!(outcome.output().contains(expected), "{}", outcome.output());
    };
    let why = "fake.a.ready: ready is fine; nothing has measured load, for which a range was given\n";
    human(&["-w", "load=1", "a"], Verdict::Failed, &format!("FAIL      {why}"));
    // Any of its tests may, and a number that is bad is bad.
    human(&["-w", "load=1", "--found=alive=load 1", "a"], Verdict::Passed, "ok        fake.a.ready");
    human(
        &["-w", "load=1", "-c", "errors=1", "--found=ready=errors 5", "a"],
        Verdict::Failed,
        "FAIL      fake.a.ready",
    );
    // What failed or does not apply says so itself.
    human(&["-w", "load=1", "--found=ready=broken", "a"], Verdict::Failed, "fake.a.ready: broken\n");
    human(
        &["-w", "load=1", "--found=ready=skip", "a"],
        Verdict::Passed,
        "skip      fake.a.ready: not here\n",
    );
    let samples = "nothing has measured wait_seconds_p99 (it takes a hundred samples: --samples)";
    human(&["-w", "wait_seconds_p99=1", "a"], Verdict::Failed, samples);
}

#[test]
fn what_is_declared_is_explained() {
    let outcome = run(&["--explain"]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
    let expected = "check-fake\n\n\
                    --probe liveness: Is it alive? Cheap, local, without side effects\n  \
                    alive               looks whether it is alive\n      \
                    wait_seconds_{min,p50,p90,p95,p99,max}      in s\n";
    assert!(outcome.output().starts_with(expected), "{}", outcome.output());
    for line in [
        "  deep                changes it (also by --change)\n      changes\n",
        "      errors                                      a counter: with --state-file, its growth; warning 5\n",
    ] {
        assert!(outcome.output().contains(line), "{}", outcome.output());
    }
    let outcome = run(&["--explain", "--format=json"]);
    let json: serde_json::Value = serde_json::from_str(outcome.output()).unwrap();
    assert_eq!(
        json["metrics"][1]["names"],
        serde_json::json!(["errors", "errors_delta", "errors_per_second"])
    );
    assert_eq!(json["aspects"][0]["other_names"], serde_json::json!(["ping"]));
}

#[test]
fn a_list_chooses_its_tests() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    fs::write(&list, "fake.a.ready\nfake.other.ready\n").unwrap();
    check(&["--list", "--load-list", list.to_str().unwrap(), "a"], Verdict::Passed, "fake.a.ready\n");
}

#[test]
fn monitoring_gets_a_line_and_a_verdict_of_its_own() {
    let nagios = |args: &[&str], verdict, start: &str| {
        let outcome = run(&[&["--format=nagios"], args].concat());
        assert_eq!(outcome.verdict, verdict);
        assert!(outcome.output().starts_with(start), "{}", outcome.output());
    };
    nagios(&["a"], Verdict::Passed, "FAKE OK - 2 ok\n[OK] fake.a.alive: alive is fine\n");
    let load = ["--found=alive=load 3", "--only=alive", "-w", "load=2", "a"];
    let start = "FAKE WARNING - fake.a.alive: load = 3 is outside of the warning range 2 (1 warning) | 'a.alive.load'=3;2;;0;\n";
    nagios(&load, Verdict::Warned, start);
    nagios(
        &["--found=alive=broken", "a"],
        Verdict::Failed,
        "FAKE CRITICAL - fake.a.alive: broken (1 critical, 1 skipped)\n",
    );
    nagios(
        &["--found=alive=unknown", "--only=alive", "a"],
        Verdict::Incomplete,
        "FAKE UNKNOWN - fake.a.alive: no permission (1 unknown)\n",
    );
    nagios(&["--found=alive=skip", "--only=alive", "a"], Verdict::Incomplete, "FAKE UNKNOWN - 1 skipped\n");
    nagios(&["--only=x", "a"], Verdict::Error, "UNKNOWN - check-fake: `x` matches no test");
}

#[test]
fn documents_replace_their_files_when_they_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let check = |format: &str, expected: &str| {
        let path = folder.path().join(format);
        fs::write(&path, "old").unwrap();
        let outcome = run(&["--format", format, "-o", path.to_str().unwrap(), "--found=alive=broken", "a"]);
        assert_eq!((outcome.verdict, outcome.output()), (Verdict::Failed, ""), "{}", outcome.errors());
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(text.contains(expected), "{text}");
    };
    check("nagios", "FAKE CRITICAL - ");
    check("json", r#""status":"fail""#);
    check("openmetrics", "# EOF");
    check("junit", r#"<testcase classname="fake.a" name="alive""#);
    check("human", "FAIL      fake.a.alive: broken");
    check("subunit", "fake.a.alive");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    for format in ["human", "nagios", "json", "openmetrics", "junit", "subunit"] {
        let outcome = run(&["--format", format, "-o", "/dev/full", "a"]);
        assert_eq!(outcome.verdict, Verdict::Error, "{format}: {}", outcome.output());
    }
}

#[test]
fn the_state_is_kept_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = ["--state-file", path.to_str().unwrap(), "--fail-after=2", "--only=alive", "a"];
    let broken = [&["--found=alive=broken"], &state[..]].concat();
    let first = "ok        fake.a.alive: 1 of 2 failures that make a failure: broken\n1 passed, 0 with warnings, 0 failed, 0 skipped\n";
    check(&broken, Verdict::Passed, first);
    check(
        &broken,
        Verdict::Failed,
        "FAIL      fake.a.alive: broken\n0 passed, 0 with warnings, 1 failed, 0 skipped\n",
    );
    let errors = |count| [&[count, "-c", "errors_delta=0"], &state[..]].concat();
    check(
        &errors("--found=alive=errors 7"),
        Verdict::Passed,
        "ok        fake.a.alive\n1 passed, 0 with warnings, 0 failed, 0 skipped\n",
    );
    let outcome = run(&[&["--format=json"], &errors("--found=alive=errors 9")[..]].concat());
    assert!(
        outcome.output().contains("errors_delta = 2 is outside of the critical range 0"),
        "{}",
        outcome.output()
    );
    fs::write(&path, "damage").unwrap();
    let outcome = run(&state);
    assert_eq!(outcome.verdict, Verdict::Passed);
    assert!(outcome.errors().contains("is begun anew"), "{}", outcome.errors());
}

#[test]
fn a_check_is_not_kept_from_its_work_by_its_state() {
    // One after two failures in a row would be none at all.
    let broken = ["--found=alive=broken", "--only=alive", "--fail-after=2", "a"];
    for place in ["/dev/full", "/no/folder/state", "/"] {
        let outcome = run(&[&broken[..], &["--format=human", "--state-file", place]].concat());
        assert_eq!(outcome.verdict, Verdict::Failed, "{place}");
        assert!(outcome.output().starts_with("FAIL      fake.a.alive: broken\n"), "{}", outcome.output());
        let warning = format!("check-fake: cannot write the state file {place}");
        assert!(outcome.errors().contains(&warning), "{}", outcome.errors());
    }
}

#[test]
fn with_a_state_a_counter_is_judged_by_its_growth() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = format!("--state-file={}", path.display());
    let warns = |found: &str, more: &[&str]| {
        let args = [&["--format=json", "--only=alive", found, "a"], more].concat();
        run(&args).output().contains("\"warning\"]")
    };
    assert!(warns("--found=alive=errors 7", &[]));
    assert!(!warns("--found=alive=errors 7", &[&state]));
    assert!(!warns("--found=alive=errors 12", &[&state]));
    assert!(warns("--found=alive=errors 18", &[&state]));
    assert!(!warns("--found=alive=errors 30", &[&state, "-w", "errors_delta=20"]));
    assert!(!warns("--found=alive=errors 50", &[&state, "-w", "errors=60"]));
    assert!(warns("--found=alive=errors 50", &[&state, "-w", "errors=40"]));
    // What is not kept cannot be compared.
    assert!(warns("--found=alive=errors 50", &["--state-file=/no/folder/state"]));
}
