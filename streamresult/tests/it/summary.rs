use streamresult::{Details, Outcome, Records, StreamResult, Summary, record_fn};
use subunit::{Event, Status};

use crate::script::run;

/// Both ways to count come to the same.
fn summary(script: &str) -> Summary {
    let mut events = Summary::new();
    run(script, &mut events);
    let mut records = Records::new(Summary::new()).details(Details::None);
    run(script, &mut records);
    assert_eq!(counts(&events), counts(records.sink()), "{script}");
    events
}

pub(crate) fn counts(summary: &Summary) -> Vec<u64> {
    let mut counts = Outcome::ALL.map(|outcome| summary.count(outcome)).to_vec();
    counts.extend(Status::ALL.map(|status| summary.global(status)));
    counts.extend([summary.damaged(), summary.announced(), summary.late(), summary.failures()]);
    counts
}

fn check_verdict(script: &str, is_success: bool, ran: bool) {
    let summary = summary(script);
    assert_eq!((summary.is_success(), summary.ran()), (is_success, ran), "{script}");
}

#[test]
fn failures_are_fail_uxsuccess_unfinished_and_damage() {
    check_verdict("", true, false);
    check_verdict("a success\nb skip\nc xfail", true, true);
    check_verdict("a skip", true, true);
    check_verdict("a fail", false, true);
    check_verdict("a uxsuccess", false, true);
    check_verdict("a inprogress", false, true);
    check_verdict("a - file=log:x", false, true);
    check_verdict("subunit.parser - file=Data:x\nsubunit.parser fail", false, false);
    check_verdict("a fail norun", false, true);
}

#[test]
fn announced_tests_did_not_run() {
    check_verdict("a exists\nb exists", true, false);
    check_verdict("a inprogress\na exists", false, true);
}

#[test]
fn a_status_of_the_whole_run_counts() {
    check_verdict("a success\n- fail", false, true);
    check_verdict("a success\n- success\n- inprogress", true, true);
    let summary = summary("- fail\n- fail\n- exists");
    assert_eq!((summary.global(Status::Fail), summary.global_total()), (2, 3));
}

fn check_announced(script: &str, expected: u64) {
    assert_eq!(summary(script).announced(), expected, "{script}");
}

#[test]
fn announced_only_are_those_that_never_run() {
    check_announced("a exists\na exists\nb exists", 2);
    check_announced("a exists\nb exists\na inprogress\na success", 1);
    check_announced("a exists\na inprogress", 0);
    check_announced("a success\na exists", 0);
    check_announced("a inprogress\na exists\na success", 0);
    check_announced("a exists\na success\na exists", 0);
    check_announced("a exists\na success route=0", 1);
}

#[test]
fn counts_are_by_outcome() {
    let summary = summary(
        "a inprogress
         a success
         b success
         b - file=log:late
         c fail
         c fail
         d skip
         e exists
         f inprogress
         subunit.parser - file=Data:x
         subunit.parser fail
         subunit.parser - file=Data:x
         subunit.parser fail",
    );
    assert_eq!(summary.count(Outcome::Success), 2);
    assert_eq!(summary.count(Outcome::Fail), 2);
    assert_eq!(summary.unfinished(), 1);
    assert_eq!((summary.total(), summary.damaged(), summary.failures()), (6, 2, 5));
    assert_eq!((summary.announced(), summary.late()), (1, 1));
}

#[test]
fn a_test_with_the_id_of_damage_is_damage_when_it_fails_and_only_then() {
    for (status, damaged, total, failures) in [
        (Status::Success, 0, 1, 0),
        (Status::Skip, 0, 1, 0),
        (Status::Exists, 0, 0, 0),
        (Status::InProgress, 0, 1, 1),
        (Status::UxSuccess, 0, 1, 1),
        (Status::Fail, 1, 0, 1),
    ] {
        let mut events = Summary::new();
        let mut damage = 0;
        let count = record_fn(|record| {
            damage += u64::from(record.is_damage());
            Ok(())
        });
        let mut of_records = Summary::new();
        let mut all = (&mut events, Records::new((count, &mut of_records)));
        all.status(&Event::status(streamresult::DAMAGE_ID, status)).unwrap();
        all.stop_run().unwrap();
        drop(all);
        for summary in [events, of_records] {
            let found = (summary.damaged(), summary.total(), summary.failures());
            assert_eq!(found, (damaged, total, failures), "{status}");
        }
        assert_eq!(damage, damaged);
    }
}
