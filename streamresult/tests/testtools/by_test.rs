//! `TestByTestResult`, over what tests say of themselves: a record for each.

use streamresult::{Records, RunningTest, StreamResult, StreamResultExt};
use subunit::{Status, TEXT_TYPE};

use crate::support::{Kept, at};

type Test<'a> = RunningTest<&'a mut dyn StreamResult>;

/// The records of tests that are run, each of two seconds.
fn check(run: impl FnOnce(&mut dyn StreamResult), expected: &[&str]) {
    let kept = Kept::default();
    let mut now = 0;
    let clock = || {
        now += 1;
        at(now - 1)
    };
    let mut result = Records::new(kept.clone()).stamped_by(clock);
    result.start_run().unwrap();
    run(&mut result);
    result.stop_run().unwrap();
    assert_eq!(kept.lines(), expected);
}

fn check_test(run: impl FnOnce(Test<'_>), expected: &str) {
    check(|result| run(RunningTest::start(result, "t").unwrap()), &[expected]);
}

#[test]
fn without_tests_nothing_is_reported() {
    check(|_| (), &[]);
}

#[test]
fn each_end_is_reported_with_its_times() {
    check_test(|test| test.succeed().unwrap(), "t success 0-1");
    check_test(|test| test.succeed_unexpectedly().unwrap(), "t uxsuccess 0-1");
    check_test(|test| test.fail("").unwrap(), "t fail 0-1");
    check_test(|test| test.end(Status::XFail).unwrap(), "t xfail 0-1");
    check_test(|test| drop(test), "t unfinished 0-0");
}

#[test]
fn a_text_is_the_traceback_or_the_reason() {
    check_test(|test| test.fail("boom").unwrap(), "t fail traceback=boom 0-1");
    check_test(|test| test.fail_as_expected("boom").unwrap(), "t xfail traceback=boom 0-1");
    check_test(|test| test.skip("rain").unwrap(), "t skip reason=rain 0-1");
}

#[test]
fn details_are_attachments_whatever_the_end() {
    for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
        let run = |mut test: Test<'_>| {
            test.attach("foo", TEXT_TYPE, b"bar").unwrap();
            test.end(status).unwrap();
        };
        // An announcement of a test that runs is a record of its own.
        if status != Status::Exists {
            check_test(run, &format!("t {status} foo=bar 0-2"));
        }
    }
}

#[test]
fn tags_of_the_run_and_of_the_test_are_merged() {
    let run = |result: &mut dyn StreamResult| {
        let mut result = result.tagged(["foo"], [""; 0]);
        RunningTest::start(&mut result, "a").unwrap().succeed().unwrap();
        RunningTest::start_tagged(&mut result, "b", ["bar"]).unwrap().succeed().unwrap();
        RunningTest::start(&mut result, "c").unwrap().succeed().unwrap();
    };
    check(run, &["a success [foo] 0-1", "b success [bar,foo] 2-3", "c success [foo] 4-5"]);
}

#[test]
fn a_test_that_runs_twice_is_two_records() {
    let run = |result: &mut dyn StreamResult| {
        let mut test = RunningTest::start(&mut *result, "t").unwrap();
        test.attach_text("foo", "bar").unwrap();
        test.succeed().unwrap();
        RunningTest::start(result, "t").unwrap().succeed().unwrap();
    };
    check(run, &["t success foo=bar 0-2", "t success 3-4"]);
}
