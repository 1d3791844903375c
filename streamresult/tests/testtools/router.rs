//! `StreamResultRouter`.

use streamresult::{Notify, Router, Rule, StreamResult};
use subunit::{Event, Status};

use crate::support::Log;

/// A router with a fallback, and one more sink.
fn router(notify: Notify) -> (Router<Log>, streamresult::SinkId, Log, Log) {
    let (fallback, sink) = (Log::default(), Log::default());
    let mut router = Router::default();
    let id = router.add_sink(fallback.clone(), notify).unwrap();
    router.set_fallback(id);
    let id = router.add_sink(sink.clone(), notify).unwrap();
    (router, id, sink, fallback)
}

fn from(route_code: Option<&str>) -> Event<'_> {
    Event { route_code, ..Event::test("foo") }
}

#[test]
fn without_a_fallback_a_run_starts_and_stops() {
    let mut router = Router::new();
    router.start_run().unwrap();
    router.stop_run().unwrap();
}

#[test]
fn without_a_fallback_an_event_that_no_rule_takes_is_an_error() {
    assert!(Router::new().status(&Event::test("f")).is_err());
}

#[test]
fn the_fallback_gets_everything_or_events_only() {
    for (notify, expected) in
        [(Notify::StartStop, &["start", "foo", "stop"][..]), (Notify::EventsOnly, &["foo"])]
    {
        let (mut router, _, _, fallback) = router(notify);
        router.start_run().unwrap();
        router.status(&from(None)).unwrap();
        router.stop_run().unwrap();
        assert_eq!(fallback.lines(), expected);
    }
}

/// testtools refuses a prefix with a slash; here it has several elements, of which the last is empty.
#[test]
fn a_prefix_may_have_several_elements() {
    let (mut router, id, sink, fallback) = router(Notify::EventsOnly);
    router.add_rule(Rule::route("0/"), id);
    router.add_rule(Rule::route("1/2"), id);
    for code in ["0", "0/", "0/1", "1", "1/2", "1/2/3", "1/23"] {
        router.status(&from(Some(code))).unwrap();
    }
    assert_eq!(sink.lines(), ["foo @0/", "foo @1/2", "foo @1/2/3"]);
    assert_eq!(fallback.lines(), ["foo @0", "foo @0/1", "foo @1", "foo @1/23"]);
}

fn check_prefix(rule: Rule, expected: [&str; 2]) {
    let (mut router, id, sink, fallback) = router(Notify::EventsOnly);
    router.add_rule(rule, id);
    for code in [Some("0"), Some("0/1"), Some("1"), None, Some("01")] {
        router.status(&from(code)).unwrap();
    }
    assert_eq!(sink.lines(), expected);
    assert_eq!(fallback.lines(), ["foo @1", "foo", "foo @01"]);
}

#[test]
fn a_prefix_stays_in_the_route_code() {
    check_prefix(Rule::route("0"), ["foo @0", "foo @0/1"]);
}

#[test]
fn a_prefix_that_is_consumed_leaves_the_route_code() {
    check_prefix(Rule::route("0").consuming(), ["foo", "foo @1"]);
}

#[test]
fn events_without_a_test_id_have_a_rule() {
    let (mut router, id, sink, fallback) = router(Notify::EventsOnly);
    router.add_rule(Rule::no_test_id(), id);
    router.status(&Event::file("bar", b"")).unwrap();
    router.status(&Event::status("foo", Status::Exists)).unwrap();
    assert_eq!((sink.lines(), fallback.lines()), (vec!["- bar=".into()], vec!["foo exists".into()]));
}

#[test]
fn a_sink_is_started_and_stopped_whenever_it_is_added() {
    for is_running in [false, true] {
        let log = Log::default();
        let mut router = Router::default();
        if is_running {
            router.start_run().unwrap();
        }
        let id = router.add_sink(log.clone(), Notify::StartStop).unwrap();
        router.add_rule(Rule::no_test_id(), id);
        if !is_running {
            router.start_run().unwrap();
        }
        router.stop_run().unwrap();
        assert_eq!(log.lines(), ["start", "stop"]);
    }
}
