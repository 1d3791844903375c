//! What only looks.

use std::fs;
use std::path::Path;

use probe::helper;
use process::helper::Stop;
use rustix::fs::statvfs;

use super::{EosFact, Fact, Reporter, attributes, metric};

/// Where the path leads when links are followed; what is mounted on demand is mounted by that.
pub(super) fn resolve(path: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    let resolved = reporter.step("resolve", || fs::canonicalize(path))?;
    // The first look inside is what mounts.
    reporter.step("opendir", || fs::read_dir(path).map(drop))?;
    reporter.tell(Fact::Own(EosFact::Resolved(resolved.into())))
}

/// Whether the file system answers; of EOS, with what it tells about itself.
pub(super) fn respond(path: &Path, eos: bool, reporter: &mut Reporter) -> Result<(), Stop> {
    helper::respond(path, reporter)?;
    if eos { attributes::tell(path, reporter) } else { Ok(()) }
}

/// How much room is left.
pub(super) fn space(path: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    let space = reporter.step("statfs", || statvfs(path).map_err(Into::into))?;
    if space.f_blocks == 0 {
        return reporter.tell(Fact::Unknown("the file system does not report its size".to_owned()));
    }
    let bytes = |blocks: u64| blocks as f64 * space.f_frsize as f64;
    let percent = |part: u64, whole: u64| part as f64 / whole as f64 * 100.0;
    let free = percent(space.f_bavail, space.f_blocks);
    metric(reporter, "total_bytes", bytes(space.f_blocks))?;
    metric(reporter, "free_bytes", bytes(space.f_bavail))?;
    metric(reporter, "free_percent", free)?;
    // Some file systems have no limit on files, and say 0.
    if space.f_files > 0 {
        metric(reporter, "total_files", space.f_files as f64)?;
        metric(reporter, "free_files", space.f_favail as f64)?;
        metric(reporter, "free_files_percent", percent(space.f_favail, space.f_files))?;
    }
    let gigabytes = bytes(space.f_bavail) / 1e9;
    reporter.tell(Fact::Summary(format!("{gigabytes:.1} GB ({free:.0} %) are free")))
}

#[cfg(test)]
mod tests {
    use process::helper::Progress;

    use super::super::{Message, Task, outcome};
    use super::*;

    #[test]
    fn a_directory_answers() {
        let folder = tempfile::tempdir().unwrap();
        for task in [Task::Respond { eos: false }, Task::Space, Task::Resolve] {
            let (done, messages) = outcome(&task, folder.path());
            assert!(done && matches!(messages.last(), Some(Message::Found(_))), "{messages:?}");
        }
    }

    #[test]
    fn the_operation_that_fails_is_named() {
        for task in [Task::Respond { eos: false }, Task::Space, Task::Resolve] {
            let (done, messages) = outcome(&task, Path::new("/no/such/path"));
            let last = messages.last();
            let failed = matches!(last, Some(Message::Progress(Progress::Failed { errno: Some(2), .. })));
            assert!(!done && failed, "{messages:?}");
        }
    }
}
