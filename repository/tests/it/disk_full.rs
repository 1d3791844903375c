//! A disk without space: a small file system of its own, which takes root.

use std::io::Write;
use std::path::Path;

use repository::{Repository, Retention, RunEnd, RunInfo, RunState, Standing, Stored};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use subunit::Timestamp;
use tempfile::TempDir;

use crate::support::{bytes, failing, load, long_stream, stream};

/// A file system of this many bytes, until it is dropped.
struct Small(TempDir);

impl Small {
    fn new(bytes: usize) -> Option<Small> {
        let folder = TempDir::new().unwrap();
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        match mount("none", folder.path(), "tmpfs", MountFlags::empty(), Some(options.as_c_str())) {
            Ok(()) => Some(Small(folder)),
            Err(error) => {
                eprintln!("NOT TESTED: a full disk, as no file system can be mounted: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all space that is left.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for len in [65536, 4096, 1] {
            while file.write_all(&vec![0; len]).is_ok() {}
        }
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = unmount(self.path(), UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_while_loading_keeps_what_came() {
    let Some(small) = Small::new(1 << 20) else { return };
    let repository = Repository::init(small.path()).unwrap();
    load(&repository, &["a fail"]);
    let stream = long_stream(20_000);
    let error = repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert!(error.to_string().contains("No space left"), "{error}");

    let other = Repository::open(small.path()).unwrap();
    let run = other.run(repository::RunRef::LATEST).unwrap();
    assert_eq!((run.id.0, run.state), (2, RunState::Incomplete));
    assert_ne!(run.standing(), Standing::Passed);
    let kept = bytes(&other, run.id);
    assert!(stream.starts_with(&kept) && kept.len() > 100_000, "{}", kept.len());
    assert!(failing(&other).contains(&"a fail 1".to_owned()));
}

#[test]
fn a_full_disk_while_finishing_keeps_the_stream() {
    let Some(small) = Small::new(2 << 20) else { return };
    let repository = Repository::init(small.path()).unwrap();
    load(&repository, &["a fail"]);
    let mut writer = repository.begin(RunInfo::default()).unwrap();
    let stream = long_stream(1000);
    writer.load(&*stream).unwrap();
    let filler = small.fill();
    let error = writer.finish(RunEnd::default()).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert_eq!(bytes(&repository, repository::RunId(2)), stream);

    std::fs::remove_file(filler).unwrap();
    let run = repository.run(repository::RunId(2)).unwrap();
    assert_eq!((run.state, run.counts.total()), (RunState::Incomplete, 1000));
    assert_eq!(failing(&repository).len(), 101);
}

#[test]
fn questions_are_answered_and_streams_pruned_on_a_full_disk() {
    let Some(small) = Small::new(4 << 20) else { return };
    let repository = Repository::init(small.path()).unwrap();
    repository.load(&*long_stream(3000), RunInfo::default(), RunEnd::default()).unwrap();
    load(&repository, &["suite.test_3 success"]);
    let before = failing(&repository);
    let filler = small.fill();
    assert_eq!(failing(&repository), before);
    let retention = Retention { runs: Some(1), failing_too: true, ..Retention::default() };
    let pruned = repository.prune(&retention, Timestamp::now()).unwrap();
    assert_eq!(pruned.len(), 1);
    assert_eq!(failing(&repository), before);
    assert_eq!(repository.run(repository::RunId(1)).unwrap().stored, Stored::Pruned);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(failing(&repository), before);
    assert_eq!(repository.run(repository::RunId(1)).unwrap().stored, Stored::Pruned);
    repository.load(&*stream(&["z fail"]), RunInfo::default(), RunEnd::default()).unwrap();
    assert_eq!(failing(&repository).len(), before.len() + 1);
}

#[test]
fn rebuilding_on_a_full_disk_loses_nothing() {
    let Some(small) = Small::new(4 << 20) else { return };
    let repository = Repository::init(small.path()).unwrap();
    repository.load(&*long_stream(3000), RunInfo::default(), RunEnd::default()).unwrap();
    load(&repository, &["suite.test_3 success", "x fail"]);
    repository.prune_run(repository::RunId(1)).unwrap();
    let before = failing(&repository);
    let filler = small.fill();
    // Removing the index may make room enough.
    let rebuilt = repository.rebuild();
    assert!(rebuilt.as_ref().err().is_none_or(repository::Error::is_disk_full), "{rebuilt:?}");
    assert_eq!(failing(&repository), before);
    std::fs::remove_file(filler).unwrap();
    repository.rebuild().unwrap();
    assert_eq!(failing(&repository), before);
    let states: Vec<_> = repository.runs().unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Complete; 2]);
}

#[test]
fn a_repository_that_cannot_be_written_answers_all_the_same() {
    let Some(small) = Small::new(4 << 20) else { return };
    let repository = Repository::init(small.path()).unwrap();
    load(&repository, &["a fail", "b fail"]);
    load(&repository, &["a success"]);
    std::fs::remove_file(repository.path().join("index.sqlite")).unwrap();
    let mut killed = repository.begin(RunInfo::default()).unwrap();
    killed.load(&*stream(&["c inprogress"])).unwrap();
    drop(killed);
    mount_remount(small.path(), MountFlags::RDONLY, "").unwrap();

    assert_eq!(failing(&repository), ["b fail 1", "c unfinished 3"]);
    assert_eq!(repository.slowest(repository::RunId(3), 5).unwrap(), []);
    assert_eq!(repository.history("c").unwrap().len(), 1);
    let notes = repository.take_notes();
    assert!(notes.iter().any(|note| matches!(note, repository::Note::IndexNotWritten { .. })), "{notes:?}");
    assert!(repository.begin(RunInfo::default()).is_err());
}
