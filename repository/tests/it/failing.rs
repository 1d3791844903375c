//! The failing set.

use repository::{RunEnd, RunId, RunInfo};

use crate::support::{failing, load, stream, temporary};

/// Loads runs one after the other, and checks the failing set after all. A run that begins with `all` names all
/// tests; one that begins with `$ COMMAND` or `$ COMMAND = STATUS` was made by that, and `some` before it says that it was
/// to run only some of its tests.
fn check(runs: &[&[&str]], expected: &[&str]) {
    let temporary = temporary();
    for events in runs {
        let (names_all_tests, events) = match events {
            ["all", events @ ..] => (true, events),
            events => (false, *events),
        };
        let (is_selection, events) = match events {
            ["some", events @ ..] => (true, events),
            events => (false, events),
        };
        let (command, events) = match events {
            [first, rest @ ..] if first.starts_with("$ ") => (Some(*first), rest),
            events => (None, events),
        };
        let (command, exit) = match command.and_then(|command| command.split_once(" = ")) {
            Some((command, exit)) => (Some(command), exit.parse().ok()),
            None => (command, None),
        };
        let info = RunInfo { command: command.map(str::to_owned), is_selection, ..RunInfo::default() };
        let end = RunEnd { names_all_tests, exit, ..RunEnd::default() };
        temporary.repository.load(&*stream(events), info, end).unwrap();
    }
    assert_eq!(failing(&temporary.repository), expected, "{runs:?}");
    std::fs::remove_file(temporary.index()).unwrap();
    assert_eq!(failing(&temporary.again()), expected, "{runs:?}, without an index");
    temporary.repository.rebuild().unwrap();
    assert_eq!(failing(&temporary.repository), expected, "{runs:?}, rebuilt");
}

#[test]
fn what_fails_is_failing_until_it_passes() {
    check(&[&["a fail", "b success"]], &["a fail 1"]);
    check(&[&["a fail"], &["a success"]], &[]);
    check(&[&["a fail"], &["a fail"]], &["a fail 2"]);
}

#[test]
fn unfinished_and_unexpectedly_passed_tests_are_failing() {
    check(&[&["a inprogress", "b uxsuccess"]], &["a unfinished 1", "b uxsuccess 1"]);
}

#[test]
fn what_a_run_did_not_run_stays() {
    check(&[&["a fail", "b fail"], &["b success"], &["c success"]], &["a fail 1"]);
    check(&[&["a fail"], &[]], &["a fail 1"]);
}

#[test]
fn skipping_changes_nothing() {
    check(&[&["a fail", "c fail"], &["a skip", "c exists"]], &["a fail 1", "c fail 1"]);
}

#[test]
fn what_fails_as_expected_does_what_it_should() {
    check(&[&["a fail", "b uxsuccess"], &["a xfail", "b xfail"]], &[]);
    check(&[&["a xfail", "a fail"]], &["a fail 1"]);
}

#[test]
fn what_is_no_test_goes_when_what_it_stands_for_is_green() {
    let green = &["m.C.a success", "m.C.b success"][..];
    for failure in ["setUpClass (m.C) fail", "tearDownModule (m) fail", "unittest.loader._FailedTest.m fail"]
    {
        check(&[&[failure, "x success"], &["x success"]], &[&*format!("{failure} 1")]);
        check(&[&[failure, "x success"], &[green, &["x success"]].concat()], &[]);
    }
    // Not all ran, or not all is well.
    let half = &["setUpClass (m.C) fail", "m.C.c success"][..];
    check(&[half, green], &["setUpClass (m.C) fail 1"]);
    check(
        &[&["setUpClass (m.C) fail"], &["m.C.a success", "m.C.b fail"]],
        &["m.C.b fail 2", "setUpClass (m.C) fail 1"],
    );
    check(&[&["setUpClass (m.C) fail"], &["m.C.a success", "!"]], &["setUpClass (m.C) fail 1", "run 2"]);
    check(&[&["w:setUpClass (m.C) fail"], &["m.C.a success"], &["w:m.C.a success"]], &[]);
    check(&[&["setUpClass (m.C) fail"], &["m.Cc.a success"]], &["setUpClass (m.C) fail 1"]);
}

#[test]
fn packages_and_documents_go_by_their_tests() {
    check(&[&["x/p [build] fail", "x/q.A success"], &["x/q.A success"]], &["x/p [build] fail 1"]);
    check(&[&["x/p [build] fail", "x/q.A success"], &["x/p.A success"]], &[]);
    check(&[&["x/p fail", "x/p.A success"], &["x/p.A success", "x/p.B success"]], &[]);
    check(&[&["x/p fail"], &["x/p.A success", "x/p.B fail"]], &["x/p fail 1", "x/p.B fail 2"]);
    check(&[&["a success~", "Bail out! fail~"], &["a success~", "b success~"]], &[]);
    check(&[&["a success~", "Bail out! fail~"], &["b success~"]], &["Bail out! fail 1"]);
    check(&[&["t/a/tap document fail~"], &["t/b/x success~"]], &["t/a/tap document fail 1"]);
    check(&[&["t/a/tap document fail~"], &["t/a/x success~"]], &[]);
    check(&[&["w:subunit-mux.w fail~", "v:a success"], &["v:a success"]], &["w:subunit-mux.w fail 1"]);
    check(&[&["w:subunit-mux.w fail~", "v:a success"], &["w/1:b success"]], &[]);
    check(&[&["suite fail~", "a success"], &["a success"]], &[]);
    check(&[&["a fail~", "b success~"], &["b success~"]], &["a fail 1"]);
}

#[test]
fn what_is_no_test_goes_when_the_same_command_runs_all_green() {
    let all = "$ go test ./...";
    for failure in ["x/p [build] fail", "setUpClass (m.C) fail", "t/b.t/tap document fail~", "a/b fail~"] {
        let (was, left) =
            (&[all, failure, "c success"][..], &*format!("{} 1", failure.trim_end_matches('~')));
        check(&[was, &[all, "c success"]], &[]);
        check(&[was, &["$ go test ./... = 0", "c success", "d success"]], &[]);
        // By another command, or none; not whole, not green, not well.
        check(&[was, &["$ go test ./c", "c success"]], &[left]);
        check(&[was, &["c success"]], &[left]);
        check(&[&[failure, "c success"], &["c success"]], &[left]);
        check(&[was, &[all, "d success"]], &[left]);
        check(&[was, &[all, "c skip", "!"]], &[left, "run 2"]);
        check(&[was, &["$ go test ./... = 2", "c success"]], &[left]);
        check(&[was, &[all]], &[left]);
        check(&[was, &["some", all, "c success"]], &[left]);
    }
    // What may be a test stays, and so does what is there.
    check(&[&[all, "x/p fail", "c success"], &[all, "c success"]], &["x/p fail 1"]);
    check(&[&[all, "a/b fail~", "c success"], &[all, "c success", "a/b skip~"]], &["a/b fail 1"]);
    check(&[&[all, "x/p [build] fail", "c fail"], &[all, "c fail"]], &["c fail 2", "x/p [build] fail 1"]);
}

#[test]
fn damage_is_put_right_though_it_came_with_what_is_no_test() {
    check(&[&["a success", "!", "w:subunit-mux.w fail~"], &["a success", "w:b success"]], &[]);
}

#[test]
fn a_renamed_test_goes_when_all_are_listed() {
    let before = &["a success", "b success", "old fail"][..];
    let listed = &["a exists", "b exists", "new exists"][..];
    check(&[before, listed], &[]);
    check(&[before, &[listed, &["a success", "b success", "new success"]].concat()], &[]);
    // Not listed; left out; of other tests.
    check(&[before, &["a success", "b success", "new success"]], &["old fail 1"]);
    check(&[before, &["a exists", "b exists"]], &["old fail 1"]);
    check(&[before, &["a exists", "new exists", "other exists"]], &["old fail 1"]);
    check(&[before, &[listed, &["old exists"]].concat()], &["old fail 1"]);
}

#[test]
fn a_test_is_an_id_on_a_route() {
    check(&[&["1:a fail", "2:a success"]], &["1:a fail 1"]);
    check(&[&["1:a fail"], &["a success"], &["2:a success"]], &["1:a fail 1"]);
    check(&[&["1:a fail", "a fail"], &["1:a success"]], &["a fail 1"]);
}

#[test]
fn a_pass_at_the_second_try_is_no_pass() {
    check(&[&["a fail", "a success"]], &["a fail 1"]);
    check(&[&["a success", "a fail"]], &["a fail 1"]);
}

#[test]
fn a_deleted_test_leaves_when_a_listing_proves_it() {
    check(&[&["a fail", "b fail"], &["b exists"]], &["a fail 1", "b fail 1"]);
    check(&[&["a fail", "b fail"], &["all", "b exists"]], &["b fail 1"]);
    check(&[&["a fail", "1:b fail", "c fail"], &["all", "b exists"]], &["1:b fail 1"]);
    check(&[&["a fail"], &["all"]], &[]);
    check(&[&["a fail"], &["all", "b exists"], &["a fail"]], &["a fail 3"]);
}

#[test]
fn damage_fails_the_run_until_its_tests_ran_without() {
    check(&[&["a success", "!", "b success"]], &["run 1"]);
    check(&[&["a success", "!", "b success"], &["a success"]], &["run 1"]);
    check(&[&["a success", "!", "b success"], &["a success", "b fail"]], &["b fail 2"]);
    check(&[&["a success", "!"], &["a success", "!"]], &["run 1", "run 2"]);
    check(&[&["a success", "!"], &["all", "c success"]], &[]);
    check(&[&["!"], &["all"]], &["run 1"]);
}

#[test]
fn a_failure_without_a_test_fails_the_run() {
    check(&[&["a success", "- fail"]], &["run 1"]);
    check(&[&["a success", "- fail"], &["a success"]], &[]);
}

#[test]
fn many_failures_are_paged_through() {
    let temporary = temporary();
    let events = |status: &str, step: usize| -> Vec<String> {
        (0..5000).step_by(step).map(|number| format!("test_{number:05} {status}")).collect()
    };
    let load = |events: Vec<String>| {
        load(&temporary.repository, &events.iter().map(String::as_str).collect::<Vec<_>>());
    };
    load(events("fail", 1));
    assert_eq!(failing(&temporary.repository).len(), 5000);
    load(events("success", 2));
    assert_eq!(failing(&temporary.repository).len(), 2500);
    load(events("fail", 3));
    let left = failing(&temporary.repository);
    assert_eq!(left.len(), 2500 + 834);
    temporary.repository.rebuild().unwrap();
    assert_eq!(failing(&temporary.repository), left);
}

#[test]
fn what_is_outstanding_is_what_other_runs_left() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail", "b fail", "!"]);
    load(&temporary.repository, &["b success", "c fail", "w:c fail"]);
    let check = |run, tests, runs: &[u32]| {
        let outstanding = temporary.repository.outstanding(RunId(run)).unwrap();
        let ids: Vec<u32> = outstanding.runs.iter().map(|run| run.id.0).collect();
        assert_eq!((outstanding.tests, &*ids, outstanding.is_empty()), (tests, runs, false));
    };
    check(1, 2, &[]);
    check(2, 1, &[1]);
    check(3, 3, &[1]);
}
