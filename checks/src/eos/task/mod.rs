//! The helper's side: what is done to the path, one operation at a time.

mod attributes;
mod files;
mod look;
mod metadata;
mod stale;
mod throughput;
mod verify;
mod visible;
mod writable;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use verify::{Compare, Digests, opinion};

use probe::Algorithm;
use probe::helper::{self, assist, tell_metric as metric};
use process::helper::Stop;
use serde::{Deserialize, Serialize};

/// What only these tasks find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum EosFact {
    /// The path without links.
    Resolved(OsString),
}

/// What a task finds out.
type Fact = helper::Fact<EosFact>;
/// To whom it says it.
type Reporter = process::helper::Reporter<Fact>;

/// What a helper is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    Resolve,
    /// Whether it answers; with the attributes that EOS has.
    Respond {
        eos: bool,
    },
    Space,
    /// The host whose files are looked for, and whether they are removed.
    Stale(String, bool),
    Writable(Volume, Part),
    /// With another path to the same folder, and how long to wait for the file there.
    Visible(Volume, OsString, Duration),
    Metadata(Volume),
    Write(Volume),
    /// With a file to read that is there already, instead of one that is written.
    Read(Volume, Option<OsString>),
    /// With the server's own checksum, where it is EOS.
    Verify {
        volume: Volume,
        eos: bool,
    },
    /// By their names in the folder, or by their paths.
    Remove(Vec<OsString>),
}

/// Which steps of a small file's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Part {
    All,
    Write,
    Exists,
    Delete,
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
    /// The names of all files that may come to be, but for those of [`Volume::numbered`].
    pub(super) fn names(&self) -> [String; 2] {
        [self.name.clone(), format!("{}.renamed", self.name)]
    }

    /// As many names as there are samples.
    pub(super) fn numbered(&self) -> Vec<String> {
        (1..=self.samples).map(|number| format!("{}.{number}", self.name)).collect()
    }
}

impl Task {
    /// The names of the files that it makes.
    pub(super) fn creates(&self) -> Vec<OsString> {
        let names = match self {
            Task::Metadata(volume) => volume.numbered(),
            Task::Read(_, Some(_)) => Vec::new(),
            Task::Writable(volume, _)
            | Task::Visible(volume, ..)
            | Task::Write(volume)
            | Task::Read(volume, None)
            | Task::Verify { volume, .. } => volume.names().to_vec(),
            Task::Resolve | Task::Respond { .. } | Task::Space | Task::Stale(..) | Task::Remove(_) => {
                Vec::new()
            }
        };
        names.into_iter().map(OsString::from).collect()
    }
}

impl helper::Task for Task {
    type Fact = EosFact;

    fn title(&self) -> &'static str {
        match self {
            Task::Resolve => "resolve",
            Task::Respond { .. } => "statx",
            Task::Space => "statvfs",
            Task::Stale(..) => "look for stale files in",
            Task::Writable(..) => "write small files to",
            Task::Visible(..) => "look for a new file in",
            Task::Metadata(_) => "create and delete in",
            Task::Write(_) => "write to",
            Task::Read(..) => "read from",
            Task::Verify { .. } => "write and read back in",
            Task::Remove(_) => "remove from",
        }
    }

    fn is_preparation(&self) -> bool {
        matches!(self, Task::Resolve | Task::Remove(_))
    }
}

/// Does the task, as a helper.
pub(super) fn help(task: &OsStr) -> anyhow::Result<()> {
    assist(task, |task, path, reporter| work(task, Path::new(path), reporter))
}

fn work(task: &Task, path: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    let done = match task {
        Task::Resolve => look::resolve(path, reporter),
        Task::Respond { eos } => look::respond(path, *eos, reporter),
        Task::Space => look::space(path, reporter),
        Task::Stale(host, removes) => stale::stale(path, host, *removes, reporter),
        Task::Writable(volume, part) => writable::rounds(volume, *part, path, reporter),
        Task::Visible(volume, other, patience) => visible::visible(volume, path, other, *patience, reporter),
        Task::Metadata(volume) => metadata::rates(volume, path, reporter),
        Task::Write(volume) => throughput::write(volume, path, reporter),
        Task::Read(volume, file) => {
            throughput::read(volume, path, file.as_ref().map(PathBuf::from), reporter)
        }
        Task::Verify { volume, eos } => verify::verify(volume, path, *eos, reporter),
        Task::Remove(files) => files.iter().try_for_each(|file| files::remove(&path.join(file), reporter)),
    };
    // However it ended, nothing stays; all are tried, whatever comes of the first.
    let removed: Vec<_> =
        task.creates().iter().map(|name| files::remove(&path.join(name), reporter)).collect();
    done.and(removed.into_iter().collect())
}

/// What a task says.
#[cfg(test)]
type Message = process::helper::HelperMessage<Fact>;

/// Runs a task in this process: whether it was done, and what it said.
#[cfg(test)]
fn outcome(task: &Task, path: &Path) -> (bool, Vec<Message>) {
    use std::io::{BufRead as _, BufReader, Seek as _};
    let mut file = tempfile::tempfile().unwrap();
    let done = work(task, path, &mut Reporter::new(file.try_clone().unwrap())).is_ok();
    file.rewind().unwrap();
    let lines = BufReader::new(file).split(b'\n');
    (done, lines.map(|line| Message::from_line(&line.unwrap()).unwrap()).collect())
}
