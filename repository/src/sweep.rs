//! Removes what processes left that were killed. None of it is part of a run.

use std::fs::{self, DirEntry, File};
use std::path::Path;
use std::time::Duration;

use crate::layout::{self, NEW_PREFIX, RUNS, RunFolder};
use crate::run_json;

/// What is younger may be in use.
const OLD: Duration = Duration::from_secs(3600);

/// Removes runs that never got a number, files in the making, and raw streams of which the packed one is there.
/// What cannot be removed does no harm.
pub(crate) fn sweep(repository: &Path) {
    for entry in entries(&repository.join(RUNS)) {
        if is_new(&entry) {
            if is_old(&entry) {
                let _ = fs::remove_dir_all(entry.path());
            }
            continue;
        }
        for file in entries(&entry.path()) {
            if is_new(&file) && is_old(&file) {
                let _ = layout::remove(&file.path());
            }
        }
        sweep_raw(&RunFolder(entry.path()));
    }
}

/// The writer was killed after the run was complete, and before the raw stream was removed.
fn sweep_raw(folder: &RunFolder) {
    let is_finished = run_json::read(folder).is_ok_and(|file| file.is_some_and(|file| file.tally.is_some()));
    let raw = folder.raw();
    if is_finished
        && folder.compressed().exists()
        && File::open(&raw).is_ok_and(|file| file.try_lock().is_ok())
    {
        let _ = layout::remove(&raw);
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

fn is_new(entry: &DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.starts_with(NEW_PREFIX))
}

fn is_old(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|file| file.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed > OLD))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{Repository, RunEnd, RunId, RunInfo};

    #[test]
    fn only_what_is_old_and_part_of_no_run_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let run = repository.load(&b"text"[..], RunInfo::default(), RunEnd::default()).unwrap();
        let run_folder = repository.folder(RunId(1)).0;
        let writer = repository.begin(RunInfo::default()).unwrap();
        let hours_ago = SystemTime::now() - 3 * OLD;
        for (name, time) in [("a", hours_ago), ("b", SystemTime::now())] {
            let file = File::create(run_folder.join(format!("{NEW_PREFIX}{name}"))).unwrap();
            file.set_modified(time).unwrap();
            let new = repository.path().join(RUNS).join(format!("{NEW_PREFIX}{name}"));
            fs::create_dir(&new).unwrap();
            File::open(new).unwrap().set_modified(time).unwrap();
        }
        fs::write(RunFolder(run_folder.clone()).raw(), "text").unwrap();
        sweep(repository.path());

        let names = |folder: &Path| {
            let names = entries(folder).map(|entry| entry.file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        assert_eq!(names(&repository.path().join(RUNS)), [".new-b", "000001", "000002"]);
        assert_eq!(names(&run_folder), [".new-b", "results", "run.json", "stream.subunit.zst"]);
        assert_eq!(repository.run(run.id).unwrap(), run);
        writer.finish(RunEnd::default()).unwrap();
    }
}
