//! Whatever files of a repository with outstanding failures are damaged: what cannot be known any more is no success.

use std::fs;
use std::path::{Path, PathBuf};

use repository::{Note, Repository, RunEnd, RunId, RunInfo, RunRef, Stored};

use crate::support::{Temporary, failing, load, stream, temporary};

/// A repository in which the first run fails like this, and what became of that run.
fn filled(events: &[&str], fate: &str) -> Temporary {
    let temporary = temporary();
    if fate == "killed" {
        temporary.repository.begin(RunInfo::default()).unwrap().load(&*stream(events)).unwrap();
    } else {
        load(&temporary.repository, events);
    }
    load(&temporary.repository, &["b success"]);
    if fate == "pruned" {
        temporary.repository.prune_run(RunId(1)).unwrap();
    }
    assert!(!temporary.repository.failing().unwrap().is_clear());
    temporary
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

const REMOVED: usize = 0;
const EMPTIED: usize = 1;
const CUT: usize = 2;
const CHANGED: usize = 3;

fn damage(path: &Path, how: usize) {
    // Of two that are to be damaged, one may be gone because of the other.
    let Ok(mut bytes) = fs::read(path) else { return };
    match how {
        REMOVED => return fs::remove_file(path).unwrap(),
        EMPTIED => bytes.clear(),
        CUT => bytes.truncate(bytes.len() / 2),
        _ => {
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0x10);
        }
    }
    fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// Damages every file and every two files, each in all these ways.
fn check_all(events: &[&str], fate: &str, ways: &[usize]) {
    let good = filled(events, fate);
    let files = files(good.repository.path());
    let damages: Vec<_> = files.iter().flat_map(|file| ways.iter().map(move |how| (file, *how))).collect();
    for (number, one) in damages.iter().enumerate() {
        for other in &damages[number..] {
            let folder = tempfile::tempdir().unwrap();
            copy(good.folder.path(), folder.path());
            for (file, how) in [one, other] {
                damage(&folder.path().join(file.strip_prefix(good.folder.path()).unwrap()), *how);
            }
            check_not_clear(folder.path(), &format!("{fate} {events:?}: {one:?}, {other:?}"));
        }
    }
}

fn check_not_clear(folder: &Path, what: &str) {
    let Ok(repository) = Repository::open(folder) else { return };
    let check = |when| {
        let failing = repository.failing();
        assert!(failing.is_err() || failing.is_ok_and(|failing| !failing.is_clear()), "{what}, {when}");
    };
    check("at once");
    if repository.rebuild().is_ok() {
        check("rebuilt");
    }
}

#[test]
fn no_two_damaged_files_make_failures_vanish() {
    check_all(&["a fail", "b success"], "stored", &[REMOVED, CHANGED]);
}

#[test]
fn no_two_damaged_files_of_a_pruned_run_do() {
    check_all(&["a fail", "b success"], "pruned", &[REMOVED, CHANGED]);
}

#[test]
fn no_two_damaged_files_of_a_killed_run_do() {
    check_all(&["a fail", "b success"], "killed", &[REMOVED, EMPTIED]);
}

#[test]
fn nor_do_they_make_a_run_succeed_that_failed_as_a_whole() {
    check_all(&["a success", "- fail"], "pruned", &[REMOVED]);
    check_all(&["a success", "!"], "stored", &[CUT]);
}

/// Spoils what is left of the first run, and the index.
fn spoil(temporary: &Temporary, names: &[&str]) -> Repository {
    names.iter().for_each(|name| damage(&temporary.file(1, name), CHANGED));
    fs::remove_file(temporary.index()).unwrap();
    temporary.again()
}

#[test]
fn what_is_lost_is_said_and_stays_so() {
    for (fate, names) in [("stored", &["results", "stream.subunit.zst"][..]), ("pruned", &["results"])] {
        let temporary = filled(&["a fail", "b success"], fate);
        let repository = spoil(&temporary, names);
        assert_eq!(failing(&repository), ["lost 1"], "{fate}");
        assert_eq!(repository.take_notes(), [Note::FailuresLost(RunId(1))]);
        let run = repository.run(RunId(1)).unwrap();
        assert_eq!((run.counts.fail, run.stored == Stored::Pruned), (1, fate == "pruned"));
        // What was left of it looks whole now.
        for _ in 0..2 {
            repository.rebuild().unwrap();
            assert_eq!(failing(&repository), ["lost 1"]);
        }
        assert_eq!(repository.outstanding(RunId(2)).unwrap().lost.len(), 1);
        load(&repository, &["a success", "b success"]);
        assert_eq!(failing(&repository), ["lost 1"]);
        let end = RunEnd { names_all_tests: true, ..RunEnd::default() };
        repository.load(&*stream(&["a success", "b success"]), RunInfo::default(), end).unwrap();
        assert!(repository.failing().unwrap().is_clear());
    }
}

#[test]
fn what_is_put_back_is_known_again() {
    let temporary = filled(&["a fail", "b success"], "stored");
    let stored = fs::read(temporary.file(1, "stream.subunit.zst")).unwrap();
    let repository = spoil(&temporary, &["results", "stream.subunit.zst"]);
    assert_eq!(failing(&repository), ["lost 1"]);
    fs::write(temporary.file(1, "stream.subunit.zst"), stored).unwrap();
    repository.rebuild().unwrap();
    assert_eq!(failing(&repository), ["a fail 1"]);
}

#[test]
fn a_run_that_passed_loses_no_failure() {
    let temporary = temporary();
    load(&temporary.repository, &["a success"]);
    let repository = spoil(&temporary, &["results", "stream.subunit.zst"]);
    assert!(repository.failing().unwrap().is_clear());
    assert_eq!(repository.run(RunRef::LATEST).unwrap().state, repository::RunState::Damaged);
}
