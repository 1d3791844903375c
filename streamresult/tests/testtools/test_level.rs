//! `ExtendedToStreamDecorator` and `ResourcedToStreamDecorator`: what a test says of itself, as events; and the contract
//! of `TestResult`, as far as it is about what comes out.

use std::io::{self, Read};

use streamresult::{RunningTest, StreamResult, StreamResultExt, Summary};
use subunit::{Event, Status, TEXT_TYPE};

use crate::support::{Log, at};

fn check(run: impl FnOnce(&mut Log), expected: &[&str]) {
    let mut log = Log::default();
    run(&mut log);
    assert_eq!(log.lines(), expected);
}

#[test]
fn times_are_those_of_the_clock_that_is_given() {
    let log = Log::default();
    let mut result = log.clone().stamped_by(|| at(9));
    result.start_run().unwrap();
    RunningTest::start(&mut result, "t").unwrap().succeed().unwrap();
    result.stop_run().unwrap();
    assert_eq!(log.lines(), ["start", "t inprogress 9", "t success 9", "stop"]);
}

#[test]
fn a_run_with_a_failure_is_no_success_after_its_stop() {
    let mut summary = Summary::new();
    StreamResult::start_run(&mut summary).unwrap();
    summary.status(&Event::status("foo", Status::Fail)).unwrap();
    StreamResult::stop_run(&mut summary).unwrap();
    assert!(!summary.is_success());
}

#[test]
fn an_empty_detail_is_an_attachment_with_an_end() {
    let run = |log: &mut Log| {
        let mut test = RunningTest::start(log, "t").unwrap();
        test.attach("foo", TEXT_TYPE, b"").unwrap();
        test.end(Status::Fail).unwrap();
    };
    check(run, &["t inprogress", "t foo= eof text/plain;charset=utf8", "t fail"]);
}

#[test]
fn making_and_cleaning_a_resource_are_steps_that_cannot_be_run_alone() {
    let run = |log: &mut Log| {
        RunningTest::start_step(&mut *log, "nice.resource.make").unwrap().succeed().unwrap();
        RunningTest::start_step(log, "nice.resource.clean").unwrap().succeed().unwrap();
    };
    let expected = [
        "nice.resource.make inprogress not-runnable",
        "nice.resource.make success not-runnable",
        "nice.resource.clean inprogress not-runnable",
        "nice.resource.clean success not-runnable",
    ];
    check(run, &expected);
}

/// The run is a success unless a test fails, is unfinished, or passes unexpectedly.
#[test]
fn each_end_is_a_success_or_none() {
    let is_success = |run: &dyn Fn(RunningTest<&mut Summary>)| {
        let mut summary = Summary::new();
        run(RunningTest::start(&mut summary, "t").unwrap());
        StreamResult::stop_run(&mut summary).unwrap();
        summary.is_success()
    };
    assert!(Summary::new().is_success());
    assert!(is_success(&|test| test.succeed().unwrap()));
    assert!(is_success(&|test| test.skip("rain").unwrap()));
    assert!(is_success(&|test| test.fail_as_expected("boom").unwrap()));
    assert!(!is_success(&|test| test.fail("boom").unwrap()));
    assert!(!is_success(&|test| test.succeed_unexpectedly().unwrap()));
    assert!(!is_success(&|test| drop(test)));
}

#[test]
fn another_start_makes_a_failed_run_a_fresh_one() {
    for status in [Status::Fail, Status::UxSuccess, Status::InProgress] {
        let mut summary = Summary::new();
        summary.status(&Event::status("t", status)).unwrap();
        StreamResult::stop_run(&mut summary).unwrap();
        assert!(!summary.is_success());
        StreamResult::start_run(&mut summary).unwrap();
        assert!(summary.is_success());
    }
}

/// Tags of the run are those of a tagger around it; those of a test are its own, and end with it.
#[test]
fn tags_of_a_test_are_its_own() {
    let run = |log: &mut Log| {
        RunningTest::start(&mut *log, "a").unwrap().succeed().unwrap();
        let mut result = log.tagged(["foo"], [""; 0]);
        let mut test = RunningTest::start_tagged(&mut result, "b", ["bar"]).unwrap();
        test.set_tags(["baz"]);
        test.succeed().unwrap();
        RunningTest::start(&mut result, "c").unwrap().succeed().unwrap();
    };
    let expected = [
        "a inprogress",
        "a success",
        "b inprogress [bar,foo]",
        "b success [baz,foo]",
        "c inprogress [foo]",
        "c success [foo]",
    ];
    check(run, &expected);
}

/// A tag of the run is taken from one test by a tagger around that test alone.
#[test]
fn tags_of_the_run_can_be_taken_from_one_test() {
    let run = |log: &mut Log| {
        let mut result = log.tagged(["foo", "x"], [""; 0]);
        RunningTest::start((&mut result).tagged([""; 0], ["y"]), "a").unwrap().succeed().unwrap();
        let inner = result.into_inner();
        RunningTest::start(inner.tagged(["foo", "x"], ["foo"]), "b").unwrap().succeed().unwrap();
    };
    check(run, &["a inprogress [foo,x]", "a success [foo,x]", "b inprogress [x]", "b success [x]"]);
}

#[test]
fn a_subtest_is_a_test_with_the_tags_of_its_parent() {
    let run = |log: &mut Log| {
        let mut test = RunningTest::start_tagged(log, "a", ["slow"]).unwrap();
        test.subtest("i=1").unwrap().succeed().unwrap();
        drop(test);
    };
    check(run, &["a inprogress [slow]", "a/i=1 inprogress [slow]", "a/i=1 success [slow]"]);
}

#[test]
fn a_long_attachment_goes_out_while_it_is_read() {
    let run = |log: &mut Log| {
        let mut test = RunningTest::start(log, "a").unwrap();
        test.attach_from("log", "text/plain", (&b"one"[..]).chain(&b"two"[..])).unwrap();
    };
    check(run, &["a inprogress", "a log=one text/plain", "a log=two text/plain", "a log= eof text/plain"]);
}

#[test]
fn what_cannot_be_read_has_no_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let run = |log: &mut Log| {
        let mut test = RunningTest::start(log, "a").unwrap();
        assert!(test.attach_from("log", "text/plain", (&b"one"[..]).chain(Broken)).is_err());
        test.fail("unplugged").unwrap();
    };
    let end = "a fail traceback=unplugged eof text/x-traceback;charset=utf8";
    check(run, &["a inprogress", "a log=one text/plain", end]);
}
