//! What records become.

use formats::v1::V1Writer;
use streamresult::{Records, StreamResult as _};
use subunit::{Event, File, Status, Tags, Timestamp};

use crate::log;

pub(crate) fn written(events: &[Event<'_>]) -> String {
    let mut records = Records::new(V1Writer::new(Vec::new()));
    events.iter().for_each(|event| records.status(event).unwrap());
    records.stop_run().unwrap();
    String::from_utf8(records.into_sink().into_inner()).unwrap()
}

fn check(events: &[Event<'_>], expected: &str) {
    assert_eq!(written(events), expected);
}

const fn at(seconds: u32) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(seconds))
}

#[test]
fn a_test_has_times_tags_and_files() {
    let begun = Event { timestamp: at(0), ..Event::status("a", Status::InProgress) };
    let ended = Event {
        timestamp: at(86_400),
        tags: Tags::from(&["slow", "x y"]),
        file: Some(File { name: "log", bytes: b"ready\n" }),
        mime_type: Some("text/plain; charset=\"utf8\""),
        ..Event::status("a", Status::Fail)
    };
    check(
        &[begun, ended],
        "time: 1970-01-01 00:00:00.000000Z\ntags: slow x\\x20y\ntest: a\n\
         time: 1970-01-02 00:00:00.000000Z\nfailure: a [ multipart\n\
         Content-Type: text/plain;charset=utf8\nlog\n6\r\nready\n0\r\n]\ntags: -slow -x\\x20y\n",
    );
}

#[test]
fn every_outcome_has_its_word_and_announcements_have_none() {
    for (status, word) in [
        (Status::Success, "successful"),
        (Status::UxSuccess, "uxsuccess"),
        (Status::Skip, "skip"),
        (Status::Fail, "failure"),
        (Status::XFail, "xfail"),
    ] {
        check(&[Event::status("a", status)], &format!("test: a\n{word}: a [ multipart\n]\n"));
    }
    check(&[Event::status("a", Status::Exists)], "");
}

#[test]
fn an_unfinished_test_is_an_error_that_says_so() {
    let message = "the run ended before the test; last sign of it: inprogress\n";
    check(
        &[Event::status("a", Status::InProgress)],
        &format!(
            "test: a\nerror: a [ multipart\nContent-Type: text/plain;charset=utf8\ntraceback\n\
             {:X}\r\n{message}0\r\n]\n",
            message.len()
        ),
    );
}

#[test]
fn no_id_or_name_can_forge_a_line() {
    let id = "a\nsuccess: a\ntest: b";
    let file = File { name: "log\n0\r\n]\ntest: c", bytes: b"]\nsuccess: a\n" };
    let event = Event { file: Some(file), mime_type: Some("a/b\n]\n"), ..Event::status(id, Status::Fail) };
    let text = written(&[event]);
    assert_eq!(text.matches("\ntest: ").count() + usize::from(text.starts_with("test: ")), 1);
    let told = log(text.as_bytes(), usize::MAX);
    assert_eq!(told.len(), 3);
    assert_eq!(told[0], r"a\nsuccess: a\ntest: b inprogress");
    assert!(told[1].ends_with(r"]\nsuccess: a\n$"), "{}", told[1]);
}

#[test]
fn names_that_look_alike_stay_apart() {
    let file = |name, bytes| Event { test_id: Some("a"), ..Event::file(name, bytes) };
    let events =
        [file("x\ny", b"1"), file("x\\ny", b"2"), file("x\ry", b"3"), Event::status("a", Status::Skip)];
    let text = written(&events);
    for name in ["\nx\\ny (2)\n1\r\n1", "\nx\\ny\n1\r\n2", "\nx\\ry\n1\r\n3"] {
        assert!(text.contains(name), "{name:?} in {text}");
    }
}

#[test]
fn text_keeps_its_place_and_says_nothing() {
    let text = |bytes| Event::file("stdout", bytes);
    check(
        &[text(b"one\ntest: x\ntes"), text(b"ting"), Event::status("a", Status::Skip), text(b"end")],
        "one\n test: x\ntesting\ntest: a\nskip: a [ multipart\n]\nend",
    );
}

#[test]
fn what_comes_late_is_text_and_what_is_of_the_run_a_test() {
    let late = Event { test_id: Some("a"), ..Event::file("log", b"more") };
    let failed = Event { status: Some(Status::Fail), ..Event::default() };
    check(
        &[Event::status("a", Status::Success), late, late, failed],
        "test: a\nsuccessful: a [ multipart\n]\nmore of the file log of a, which has ended:\nmoremore\n\
         test: (the run as a whole)\nfailure: (the run as a whole) [ multipart\n]\n",
    );
}

#[test]
fn a_long_attachment_is_written_in_chunks() {
    let bytes = vec![b'\n'; 5 << 20];
    let event =
        Event { file: Some(File { name: "log", bytes: &bytes }), ..Event::status("a", Status::Success) };
    let told = log(written(&[event]).as_bytes(), usize::MAX);
    assert_eq!(told[1].len(), "a log (application/octet-stream): $".len() + 2 * bytes.len());
}
