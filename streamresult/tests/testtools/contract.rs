//! Every result takes every combination of what an event can say.

use streamresult::{
    Notify, Records, Router, RunningTest, StreamResult, StreamResultExt, Summary, channel, from_fn, record_fn,
};
use subunit::{Event, Status, Tags, Timestamp};

use crate::support::Log;

fn check(mut result: impl StreamResult) {
    result.start_run().unwrap();
    files(&mut result);
    result.stop_run().unwrap();
    result.start_run().unwrap();
    statuses(&mut result);
    result.stop_run().unwrap();
}

fn files(result: &mut impl StreamResult) {
    for bits in 0..32u32 {
        let has = |bit: u32| bits >> bit & 1 == 1;
        let event = Event {
            eof: has(0),
            mime_type: has(1).then_some("text/plain"),
            route_code: has(2).then_some("1234"),
            test_id: has(3).then_some("foo"),
            timestamp: has(4).then(Timestamp::now),
            runnable: true,
            ..Event::default()
        };
        result.status(&event.with_file("foo", b"")).unwrap();
        result.status(&event.with_file("foo", b"bar")).unwrap();
    }
}

fn statuses(result: &mut impl StreamResult) {
    for bits in 0..16u32 {
        let has = |bit: u32| bits >> bit & 1 == 1;
        for status in Status::ALL {
            let event = Event {
                runnable: !has(0),
                tags: if has(1) { Tags::from(&["quux"]) } else { Tags::default() },
                route_code: has(2).then_some("1234"),
                timestamp: has(3).then(Timestamp::now),
                ..Event::status("foo", status)
            };
            result.status(&event).unwrap();
        }
    }
}

fn nothing() -> impl StreamResult {
    from_fn(|_| Ok(()))
}

#[test]
fn a_function() {
    check(nothing());
}

#[test]
fn a_list_that_writes_down_what_it_is_told() {
    check((nothing(), vec![Log::default(), Log::default()]));
}

#[test]
fn a_summary() {
    check(Summary::new());
}

#[test]
fn adaptors() {
    check(nothing().tagged(["foo"], ["bar"]));
    check(nothing().stamped());
    check(nothing().fail_fast(|_| ()));
    check(nothing().whole_tests());
}

#[test]
fn records() {
    check(Records::new(record_fn(|_| Ok(()))));
}

#[test]
fn a_channel() {
    let (sender, receiver) = channel::channel(1000);
    check(sender.routed("0"));
    drop(receiver);
}

#[test]
fn a_router() {
    let mut router = Router::default();
    let fallback = router.add_sink(nothing(), Notify::StartStop).unwrap();
    router.set_fallback(fallback);
    check(router);
}

#[test]
fn what_a_test_says_of_itself_goes_beside_other_events() {
    let mut result = Log::default();
    RunningTest::start(&mut result, "a").unwrap().succeed().unwrap();
    check(result);
}
