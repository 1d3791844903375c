//! Questions and answers.

use std::time::Duration;

use repository::{
    Change, Error, Flakiness, Git, Retention, RunEnd, RunId, RunInfo, RunRef, RunState, Standing,
};
use streamresult::{Records, record_fn};
use subunit::io::Writer;
use subunit::{Event, Status, Timestamp};

use crate::support::{load, stream, temporary};

#[test]
fn runs_are_named_by_number_and_from_the_end() {
    let temporary = temporary();
    let repository = &temporary.repository;
    assert!(matches!(repository.run(RunRef::LATEST), Err(Error::NoRuns { .. })));
    for events in [&["a fail"][..], &["a success"], &["a skip"]] {
        load(repository, events);
    }
    let id = |name: &str| repository.run(name.parse::<RunRef>().unwrap()).map(|run| run.id.0);
    assert_eq!(id("2").unwrap(), 2);
    assert_eq!(id("-1").unwrap(), 3);
    assert_eq!(id("-3").unwrap(), 1);
    assert_eq!(id("latest").unwrap(), 3);
    assert_eq!(id("latest-failing").unwrap(), 1);
    assert!(matches!(id("-4"), Err(Error::NotSoManyRuns { back: 4, runs: 3 })));
    assert!(matches!(id("4"), Err(Error::NoSuchRun(RunId(4)))));
}

#[test]
fn what_is_said_of_a_run_is_kept() {
    let temporary = temporary();
    let time = |seconds| Timestamp::new(seconds, 123_456_789);
    let info = RunInfo {
        command: Some("make".into()),
        arguments: vec!["check".into(), "new\nline".into()],
        start: time(1_600_000_000),
        git: Some(Git { commit: "abc".into(), branch: Some("main".into()), dirty: Some(true) }),
        workers: Some(4),
        is_selection: true,
    };
    let end = RunEnd { end: time(1_600_000_100), exit: Some(2), interrupted: true, ..RunEnd::default() };
    let run = temporary.repository.load(&*stream(&["a success"]), info.clone(), end.clone()).unwrap();
    temporary.repository.rebuild().unwrap();
    let read = temporary.again().run(run.id).unwrap();
    assert_eq!(read, run);
    assert_eq!((&read.info, read.end.as_ref(), read.state), (&info, Some(&end), RunState::Interrupted));
}

fn check_standing(events: &[&str], end: RunEnd, expected: Standing) {
    let temporary = temporary();
    let run = temporary.repository.load(&*stream(events), RunInfo::default(), end).unwrap();
    assert_eq!(run.standing(), expected, "{events:?}");
}

#[test]
fn a_run_passes_only_when_nothing_speaks_against_it() {
    check_standing(&["a success", "b skip", "c xfail"], RunEnd::default(), Standing::Passed);
    for failure in ["b fail", "b uxsuccess", "b inprogress", "- fail", "!", "b +log"] {
        check_standing(&["a success", failure], RunEnd::default(), Standing::Failed);
    }
    check_standing(&[], RunEnd::default(), Standing::Empty);
    check_standing(&["a exists"], RunEnd::default(), Standing::Empty);
    let interrupted = RunEnd { interrupted: true, ..RunEnd::default() };
    check_standing(&["a success"], interrupted, Standing::Incomplete);
    check_standing(&["a success"], RunEnd { exit: Some(1), ..RunEnd::default() }, Standing::Failed);
    check_standing(&["a success"], RunEnd { exit: Some(0), ..RunEnd::default() }, Standing::Passed);
}

#[test]
fn the_slowest_come_first() {
    let temporary = temporary();
    let events =
        ["a inprogress", "a success", "b inprogress", "c inprogress", "c fail", "b success", "d success"];
    load(&temporary.repository, &events);
    let slowest = |count| {
        let times = temporary.repository.slowest(RunRef::LATEST, count).unwrap();
        times.iter().map(|time| format!("{} {}", time.test_id, time.duration.as_secs())).collect::<Vec<_>>()
    };
    assert_eq!(slowest(10), ["b 3", "a 1", "c 1"]);
    assert_eq!(slowest(2), ["b 3", "a 1"]);
    assert_eq!(slowest(0), [""; 0]);
}

#[test]
fn history_has_every_outcome() {
    let temporary = temporary();
    for events in [&["1:a fail", "1:a success"][..], &["b success"], &["a skip"]] {
        load(&temporary.repository, events);
    }
    let history = temporary.repository.history("a").unwrap();
    let lines: Vec<_> =
        history.iter().map(|past| format!("{} {:?} {}", past.run, past.route_code, past.outcome)).collect();
    assert_eq!(lines, ["1 Some(\"1\") fail", "1 Some(\"1\") success", "3 None skip"]);
    assert_eq!(temporary.repository.history("x").unwrap(), []);
}

#[test]
fn two_runs_are_compared_by_test() {
    let temporary = temporary();
    load(
        &temporary.repository,
        &["1:a success", "b fail", "c success", "d skip", "e inprogress", "e success"],
    );
    load(
        &temporary.repository,
        &["2:a success", "b success", "c inprogress", "f success", "e inprogress", "?", "e success"],
    );
    let mut changes = Vec::new();
    let diff = |test: &repository::ComparedTest<'_>| {
        changes.push((test.test_id.to_owned(), test.change()));
        assert!(test.test_id != "e" || test.slowdown() == Some(2.0));
    };
    temporary.repository.diff(RunId(1), RunId(2), diff).unwrap();
    let expected = [
        ("a", Change::Same),
        ("b", Change::Fixed),
        ("c", Change::Broken),
        ("d", Change::Gone),
        ("e", Change::Same),
        ("f", Change::New),
    ];
    assert_eq!(changes, expected.map(|(id, change)| (id.to_owned(), change)));
}

#[test]
fn flaky_is_what_goes_back_and_forth() {
    let temporary = temporary();
    let runs: [&[&str]; 4] = [
        &["broken success", "flips fail", "fixed fail", "retried success", "skips skip"],
        &[
            "broken success",
            "flips success",
            "fixed fail",
            "retried fail",
            "retried success",
            "skips success",
        ],
        &["broken fail", "flips fail", "fixed success", "retried success", "skips skip"],
        &["broken fail", "flips success", "fixed success", "retried success", "skips success"],
    ];
    runs.iter().for_each(|events| drop(load(&temporary.repository, events)));
    let flaky = |asked| {
        let tests = temporary.repository.flaky(asked).unwrap();
        tests
            .iter()
            .map(|test| {
                format!("{} {}/{} {} {}", test.test_id, test.failures, test.runs, test.changes, test.mixed)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(flaky(Flakiness::default()), ["flips 2/4 3 0", "retried 1/4 2 1"]);
    assert_eq!(flaky(Flakiness { runs: 2, ..Flakiness::default() }), [""; 0]);
    assert_eq!(flaky(Flakiness { least: 5, ..Flakiness::default() }), [""; 0]);
}

#[test]
fn a_log_has_the_packets_of_one_test_and_late_ones() {
    let temporary = temporary();
    let events = [
        "a inprogress",
        "1:a inprogress",
        "a +first",
        "b +other",
        "1:a +routed",
        "?",
        "a fail",
        "1:a fail",
        "a +late",
    ];
    load(&temporary.repository, &events);
    let mut files = Vec::new();
    let mut sink = Writer::new(Vec::new());
    assert_eq!(temporary.repository.log(RunRef::LATEST, "a", Some(None), &mut sink).unwrap(), 4);
    let kept = ["a inprogress", "", "a +first", "", "", "", "a fail", "", "a +late"];
    let whole = stream(&events);
    let packets = sink.into_inner().unwrap();
    assert!(packets.len() < whole.len());
    let mut records = Records::new(record_fn(|record| {
        files.extend(record.attachments().map(|file| file.text(100).unwrap().into_owned()));
        Ok(())
    }));
    assert_eq!(temporary.repository.log(RunRef::LATEST, "a", Some(Some("1")), &mut records).unwrap(), 3);
    drop(records);
    assert_eq!((files, kept.len()), (vec!["routed".to_owned()], events.len()));
    let mut nothing = Writer::new(Vec::new());
    assert_eq!(temporary.repository.log(RunRef::LATEST, "x", None, &mut nothing).unwrap(), 0);
    assert_eq!(temporary.repository.log(RunRef::LATEST, "a", None, &mut nothing).unwrap(), 7);
}

#[test]
fn timings_are_those_of_the_latest_run() {
    let temporary = temporary();
    load(&temporary.repository, &["a inprogress", "a success", "b inprogress", "?", "b success"]);
    load(&temporary.repository, &["a inprogress", "?", "?", "a fail", "b inprogress", "b skip"]);
    let timings = temporary.repository.timings(10).unwrap();
    assert_eq!(timings.get("a"), Some(Duration::from_secs(3)));
    assert_eq!(timings.get("b"), Some(Duration::from_secs(2)));
    assert_eq!((timings.get("c"), timings.len()), (None, 2));
}

#[test]
fn a_clock_that_goes_back_makes_no_duration_and_prunes_nothing() {
    let temporary = temporary();
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    let mut writer = Writer::new(Vec::new());
    for (seconds, status) in [(500, Status::InProgress), (100, Status::Success)] {
        writer.write(&Event { timestamp: at(seconds), ..Event::status("a", status) }).unwrap();
    }
    let stream = writer.into_inner().unwrap();
    let info = RunInfo { start: at(900), ..RunInfo::default() };
    let end = RunEnd { end: at(800), ..RunEnd::default() };
    let run = temporary.repository.load(&*stream, info, end).unwrap();
    load(&temporary.repository, &["b success"]);
    assert_eq!((run.first, run.last), (at(100), at(500)));
    let slowest = temporary.repository.slowest(run.id, 1).unwrap();
    assert!(slowest.is_empty() || slowest[0].duration == Duration::ZERO, "{slowest:?}");
    let retention = Retention { age: Some(Duration::ZERO), ..Retention::default() };
    assert_eq!(temporary.repository.prunable(&retention, Timestamp::default()).unwrap(), []);
}

#[test]
fn the_past_of_a_run_is_what_became_of_its_tests_before() {
    let temporary = temporary();
    let repository = &temporary.repository;
    for events in [&["a success", "b exists"][..], &["a fail", "x:a success"], &["b success"], &["a success"]]
    {
        load(repository, events);
    }
    let past = repository.past(RunId(4), 20).unwrap();
    let of = |past: &repository::Past, id| -> Vec<_> {
        past.get(id).iter().map(|past| (past.run.0, past.outcome.as_str())).collect()
    };
    assert_eq!(past.runs(), [RunId(3), RunId(2), RunId(1)]);
    assert_eq!(of(&past, "a"), [(2, "fail"), (1, "success")]);
    assert_eq!(of(&past, "b"), [(3, "success")]);
    assert_eq!(of(&repository.past(RunId(3), 1).unwrap(), "a"), [(2, "fail")]);
    assert!(repository.past(RunId(1), 9).unwrap().runs().is_empty());
}

#[test]
fn the_latest_runs_come_first_and_are_few() {
    let temporary = temporary();
    let repository = &temporary.repository;
    for _ in 0..3 {
        load(repository, &["a success"]);
    }
    let running = repository.begin(RunInfo::default()).unwrap();
    let ids = |before: Option<u32>, most| -> Vec<u32> {
        let runs = repository.latest_runs(before.map(RunId), most).unwrap();
        runs.iter().map(|run| run.id.0).collect()
    };
    assert_eq!(ids(None, 9), [4, 3, 2, 1]);
    assert_eq!(ids(Some(4), 2), [3, 2]);
    assert_eq!(ids(Some(1), 2), [0; 0]);
    let latest = repository.latest_history("a", 2).unwrap();
    assert_eq!(latest.iter().map(|past| past.run.0).collect::<Vec<_>>(), [2, 3]);
    drop(running);
}
