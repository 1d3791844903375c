//! What holds for any stream.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use proptest::prelude::*;
use repository::{Counts, RunEnd, RunInfo, RunRef, RunState};
use streamresult::{Outcome, Records, Summary, drive, record_fn};

use crate::support::{Temporary, all_answers, bytes, failing, load, long_stream, stream, temporary};

fn check_stream(temporary: &Temporary, stream: &[u8]) {
    let repository = &temporary.repository;
    let run = repository.load(stream, RunInfo::default(), RunEnd::default()).unwrap();
    assert!(bytes(repository, run.id) == stream, "what went in does not come out");
    let mut summary = Summary::new();
    drive(stream, &mut summary).unwrap();
    assert_eq!(run.counts, Counts::from(&summary));
    assert_eq!(run.counts.failures(), summary.failures());
    assert_eq!(run.counts.total(), summary.total());
    assert_eq!(run.bytes, stream.len() as u64);
}

fn any_event() -> impl Strategy<Value = String> {
    let statuses = ["exists", "inprogress", "success", "uxsuccess", "skip", "fail", "xfail", "+log"];
    let event = ("(w/[0-9]:)?[a-c]", proptest::sample::select(statuses.to_vec()))
        .prop_map(|(id, status)| format!("{id} {status}"));
    prop_oneof![20 => event, 1 => Just("!".to_owned()), 1 => Just("?".to_owned()), 1 => Just("- fail".to_owned())]
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any_event(), 0..40)
        .prop_map(|events| stream(&events.iter().map(String::as_str).collect::<Vec<_>>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_went_in_comes_out_and_is_counted_as_everywhere(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check_stream(&temporary(), &bytes);
    }

    #[test]
    fn a_rebuilt_repository_gives_the_same_answers(streams in proptest::collection::vec((any_stream(), 0..4_u8), 1..6)) {
        let temporary = temporary();
        for (stream, fate) in &streams {
            if *fate < 3 {
                check_stream(&temporary, stream);
                continue;
            }
            // The writer was killed in the middle.
            let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
            writer.load(&stream[..stream.len() / 2]).unwrap();
        }
        let answers = all_answers(&temporary.repository);
        let runs = temporary.repository.runs().unwrap();
        for run in runs.iter().filter(|run| run.state == RunState::Complete) {
            std::fs::remove_file(temporary.file(run.id.0, "results")).unwrap();
        }
        temporary.repository.rebuild().unwrap();
        prop_assert_eq!(all_answers(&temporary.again()), answers);
    }
}

/// The failing tests by the rules of `Failing`, the simple way.
fn model(streams: &[Vec<u8>]) -> Vec<String> {
    let mut failing = BTreeMap::new();
    for (number, stream) in streams.iter().enumerate() {
        let mut passed = BTreeSet::new();
        let mut failed = BTreeMap::new();
        let mut records = Records::new(record_fn(|record| {
            let key = (record.test_id().to_owned(), record.route_code().map(str::to_owned));
            match record.outcome() {
                _ if record.is_damage() => {}
                outcome if outcome.is_failure() => drop(failed.insert(key, outcome)),
                Outcome::Success | Outcome::XFail => drop(passed.insert(key)),
                _ => {}
            }
            Ok(())
        }));
        drive(&**stream, &mut records).unwrap();
        drop(records);
        failing.retain(|key, _| !passed.contains(key));
        failing.extend(failed.into_iter().map(|(key, outcome)| (key, (outcome, number + 1))));
    }
    let lines = failing.into_iter().map(|((id, route), (outcome, run))| {
        let route = route.map_or_else(String::new, |route| format!("{route}:"));
        format!("{route}{id} {outcome} {run}")
    });
    lines.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_failing_set_is_the_same_in_whatever_order_runs_end(
        streams in proptest::collection::vec(any_stream(), 1..6),
        order in proptest::collection::vec(any::<u32>(), 6),
    ) {
        let temporary = temporary();
        let mut writers: Vec<_> = streams.iter().zip(order).map(|(stream, rank)| {
            let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
            writer.load(&**stream).unwrap();
            (rank, writer)
        }).collect();
        writers.sort_by_key(|(rank, _)| *rank);
        for (_, writer) in writers {
            writer.finish(RunEnd::default()).unwrap();
        }
        let found = failing(&temporary.repository);
        let tests: Vec<_> = found.iter().filter(|line| !line.starts_with("run ")).cloned().collect();
        prop_assert_eq!(tests, model(&streams));
        temporary.repository.rebuild().unwrap();
        prop_assert_eq!(failing(&temporary.repository), found);
    }
}

#[test]
fn long_streams_come_out_as_they_went_in() {
    let temporary = temporary();
    for tests in [0, 1, 5000] {
        check_stream(&temporary, &long_stream(tests));
    }
    let one_file = [&stream(&["a inprogress"])[..], &vec![b'x'; 3 << 20], &stream(&["a success"])].concat();
    check_stream(&temporary, &one_file);
}

#[test]
fn what_is_stored_is_packed() {
    let temporary = temporary();
    let stream = long_stream(10_000);
    let run = temporary.repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap();
    assert_eq!(run.stored, repository::Stored::Compressed);
    assert!(run.disk * 4 < stream.len() as u64, "{} of {}", run.disk, stream.len());
}

#[test]
fn times_are_as_exact_as_they_came() {
    let temporary = temporary();
    let mut writer = subunit::io::Writer::new(Vec::new());
    for (nanoseconds, status) in [(1, subunit::Status::InProgress), (2, subunit::Status::Success)] {
        let timestamp = subunit::Timestamp::new(1_700_000_000, nanoseconds);
        writer.write(&subunit::Event { timestamp, ..subunit::Event::status("a", status) }).unwrap();
    }
    let stream = writer.into_inner().unwrap();
    temporary.repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap();
    let slowest = temporary.repository.slowest(RunRef::LATEST, 1).unwrap();
    assert_eq!(slowest[0].duration.as_nanos(), 1);
}

#[test]
fn a_stream_is_read_in_pieces_of_any_size() {
    let temporary = temporary();
    let stream = long_stream(3000);
    temporary.repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap();
    let mut reader = temporary.repository.stream(RunRef::LATEST).unwrap();
    let mut read = Vec::new();
    for len in (1..).map(|round| round * 37 % 5000) {
        let mut piece = vec![0; len];
        let count = reader.read(&mut piece).unwrap();
        if len > 0 && count == 0 {
            break;
        }
        read.extend_from_slice(&piece[..count]);
    }
    assert!(read == stream);
    load(&temporary.repository, &[]);
    assert_eq!(bytes(&temporary.repository, RunRef::LATEST), b"");
}
