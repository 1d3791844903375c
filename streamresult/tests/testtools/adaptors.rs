//! `CopyStreamResult`, `StreamTagger`, `TimestampingStreamResult`, `StreamFailFast`, `TestControl`.

use streamresult::{Stop, StreamResult, StreamResultExt, TagChange, from_fn};
use subunit::{Event, File, Status, Tags};

use crate::support::{Log, at};

#[test]
fn a_list_copies_start_events_and_stop() {
    let (first, second) = (Log::default(), Log::default());
    let mut both = vec![first.clone(), second.clone()];
    both.start_run().unwrap();
    let event = Event {
        tags: Tags::from(&["tag"]),
        runnable: false,
        file: Some(File { name: "foo", bytes: b"bar" }),
        eof: true,
        mime_type: Some("text/json"),
        route_code: Some("abc"),
        timestamp: Some(at(1)),
        ..Event::status("foo", Status::Success)
    };
    both.status(&event).unwrap();
    both.stop_run().unwrap();
    let expected = ["start", "foo success [tag] not-runnable foo=bar eof text/json @abc 1", "stop"];
    assert_eq!(first.lines(), expected);
    assert_eq!(second.lines(), expected);
}

/// What becomes of absent tags, no tags, `foo`, and `foo` with `bar`.
fn check_tagged(add: &[&str], discard: &[&str], expected: [&str; 4]) {
    let log = Log::default();
    let mut tagged = log.clone().tagged(add.iter().copied(), discard.iter().copied());
    for tags in [Tags::default(), Tags::from(&[]), Tags::from(&["foo"]), Tags::from(&["foo", "bar"])] {
        tagged.status(&Event { tags, ..Event::test("a") }).unwrap();
    }
    assert_eq!(log.lines(), expected.map(|tags| format!("a{tags}")));
}

#[test]
fn a_tagger_adds() {
    check_tagged(&["new"], &[], [" [new]", " [new]", " [foo,new]", " [foo,bar,new]"]);
}

/// Where testtools makes an empty set none, ours stays: it clears the tags of the test.
#[test]
fn a_tagger_discards_and_an_empty_set_that_came_stays() {
    check_tagged(&[], &["foo"], ["", " []", "", " [bar]"]);
}

#[test]
fn a_tagger_tags_each_test() {
    let log = Log::default();
    let mut tagged = log.clone().tagged(["foo"], ["bar"]);
    for id in ["a", "b"] {
        tagged.status(&Event::test(id).with_status(Status::Success).with_tags(&["bar"])).unwrap();
    }
    assert_eq!(log.lines(), ["a success [foo]", "b success [foo]"]);
}

/// `_merge_tags`: one change after another; the later one wins.
#[test]
fn changes_of_tags_one_after_the_other_are_merged() {
    let check = |first: [&[&str]; 2], second: [&[&str]; 2], tags: &[&str], expected: &[&str]| {
        let change = |[add, discard]: [&[&str]; 2]| TagChange::new(add.to_vec(), discard.to_vec());
        let (first, second) = (change(first), change(second));
        let between = first.apply(tags.into()).unwrap_or_else(|| tags.to_vec());
        let after = second.apply(between.as_slice().into()).unwrap_or_else(|| between.clone());
        assert_eq!(after, expected);
    };
    let tags = ["missing", "going", "coming"];
    check([&["present"], &["missing"]], [&[], &["going"]], &tags, &["coming", "present"]);
    check([&["present", "going"], &["missing"]], [&[], &["going"]], &["missing"], &["present"]);
    check([&["present"], &["missing"]], [&["coming"], &[]], &["missing"], &["present", "coming"]);
    check([&["present"], &["coming", "missing"]], [&["coming"], &[]], &tags, &["going", "present", "coming"]);
}

#[test]
fn only_events_without_a_time_are_stamped() {
    let log = Log::default();
    let mut stamped = log.clone().stamped_by(|| at(7));
    stamped.start_run().unwrap();
    stamped.status(&Event::test("a").with_timestamp(at(5))).unwrap();
    stamped.status(&Event::test("a")).unwrap();
    stamped.stop_run().unwrap();
    assert_eq!(log.lines(), ["start", "a 5", "a 7", "stop"]);
}

/// The second call of testtools' is ours with `each`.
#[test]
fn failures_raise_the_alarm() {
    for status in Status::ALL {
        let (mut once, mut each) = (0, 0);
        {
            let mut both = (
                from_fn(|_| Ok(())).fail_fast(|_| once += 1),
                from_fn(|_| Ok(())).fail_fast(|_| each += 1).each(),
            );
            both.status(&Event::status("foo", status)).unwrap();
            both.status(&Event::status("foo", status)).unwrap();
        }
        let is_failure = matches!(status, Status::Fail | Status::UxSuccess);
        assert_eq!((once, each), if is_failure { (1, 2) } else { (0, 0) }, "{status}");
    }
}

#[test]
fn nobody_asks_to_stop_at_first() {
    assert!(!(Log::default(), Stop::new()).should_stop());
}

#[test]
fn a_request_to_stop_reaches_whoever_asks() {
    let stop = Stop::new();
    let result = vec![(Log::default(), stop.clone())].tagged(["a"], [""; 0]).whole_tests().isolated();
    stop.request();
    assert!(result.should_stop());
}

#[test]
fn a_failure_can_be_the_request() {
    let stop = Stop::new();
    let mut result = (Log::default(), stop.clone()).fail_fast(|_| stop.request());
    result.status(&Event::status("a", Status::Success)).unwrap();
    assert!(!result.should_stop());
    result.status(&Event::status("b", Status::Fail)).unwrap();
    assert!(result.should_stop());
}
