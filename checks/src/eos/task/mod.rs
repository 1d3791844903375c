//! The helper's side: what is done to the path, one operation at a time.

mod files;
mod look;
mod throughput;
mod verify;
mod writable;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use process::helper::{Reporter, Stop, enter};
use serde::{Deserialize, Serialize};

use super::told::value;
use crate::probe::Algorithm;

/// What a helper is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    Resolve,
    Respond,
    Space,
    Writable(Volume),
    Write(Volume),
    Read(Volume),
    Verify(Volume),
    Remove(Vec<String>),
}

/// What is written, how often, and by what name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) samples: u32,
    pub(super) size: u64,
    pub(super) seed: u64,
    pub(super) checksum: Algorithm,
}

impl Volume {
    /// The names of all files that may come to be.
    pub(super) fn names(&self) -> [String; 2] {
        [self.name.clone(), format!("{}.renamed", self.name)]
    }
}

impl Task {
    /// Whether it makes files.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Task::Writable(_) | Task::Write(_) | Task::Read(_) | Task::Verify(_))
    }
}

/// Does the task, as a helper: tells everything through the pipe that is its output.
pub(super) fn help(task: &OsStr, path: &Path) -> anyhow::Result<()> {
    let task = task.to_str().context("a task is JSON")?;
    let task: Task = serde_json::from_str(task).context("a task is JSON")?;
    let mut reporter = enter()?;
    match work(&task, path, &mut reporter) {
        // Everything was told: how it ended is in the records.
        Ok(()) | Err(Stop::Failed(_) | Stop::Asked | Stop::ParentGone) => Ok(()),
    }
}

fn work(task: &Task, path: &Path, reporter: &mut Reporter<impl Write>) -> Result<(), Stop> {
    match task {
        Task::Resolve => look::resolve(path, reporter),
        Task::Respond => look::respond(path, reporter),
        Task::Space => look::space(path, reporter),
        Task::Writable(volume) => cleaned(volume, path, reporter, writable::rounds),
        Task::Write(volume) => cleaned(volume, path, reporter, throughput::write),
        Task::Read(volume) => cleaned(volume, path, reporter, throughput::read),
        Task::Verify(volume) => cleaned(volume, path, reporter, verify::verify),
        Task::Remove(paths) => paths.iter().try_for_each(|path| files::remove(Path::new(path), reporter)),
    }
}

/// Works with the files of a volume, and removes them however that ends.
fn cleaned<W: Write>(
    volume: &Volume,
    folder: &Path,
    reporter: &mut Reporter<W>,
    work: impl FnOnce(&Volume, &Path, &mut Reporter<W>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let done = work(volume, folder, reporter);
    let names = volume.names();
    // All are tried, whatever comes of the first.
    let removed = names.map(|name| files::remove(&folder.join(name), reporter));
    done.and(removed.into_iter().collect())
}

/// Tells a number.
fn metric(reporter: &mut Reporter<impl Write>, name: &str, number: f64) -> Result<(), Stop> {
    reporter.value(value::METRIC, format_args!("{name} {number}"))
}

/// Runs a task in this process and gives what it tells, line by line.
#[cfg(test)]
fn told(task: &Task, path: &Path) -> (bool, Vec<process::helper::Record>) {
    let mut output = Vec::new();
    let done = work(task, path, &mut Reporter::new(&mut output)).is_ok();
    let text = String::from_utf8(output).unwrap_or_default();
    (done, text.lines().filter_map(process::helper::Record::parse).collect())
}
