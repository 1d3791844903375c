//! `ThreadsafeForwardingResult`: several threads, one target, one test at a time.

use std::sync::{Arc, Mutex};

use streamresult::{RunningTest, StreamResult, StreamResultExt, from_fn};
use subunit::{Event, Status};

/// The lines of a target to which these share a way.
fn check(run: impl FnOnce(Arc<Mutex<dyn StreamResult + Send>>), expected: &[&str]) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let target = from_fn(move |event: &Event<'_>| {
        let status = event.status.map_or("-", Status::as_str);
        let tags: Vec<&str> = event.tags.iter().collect();
        let line = format!("{} {status} {}", event.test_id.unwrap_or("-"), tags.join(","));
        seen.lock().unwrap().push(line.trim_end().to_owned());
        Ok(())
    });
    let shared: Arc<Mutex<dyn StreamResult + Send>> = Arc::new(Mutex::new(target.whole_tests()));
    run(Arc::clone(&shared));
    assert_eq!(*lines.lock().unwrap(), expected);
}

#[test]
fn a_test_is_forwarded_when_it_ends() {
    let run = |shared: Arc<Mutex<dyn StreamResult + Send>>| {
        let _running = RunningTest::start(shared, "a").unwrap();
    };
    check(run, &[]);
}

#[test]
fn each_end_is_forwarded_with_its_beginning() {
    for status in [Status::Success, Status::Fail, Status::Skip, Status::XFail, Status::UxSuccess] {
        let run = |shared| RunningTest::start(shared, "a").unwrap().end(status).unwrap();
        check(run, &["a inprogress", &format!("a {status}")]);
    }
}

#[test]
fn only_one_test_at_a_time_reaches_the_target() {
    let run = |shared: Arc<Mutex<dyn StreamResult + Send>>| {
        let first = RunningTest::start(shared.clone(), "first").unwrap();
        let second = RunningTest::start(shared, "second").unwrap();
        second.succeed().unwrap();
        first.fail("").unwrap();
    };
    check(run, &["second inprogress", "second success", "first inprogress", "first fail"]);
}

#[test]
fn threads_do_not_mix() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let target = from_fn(move |event: &Event<'_>| {
        seen.lock().unwrap().extend(event.test_id.map(str::to_owned));
        Ok(())
    });
    let shared = Arc::new(Mutex::new(target.whole_tests()));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let shared = shared.clone();
            scope.spawn(move || {
                for test in 0..50 {
                    let mut test = RunningTest::start(shared.clone(), format!("{thread}.{test}")).unwrap();
                    test.attach_text("log", "x").unwrap();
                    test.succeed().unwrap();
                }
            });
        }
    });
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 4 * 50 * 3);
    assert!(lines.chunks(3).all(|test| test.iter().all(|id| *id == test[0])));
}

#[test]
fn tags_of_a_way_are_those_of_its_tests_alone() {
    let run = |shared: Arc<Mutex<dyn StreamResult + Send>>| {
        let mut tagged = shared.clone().tagged(["foo", "bar"], ["baz"]).tagged(["cat", "baz"], ["dog"]);
        RunningTest::start_tagged(&mut tagged, "a", ["dog", "own"]).unwrap().succeed().unwrap();
        RunningTest::start(shared, "b").unwrap().succeed().unwrap();
    };
    check(run, &["a inprogress own,cat,foo,bar", "a success own,cat,foo,bar", "b inprogress", "b success"]);
}

#[test]
fn starts_and_stops_are_forwarded_at_once() {
    let log = crate::support::Log::default();
    let mut result = log.clone().whole_tests();
    result.start_run().unwrap();
    assert_eq!(log.lines(), ["start"]);
    result.status(&Event::status("a", Status::InProgress)).unwrap();
    result.stop_run().unwrap();
    assert_eq!(log.lines(), ["start", "a inprogress", "stop"], "what is unfinished comes before the stop");
}
