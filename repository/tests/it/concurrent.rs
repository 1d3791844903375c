//! Many processes and threads at the same time.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use repository::{Flakiness, Repository, RunEnd, RunId, RunInfo, RunState};

use crate::helper;
use crate::support::{all_answers, bytes, failing, load, stream, temporary};

#[test]
fn eighty_loads_at_once_lose_nothing_and_fail_nothing() {
    let temporary = temporary();
    let streams: Vec<Vec<u8>> = (0..80)
        .map(|number| stream(&[&format!("test_{number} inprogress"), &format!("test_{number} fail")]))
        .collect();
    let mut children: Vec<_> =
        streams.iter().map(|_| helper::start("load", temporary.folder.path())).collect();
    for (child, stream) in children.iter_mut().zip(&streams) {
        child.stdin.take().unwrap().write_all(stream).unwrap();
    }
    children.into_iter().for_each(helper::end);

    let runs = temporary.repository.runs().unwrap();
    let ids: Vec<u32> = runs.iter().map(|run| run.id.0).collect();
    assert_eq!(ids, (1..=80).collect::<Vec<_>>());
    let stored: BTreeSet<Vec<u8>> = runs.iter().map(|run| bytes(&temporary.repository, run.id)).collect();
    assert_eq!(stored, streams.into_iter().collect());
    assert_eq!(failing(&temporary.repository).len(), 80);
    assert_eq!(temporary.repository.take_notes(), []);
}

/// The lines that a process says until it is stopped, which it must not have been before.
fn stop(mut child: std::process::Child) -> Vec<String> {
    let has_ended = child.try_wait().unwrap();
    child.kill().unwrap();
    let (mut said, mut errors) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    child.wait().unwrap();
    assert_eq!(has_ended, None, "{errors}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn loads_go_on_while_others_rebuild_and_prune() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail", "b inprogress", "!"]);
    let failed = failing(&temporary.repository);
    let jobs = ["rebuild", "rebuild", "prune", "many", "many"];
    let children: Vec<_> = jobs.iter().map(|job| helper::start(job, temporary.folder.path())).collect();
    for number in 0..10 {
        let run = load(&temporary.repository, &[&format!("test_{number} fail")]);
        assert_eq!(temporary.repository.run(run.id).unwrap().counts, run.counts);
        assert!(failing(&temporary.repository).contains(&format!("test_{number} fail {}", run.id)));
    }
    let said: Vec<String> = children.into_iter().flat_map(stop).collect();
    for what in ["rebuilt", "pruned ", "stored "] {
        assert!(said.iter().any(|line| line.contains(what)), "nothing was {what}");
    }
    let runs = temporary.repository.runs().unwrap();
    let complete = runs.iter().filter(|run| run.state == RunState::Complete).count();
    let stored = said.iter().filter(|line| line.contains("stored ")).count() + 11;
    // What was said to be stored is; of two writers that were stopped, what they were at may be as well.
    assert!((stored..=stored + 2).contains(&complete), "{complete} of {stored}");
    let answers = all_answers(&temporary.repository);
    temporary.repository.rebuild().unwrap();
    assert_eq!(all_answers(&temporary.again()), answers);
    let is_there = |line: &String| failing(&temporary.repository).contains(line);
    assert!(failed.iter().filter(|line| !line.starts_with("run ")).all(is_there));
}

#[test]
fn threads_load_and_ask_at_once() {
    let temporary = temporary();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let repository = &temporary.repository;
            scope.spawn(move || {
                for number in 0..10 {
                    let run = load(repository, &[&format!("w{worker}:test_{number} fail")]);
                    assert!(
                        failing(repository).contains(&format!("w{worker}:test_{number} fail {}", run.id))
                    );
                }
            });
        }
    });
    assert_eq!(failing(&temporary.repository).len(), 40);
}

#[test]
fn a_run_under_way_is_seen_and_not_judged() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
    let events = stream(&["a success", "b inprogress"]);
    writer.load(&*events).unwrap();

    let other = temporary.again();
    let running = other.run(writer.id()).unwrap();
    assert_eq!((running.state, running.bytes), (RunState::Running, events.len() as u64));
    assert_eq!(bytes(&other, writer.id()), events);
    assert_eq!(other.run(repository::RunRef::LATEST).unwrap().id.0, 1);
    assert_eq!(failing(&other), ["a fail 1"]);
    // What came so far can be asked about all the same.
    let mut results = Vec::new();
    let told = other.for_each_result(writer.id(), |result| {
        results.push(format!("{} {}", result.test_id, result.outcome))
    });
    told.unwrap();
    assert_eq!(results, ["a success", "b unfinished"]);
    let packets = other.log(writer.id(), "a", None, &mut streamresult::from_fn(|_| Ok(()))).unwrap();
    assert_eq!(packets, 1);
    assert!(other.slowest(writer.id(), 5).is_ok());
    assert!(!temporary.file(2, "results").exists());

    writer.finish(RunEnd::default()).unwrap();
    assert_eq!(failing(&other), ["b unfinished 2"]);
}

#[test]
fn a_run_that_began_first_and_ends_last_does_not_decide_over_later_ones() {
    let temporary = temporary();
    let mut first = temporary.repository.begin(RunInfo::default()).unwrap();
    first.load(&*stream(&["a fail", "b success", "c fail", "d fail"])).unwrap();
    load(&temporary.repository, &["a success", "b fail", "c skip"]);
    first.finish(RunEnd::default()).unwrap();
    assert_eq!(failing(&temporary.repository), ["b fail 2", "c fail 1", "d fail 1"]);
    temporary.repository.rebuild().unwrap();
    assert_eq!(failing(&temporary.repository), ["b fail 2", "c fail 1", "d fail 1"]);
}

/// What is known of all runs together.
fn answers_of_all(repository: &Repository) -> String {
    let (runs, failing, stats) = (repository.runs(), repository.failing(), repository.stats());
    let (flaky, history) = (repository.flaky(Flakiness::default()), repository.history("d"));
    format!("{runs:#?} {failing:#?} {stats:#?} {flaky:#?} {history:#?}")
}

#[test]
fn a_snapshot_shows_one_moment_and_holds_nobody_up() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail", "b success"]);
    load(&temporary.repository, &["c inprogress"]);
    let mut under_way = temporary.repository.begin(RunInfo::default()).unwrap();
    under_way.write_all(&stream(&["d success"])).unwrap();
    let snapshot = temporary.repository.snapshot().unwrap();
    let before = answers_of_all(&snapshot);
    assert!(before == answers_of_all(&temporary.repository) && before.contains("Running"));

    load(&temporary.again(), &["a success", "e fail"]);
    under_way.finish(RunEnd::default()).unwrap();
    temporary.again().rebuild().unwrap();
    load(&snapshot, &["c success"]);
    snapshot.pin(RunId(2), true).unwrap();
    assert_eq!(answers_of_all(&snapshot), before);
    assert_eq!(failing(&temporary.repository), ["e fail 4"]);
    assert_eq!(failing(&snapshot.snapshot().unwrap()), ["e fail 4"]);
    assert!(temporary.again().run(RunId(2)).unwrap().pinned);
    assert_eq!(snapshot.take_notes(), []);
}

#[test]
fn a_snapshot_of_what_cannot_be_written_is_one_moment_too() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    std::fs::remove_file(temporary.index()).unwrap();
    std::fs::create_dir(temporary.index()).unwrap();
    let snapshot = temporary.repository.snapshot().unwrap();
    load(&temporary.again(), &["a success"]);
    assert_eq!(failing(&snapshot), ["a fail 1"]);
    assert_eq!(failing(&temporary.again()), Vec::<String>::new());
}
