//! What is pruned, and what stays.

use std::time::Duration;

use repository::{Error, Note, Retention, RunEnd, RunId, RunInfo, RunRef, RunState, Stored};
use subunit::Timestamp;

use crate::support::{Temporary, all_answers, failing, load, long_stream, stream, temporary};

/// Loads five runs, ended at 100, 200 … 500 seconds after 1970. The second fails a test.
fn five() -> Temporary {
    let temporary = temporary();
    for number in 1..=5 {
        let events: &[&str] = if number == 2 { &["a success", "b fail"] } else { &["a success"] };
        let end = RunEnd { end: Some(Timestamp::from_seconds(number * 100)), ..RunEnd::default() };
        temporary.repository.load(&*stream(events), RunInfo::default(), end).unwrap();
    }
    temporary
}

fn check(retention: Retention, expected: &[u32]) {
    let temporary = five();
    let now = Timestamp::from_seconds(550);
    let dry = temporary.repository.prunable(&retention, now).unwrap();
    let pruned = temporary.repository.prune(&retention, now).unwrap();
    assert_eq!(pruned, dry);
    let ids: Vec<u32> = pruned.iter().map(|pruned| pruned.run.0).collect();
    assert_eq!(ids, expected, "{retention:?}");
    assert_eq!(temporary.repository.prune(&retention, now).unwrap(), []);
    assert_eq!(failing(&temporary.repository), ["b fail 2"]);
}

#[test]
fn without_limits_all_is_kept() {
    check(Retention::default(), &[]);
}

#[test]
fn the_oldest_go_and_what_fails_stays() {
    check(Retention { runs: Some(2), ..Retention::default() }, &[1, 3]);
    check(Retention { runs: Some(2), failing_too: true, ..Retention::default() }, &[1, 2, 3]);
    check(Retention { runs: Some(0), ..Retention::default() }, &[1, 3, 4]);
    check(Retention { age: Some(Duration::from_secs(150)), ..Retention::default() }, &[1, 3]);
    check(Retention { size: Some(0), ..Retention::default() }, &[1, 3, 4]);
    check(Retention { size: Some(1 << 20), ..Retention::default() }, &[]);
}

#[test]
fn a_pinned_run_is_kept() {
    let temporary = five();
    temporary.repository.pin(RunId(1), true).unwrap();
    assert!(temporary.again().run(RunId(1)).unwrap().pinned);
    let retention = Retention { runs: Some(1), failing_too: true, ..Retention::default() };
    let prunable = |now| temporary.repository.prunable(&retention, now).unwrap().len();
    assert_eq!(prunable(Timestamp::now()), 3);
    temporary.repository.pin(RunId(1), false).unwrap();
    assert!(!temporary.again().run(RunId(1)).unwrap().pinned);
    assert_eq!(prunable(Timestamp::now()), 4);
}

#[test]
fn history_and_numbers_outlive_the_stream() {
    let temporary = temporary();
    temporary.repository.load(&*long_stream(500), RunInfo::default(), RunEnd::default()).unwrap();
    let mut killed = temporary.repository.begin(RunInfo::default()).unwrap();
    killed.load(&*stream(&["suite.test_3 success", "x inprogress"])).unwrap();
    drop(killed);
    load(&temporary.repository, &["suite.test_13 success"]);
    let failed = failing(&temporary.repository);
    let slowest = temporary.repository.slowest(RunId(1), 5).unwrap();
    let history = temporary.repository.history("suite.test_3").unwrap();
    let counts = temporary.repository.run(RunId(1)).unwrap().counts;

    for id in [1, 2, 3] {
        temporary.repository.prune_run(RunId(id)).unwrap();
    }
    assert_eq!(failing(&temporary.repository), failed);
    assert_eq!(temporary.repository.run(RunId(2)).unwrap().state, RunState::Incomplete);
    let answers = all_answers(&temporary.repository);
    temporary.repository.rebuild().unwrap();
    assert_eq!(all_answers(&temporary.again()), answers);
    assert_eq!(failing(&temporary.repository), failed);
    assert_eq!(temporary.repository.slowest(RunId(1), 5).unwrap(), slowest);
    assert_eq!(temporary.repository.history("suite.test_3").unwrap(), history);
    let run = temporary.repository.run(RunId(1)).unwrap();
    assert_eq!((run.counts, run.stored), (counts, Stored::Pruned));
    assert!(matches!(temporary.repository.stream(RunId(1)), Err(Error::Pruned(RunId(1)))));
    assert!(!temporary.file(1, "stream.subunit.zst").exists());

    assert_eq!(load(&temporary.repository, &["a success"]).id, RunId(4));
}

#[test]
fn a_run_under_way_is_not_pruned() {
    let temporary = five();
    let writer = temporary.repository.begin(RunInfo::default()).unwrap();
    assert!(matches!(temporary.repository.prune_run(writer.id()), Err(Error::Running(_))));
    let retention = Retention { runs: Some(0), failing_too: true, ..Retention::default() };
    assert_eq!(temporary.repository.prune(&retention, Timestamp::now()).unwrap().len(), 4);
    writer.finish(RunEnd::default()).unwrap();
    assert_eq!(temporary.repository.run(RunRef::LATEST).unwrap().id, RunId(6));
}

#[test]
fn limits_that_are_set_hold_after_each_run_and_whatever_they_say_a_run_is_stored() {
    let temporary = five();
    let limits = Retention { runs: Some(2), ..Retention::default() };
    assert_eq!(temporary.repository.retention().unwrap(), None);
    temporary.repository.set_retention(Some(&limits)).unwrap();
    assert_eq!(temporary.again().retention().unwrap(), Some(limits));
    temporary.repository.pin(RunId(1), true).unwrap();
    load(&temporary.repository, &["a success"]);
    let stored = |repository: &repository::Repository| {
        let runs = repository.runs().unwrap().into_iter();
        runs.filter(|run| run.stored != Stored::Pruned).map(|run| run.id.0).collect::<Vec<_>>()
    };
    // The first is pinned, the second has what fails, and both count.
    assert_eq!(stored(&temporary.repository), [1, 2, 5, 6]);
    assert!(matches!(temporary.repository.take_notes()[..], [Note::Pruned { runs: 2, .. }]));

    std::fs::write(temporary.repository.path().join("retention.json"), "{\"rums\": 1}").unwrap();
    let run = load(&temporary.repository, &["a success"]);
    assert_eq!((run.id, run.stored), (RunId(7), Stored::Compressed));
    let notes = temporary.repository.take_notes();
    assert!(matches!(&notes[..], [Note::NotPruned { why }] if why.contains("rums")), "{notes:?}");
    temporary.repository.set_retention(None).unwrap();
    load(&temporary.repository, &["a success"]);
    assert_eq!((stored(&temporary.repository).len(), temporary.repository.take_notes()), (6, vec![]));
}
