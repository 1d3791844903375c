//! Many processes and threads at the same time.

use std::collections::BTreeSet;
use std::io::Write;

use repository::{RunEnd, RunInfo, State};

use crate::helper;
use crate::support::{bytes, failing, load, stream, temporary};

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
    assert_eq!((running.state, running.bytes), (State::Running, events.len() as u64));
    assert_eq!(bytes(&other, writer.id()), events);
    assert_eq!(other.run(repository::RunRef::LATEST).unwrap().id.0, 1);
    assert_eq!(failing(&other), ["a fail 1"]);

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
