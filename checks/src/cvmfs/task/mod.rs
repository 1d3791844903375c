//! The helper's side: what is done to the repository, one operation at a time.

mod find;
mod read;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use probe::helper::{self, assist, respond};
use process::helper::Stop;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use subunit::part;

use super::attributes::NAMES;

/// What only these tasks find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CvmfsFact {
    /// An attribute of the repository.
    Attribute { name: String, value: String },
}

/// What a task finds out.
type Fact = helper::Fact<CvmfsFact>;
/// To whom it says it.
type Reporter = process::helper::Reporter<Fact>;

/// What a helper is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    Enter,
    Respond,
    Attributes,
    FirstByte { sample: Sample, cold: bool },
    Throughput { sample: Sample, most: u64 },
    Integrity { sample: Sample, most: u64 },
}

/// Which files to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// These, or those that are found.
    pub(super) files: Vec<OsString>,
    /// How many.
    pub(super) count: u32,
}

impl helper::Task for Task {
    type Fact = CvmfsFact;

    fn title(&self) -> &'static str {
        match self {
            Task::Enter => "opendir",
            Task::Respond => "statx",
            Task::Attributes => "getxattr",
            Task::FirstByte { .. } => "read first bytes in",
            Task::Throughput { .. } => "read from",
            Task::Integrity { .. } => "compare copies in the cache of",
        }
    }

    fn is_preparation(&self) -> bool {
        matches!(self, Task::Enter | Task::Attributes)
    }
}

/// Does the task, as a helper.
pub(super) fn help(task: &OsStr) -> anyhow::Result<()> {
    assist(task, |task, path, reporter| work(task, Path::new(path), reporter))
}

fn work(task: &Task, root: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    match task {
        // What is mounted on demand is mounted by that.
        Task::Enter => reporter.step("opendir", || fs::read_dir(root).map(drop)),
        Task::Respond => respond(root, reporter),
        Task::Attributes => attributes(root, reporter),
        Task::FirstByte { sample, cold } => read::first_byte(root, sample, *cold, reporter),
        Task::Throughput { sample, most } => read::throughput(root, sample, *most, reporter),
        Task::Integrity { sample, most } => read::integrity(root, sample, *most, reporter),
    }
}

fn attributes(root: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    for name in NAMES {
        if let Some(value) = attribute(root, name, reporter)? {
            reporter.tell(Fact::Own(CvmfsFact::Attribute { name: name.to_owned(), value }))?;
        }
    }
    Ok(())
}

/// A magic attribute of a file, if the client has it and shows it.
fn attribute(path: &Path, name: &str, reporter: &mut Reporter) -> Result<Option<String>, Stop> {
    let mut value = vec![0; 64 << 10];
    let count = reporter.step(&format!("getxattr {name}"), || {
        match rustix::fs::getxattr(path, format!("user.{name}"), &mut value) {
            Ok(count) => Ok(Some(count)),
            Err(Errno::NODATA | Errno::PERM | Errno::OPNOTSUPP) => Ok(None),
            Err(error) => Err(io::Error::from(error)),
        }
    })?;
    Ok(count.map(|count| String::from_utf8_lossy(part(&value, ..count)).into_owned()))
}
