//! `StreamSummary`: a `Summary`, and a `RecordList` where texts are wanted.

use streamresult::{Outcome, RecordList, Records, RunVerdict, StreamResult, Summary};
use subunit::{Event, Status};

type Both = Records<(Summary, RecordList)>;

fn both(events: &[Event<'_>]) -> (Summary, RecordList) {
    let mut records: Both = Records::new((Summary::new(), RecordList::new()));
    records.start_run().unwrap();
    events.iter().for_each(|event| records.status(event).unwrap());
    records.stop_run().unwrap();
    records.into_sink()
}

fn texts(list: &RecordList, outcome: Outcome) -> Vec<(String, Option<String>)> {
    list.of(outcome).map(|record| (record.test_id.clone(), record.text())).collect()
}

#[test]
fn nothing_is_counted_at_first() {
    let (summary, list) = both(&[]);
    assert_eq!((summary.total(), list.records().len()), (0, 0));
    assert!(summary.is_success());
    assert_eq!(summary.verdict(), RunVerdict::Nothing);
}

#[test]
fn another_start_forgets_all() {
    let mut records: Both = Records::new((Summary::new(), RecordList::new()));
    for expected in [1, 1] {
        records.start_run().unwrap();
        records.status(&Event::status("x", Status::Fail)).unwrap();
        records.stop_run().unwrap();
        let (summary, list) = records.sink();
        assert_eq!((summary.failures(), list.records().len()), (expected, 1));
    }
    records.start_run().unwrap();
    let (summary, list) = records.sink();
    assert!(summary.is_success() && list.records().is_empty());
}

/// Where testtools says that an unexpected success is one, ours says that it is a failure.
#[test]
fn failures_and_unexpected_successes_count_against_the_run() {
    for status in Status::ALL {
        let (summary, list) = both(&[Event::status("x", status)]);
        let is_success = !matches!(status, Status::Fail | Status::UxSuccess | Status::InProgress);
        assert_eq!(summary.is_success(), is_success, "{status}");
        assert_eq!(list.failures().count(), usize::from(!is_success), "{status}");
    }
}

#[test]
fn an_announcement_does_not_run() {
    let (summary, _) = both(&[
        Event::status("foo", Status::InProgress),
        Event::status("foo", Status::Success),
        Event::status("bar", Status::Skip),
        Event::status("baz", Status::Exists),
    ]);
    assert!(summary.is_success());
    assert_eq!(summary.total(), 2);
}

/// testtools' text for it is "Test did not complete".
#[test]
fn a_test_without_an_end_fails_the_run_and_routes_tell_tests_apart() {
    let begins = Event::status("foo", Status::InProgress);
    let (summary, list) = both(&[begins]);
    assert_eq!((summary.unfinished(), texts(&list, Outcome::Unfinished)), (1, vec![("foo".into(), None)]));
    let elsewhere = |event: Event<'static>| event.with_route_code("A");
    let (summary, _) = both(&[begins, elsewhere(begins), elsewhere(Event::status("foo", Status::Success))]);
    assert!(!summary.is_success());
    assert_eq!(summary.total(), 2);
}

fn check_text(status: Status, name: &str) {
    let (_, list) = both(&[
        Event::test("foo.bar").with_text(name, "Missing dependency"),
        Event::status("foo.bar", status),
    ]);
    let expected = [("foo.bar".to_owned(), Some("Missing dependency".to_owned()))];
    assert_eq!(texts(&list, Outcome::of(Some(status))), expected);
    assert_eq!(list.records().len(), 1);
}

#[test]
fn a_skip_is_listed_with_its_reason() {
    check_text(Status::Skip, "reason");
}

/// testtools puts all files in one text; here they are the record's attachments, and `text` is the one that says why.
#[test]
fn failures_of_all_kinds_are_listed_with_their_text() {
    check_text(Status::Fail, "traceback");
    check_text(Status::XFail, "traceback");
    check_text(Status::UxSuccess, "reason");
}

#[test]
fn a_list_says_how_many_found_no_room() {
    let mut records = Records::new(RecordList::new().limits(1, 3));
    for id in ["a", "b"] {
        records.status(&Event::test(id).with_text("reason", "because").with_status(Status::Skip)).unwrap();
    }
    let list = records.into_sink();
    assert_eq!((list.records().len(), list.left_out()), (1, 1));
    assert_eq!(list.records()[0].text().as_deref(), Some("bec"));
}

#[test]
fn summaries_of_shards_add_up() {
    let shard = |status| both(&[Event::status("x", status), Event::status("later", Status::Exists)]).0;
    let mut running = Summary::new();
    running.status(&Event::status("y", Status::InProgress)).unwrap();
    let all: Summary = [shard(Status::Success), shard(Status::Fail), running].iter().sum();
    assert_eq!(all.to_string(), "3 tests: 1 passed, 1 failed, 1 unfinished, 2 announced but not run");
}
