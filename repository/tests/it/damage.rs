//! Files that were cut, changed or removed.

use std::fs;
use std::io::Read;

use repository::{Error, Note, Repository, RunEnd, RunInfo, RunRef, RunState, Standing, Stored};

use crate::support::{Temporary, all_answers, failing, load, long_stream, stream, temporary};

fn filled() -> (Temporary, String) {
    let temporary = temporary();
    load(&temporary.repository, &["a fail", "b success", "!"]);
    load(&temporary.repository, &["a skip", "b fail", "b +log"]);
    temporary.repository.load(&*long_stream(2000), Default::default(), Default::default()).unwrap();
    load(&temporary.repository, &["c inprogress"]);
    let answers = all_answers(&temporary.repository);
    (temporary, answers)
}

fn note_of_rebuilding(repository: &Repository) -> bool {
    repository.take_notes().iter().any(|note| matches!(note, Note::IndexRebuilt { .. }))
}

#[test]
fn a_missing_index_is_made_anew() {
    let (temporary, answers) = filled();
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", temporary.index().display()));
    }
    assert_eq!(all_answers(&temporary.again()), answers);
}

#[test]
fn an_index_that_is_none_is_made_anew() {
    for content in [&b"not a database, but long enough to look like one"[..], &[0; 5000]] {
        let (temporary, answers) = filled();
        let _ = fs::remove_file(format!("{}-wal", temporary.index().display()));
        fs::write(temporary.index(), content).unwrap();
        assert_eq!(all_answers(&temporary.again()), answers);
    }
}

#[test]
fn a_cut_index_is_made_anew() {
    let (temporary, answers) = filled();
    checkpoint(&temporary);
    let len = fs::metadata(temporary.index()).unwrap().len();
    for cut in [1, 4096, len / 2, len - 20] {
        checkpoint(&temporary);
        let file = fs::OpenOptions::new().write(true).open(temporary.index()).unwrap();
        file.set_len(len - cut).unwrap();
        assert_eq!(all_answers(&temporary.again()), answers, "{cut}");
    }
}

/// Moves the log into the database.
fn checkpoint(temporary: &Temporary) {
    let connection = rusqlite::Connection::open(temporary.index()).unwrap();
    connection.pragma_update(None, "journal_mode", "delete").unwrap();
}

#[test]
fn a_changed_byte_of_the_index_changes_no_answer() {
    let (temporary, answers) = filled();
    checkpoint(&temporary);
    let good = fs::read(temporary.index()).unwrap();
    let mut rebuilt = 0;
    for at in (0..good.len()).step_by(509).chain(0..120) {
        let mut bad = good.clone();
        bad[at] ^= 0x11;
        let _ = fs::remove_file(format!("{}-wal", temporary.index().display()));
        fs::write(temporary.index(), bad).unwrap();
        let other = temporary.again();
        assert_eq!(all_answers(&other), answers, "byte {at}");
        rebuilt += usize::from(note_of_rebuilding(&other));
    }
    assert!(rebuilt > 5, "{rebuilt}");
}

#[test]
fn rows_that_were_tampered_with_are_noticed() {
    for sql in [
        "DELETE FROM failing",
        "UPDATE run SET summary = replace(summary, '\"fail\":1', '\"fail\":0')",
        "DELETE FROM failing_run",
        "DELETE FROM run",
        "DROP TABLE failing",
        "UPDATE total SET count = 0, sum = 0",
    ] {
        let (temporary, answers) = filled();
        let connection = rusqlite::Connection::open(temporary.index()).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        assert_eq!(all_answers(&temporary.again()), answers, "{sql}");
    }
}

#[test]
fn missing_and_damaged_results_are_made_anew() {
    let (temporary, answers) = filled();
    fs::remove_file(temporary.file(1, "results")).unwrap();
    assert_eq!(all_answers(&temporary.repository), answers);
    let path = temporary.file(3, "results");
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(97) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        fs::write(&path, bad).unwrap();
        assert_eq!(all_answers(&temporary.repository), answers, "byte {at}");
    }
}

#[test]
fn a_stream_that_was_cut_is_an_error_and_not_green() {
    let temporary = temporary();
    let stream = long_stream(20_000);
    temporary.repository.load(&*stream, Default::default(), Default::default()).unwrap();
    let path = temporary.file(1, "stream.subunit.zst");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(fs::metadata(&path).unwrap().len() / 2).unwrap();

    let mut read = Vec::new();
    let error = temporary.repository.stream(RunRef::LATEST).unwrap().read_to_end(&mut read).unwrap_err();
    assert!(stream.starts_with(&read) && read.len() > stream.len() / 4, "{error}: {}", read.len());
    temporary.repository.rebuild().unwrap();
    let run = temporary.repository.run(RunRef::LATEST).unwrap();
    assert_eq!((run.state, run.counts.success), (RunState::Damaged, 18_000));
    assert_eq!(temporary.repository.take_notes(), [Note::StreamDamaged(run.id)]);
    assert_eq!(failing(&temporary.repository).len(), 2000);
}

#[test]
fn a_passed_run_whose_stream_was_damaged_does_not_pass() {
    let temporary = temporary();
    load(&temporary.repository, &["a success"]);
    let path = temporary.file(1, "stream.subunit.zst");
    let mut bytes = fs::read(&path).unwrap();
    bytes[14] ^= 0x20;
    fs::write(path, bytes).unwrap();
    for remove_results in [false, true] {
        if remove_results {
            fs::remove_file(temporary.file(1, "results")).unwrap();
        }
        temporary.repository.rebuild().unwrap();
        let run = temporary.repository.run(RunRef::LATEST).unwrap();
        assert_eq!((run.state, run.standing()), (RunState::Damaged, Standing::Incomplete));
        fs::remove_file(temporary.index()).unwrap();
        assert_eq!(temporary.again().run(RunRef::LATEST).unwrap(), run);
    }
}

/// Spoils `run.json` of the first run: removes it, changes a byte, or cuts it.
fn spoil_json(temporary: &Temporary, spoil: &str) {
    let path = temporary.file(1, "run.json");
    let good = fs::read_to_string(&path).unwrap();
    match spoil {
        "removed" => fs::remove_file(path).unwrap(),
        "cut" => fs::write(path, &good[..good.len() / 2]).unwrap(),
        changed => {
            let (from, to) = changed.split_once(" -> ").unwrap();
            assert!(good.contains(from), "{good}");
            fs::write(path, good.replacen(from, to, 1)).unwrap();
        }
    }
}

const SPOILT: [&str; 5] =
    ["removed", "cut", "\"fail\": 1 -> \"fail\": 0", "\"exit\": 9 -> \"exit\": 0", "complete -> completE"];

#[test]
fn a_run_without_its_json_is_not_green() {
    for spoil in SPOILT {
        let temporary = temporary();
        let end = RunEnd { exit: Some(9), ..RunEnd::default() };
        temporary.repository.load(&*stream(&["a success", "b fail"]), RunInfo::default(), end).unwrap();
        spoil_json(&temporary, spoil);
        // It is found when the index is made anew, by whatever this comes about.
        fs::remove_file(temporary.index()).unwrap();
        let other = temporary.again();
        let run = other.run(RunRef::LATEST).unwrap();
        assert_eq!((run.state, run.counts.success, run.counts.fail), (RunState::Damaged, 1, 1), "{spoil}");
        assert_eq!(other.take_notes(), [Note::RecordLost(run.id)]);
        assert_eq!(failing(&other), ["b fail 1"]);
        other.rebuild().unwrap();
        assert_eq!(other.run(RunRef::LATEST).unwrap(), run);
    }
}

#[test]
fn a_pruned_run_without_its_json_keeps_its_results() {
    for spoil in SPOILT {
        let temporary = temporary();
        let end = RunEnd { exit: Some(9), ..RunEnd::default() };
        let events = ["a success", "b inprogress", "b fail", "!", "c exists", "w:c skip", "d xfail"];
        let before = temporary.repository.load(&*stream(&events), RunInfo::default(), end).unwrap();
        let history = temporary.repository.history("b").unwrap();
        let failed = failing(&temporary.repository);
        temporary.repository.prune_run(before.id).unwrap();
        spoil_json(&temporary, spoil);
        for _ in 0..2 {
            temporary.repository.rebuild().unwrap();
            let run = temporary.repository.run(RunRef::LATEST).unwrap();
            assert_eq!((run.state, run.stored), (RunState::Damaged, Stored::Pruned), "{spoil}");
            assert_eq!((run.counts, run.first), (before.counts, before.first), "{spoil}");
            assert_eq!(temporary.repository.history("b").unwrap(), history);
            // Whether the run failed besides its tests, only that file said.
            assert_eq!(failing(&temporary.repository), [&failed[..], &["lost 1".to_owned()]].concat());
        }
        // Pruned again, it is no better than it was.
        temporary.repository.prune_run(before.id).unwrap();
        assert_eq!(temporary.repository.run(before.id).unwrap().state, RunState::Damaged);
    }
}

#[test]
fn a_run_removed_by_hand_takes_its_decisions_along() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    load(&temporary.repository, &["a success", "b fail"]);
    fs::remove_dir_all(temporary.file(2, "")).unwrap();
    assert_eq!(failing(&temporary.repository), ["a fail 1"]);
    assert_eq!(temporary.repository.runs().unwrap().len(), 1);
    fs::create_dir(temporary.file(5, "")).unwrap();
    let run = temporary.repository.run(repository::RunId(5)).unwrap();
    assert_eq!((run.state, run.stored), (RunState::Damaged, Stored::Pruned));
    assert!(matches!(temporary.repository.stream(run.id), Err(Error::Pruned(_))));
}
