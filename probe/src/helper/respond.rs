//! Whether a file system answers.

use std::fs;
use std::path::Path;

use formats::human::show_duration;
use process::helper::{Reporter, Stop};
use rustix::fs::{AtFlags, CWD, StatxFlags, statfs, statx};
use serde::Serialize;

use super::{Fact, tell_metric};

/// Asks a directory for its attributes, for the file system's size and for one entry; nothing of this may come from
/// a cache of this host. Tells `response_seconds`, the slowest answer, and each by itself.
///
/// # Errors
///
/// When one of them fails.
pub fn respond<T: Serialize>(path: &Path, reporter: &mut Reporter<Fact<T>>) -> Result<(), Stop> {
    let (_, attributes) = reporter.timed_step("statx", || {
        statx(CWD, path, AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS).map_err(Into::into)
    })?;
    let (_, size) = reporter.timed_step("statfs", || statfs(path).map_err(Into::into))?;
    let (mut entries, open) = reporter.timed_step("opendir", || fs::read_dir(path))?;
    let (_, read) = reporter.timed_step("readdir", || entries.next().transpose())?;
    let all = [("statx", attributes), ("statfs", size), ("opendir", open), ("readdir", read)];
    let slowest = all.iter().map(|(_, time)| *time).max().unwrap_or_default();
    tell_metric(reporter, "response_seconds", slowest.as_secs_f64())?;
    for (name, time) in all {
        tell_metric(reporter, &format!("{name}_seconds"), time.as_secs_f64())?;
    }
    let slowest = show_duration(slowest);
    reporter.tell(Fact::Summary(format!("the slowest answer took {slowest}")))
}
