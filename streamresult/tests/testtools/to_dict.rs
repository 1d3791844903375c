//! `StreamToDict` and `StreamToExtendedDecorator`: records.

use streamresult::{Outcome, Records, StreamResult};
use subunit::{Event, Status, TEXT_TYPE};

use crate::support::{Kept, at};

fn check(events: &[Event<'_>], expected: &[&str]) -> Kept {
    let kept = Kept::default();
    let mut records = Records::new(kept.clone());
    records.start_run().unwrap();
    events.iter().for_each(|event| records.status(event).unwrap());
    records.stop_run().unwrap();
    assert_eq!(kept.lines(), expected);
    kept
}

/// In testtools' words: `inprogress`.
#[test]
fn a_test_that_hangs_is_a_record_when_the_run_stops() {
    let kept = Kept::default();
    let mut records = Records::new(kept.clone());
    records.start_run().unwrap();
    records.status(&Event::status("foo", Status::InProgress)).unwrap();
    assert!(kept.lines().is_empty());
    records.stop_run().unwrap();
    assert_eq!(kept.lines(), ["foo unfinished"]);
}

#[test]
fn each_end_is_a_record_at_once() {
    let kept = Kept::default();
    let mut records = Records::new(kept.clone());
    let ends: Vec<Status> = Status::ALL.into_iter().filter(|status| status.is_final()).collect();
    for (before, status) in ends.iter().enumerate() {
        assert_eq!(kept.lines().len(), before);
        records.status(&Event::status(status.as_str(), *status)).unwrap();
    }
    records.stop_run().unwrap();
    assert_eq!(kept.lines(), ends.iter().map(|status| format!("{status} {status}")).collect::<Vec<_>>());
}

/// In testtools' words, such a test is `unknown`, and a file without a type gets one; here it has none.
#[test]
fn files_are_reported_with_their_test() {
    let log = Event::test("foo.bar").with_text("some log.txt", "1234 log message");
    let other = Event::test("foo.bar").with_file("another file", b"Traceback...");
    let kept =
        check(&[log, other], &["foo.bar unfinished some log.txt=1234 log message another file=Traceback..."]);
    let kept = kept.0.borrow();
    let types: Vec<_> = kept[0].attachments.iter().map(|file| file.mime_type.as_deref()).collect();
    assert_eq!(types, [Some(TEXT_TYPE), None]);
}

/// testtools repairs it; here it is handed through, and whoever shows it sees to it.
#[test]
fn a_mime_type_is_kept_as_it_came() {
    let odd = "text/plain; charset=utf8, language=python";
    let kept =
        check(&[Event::test("id").with_file("file", b"a").with_mime_type(odd)], &["id unfinished file=a"]);
    assert_eq!(kept.0.borrow()[0].attachments[0].mime_type.as_deref(), Some(odd));
}

/// Where testtools gives no second time, the last is the first here, and there is no duration.
#[test]
fn times_are_those_of_the_first_and_the_last_event() {
    let begins = |id, time| Event::status(id, Status::InProgress).with_timestamp(at(time));
    let kept = check(
        &[begins("foo", 1), Event::status("foo", Status::Success).with_timestamp(at(2)), begins("bar", 3)],
        &["foo success 1-2", "bar unfinished 3-3"],
    );
    assert_eq!(kept.0.borrow()[1].duration, None);
}

/// testtools leaves it out.
#[test]
fn a_file_without_bytes_is_a_file() {
    check(&[Event::test("foo.bar").with_text("some log.txt", "")], &["foo.bar unfinished some log.txt="]);
}

#[test]
fn a_fresh_record_is_unfinished_until_an_end_comes() {
    let mut records = Records::new(Kept::default());
    records.status(&Event::status("a", Status::InProgress)).unwrap();
    assert_eq!(records.open()[0].outcome(), Outcome::Unfinished);
    assert!(records.open()[0].outcome().is_failure());
}
