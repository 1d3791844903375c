//! Finds a plugin, and runs it to its end.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use probe::Limits;
use process::{Child, Deadline, Outcome};
use rustix::fs::{MemfdFlags, memfd_create};

/// Where distributions put plugins.
const FOLDERS: [&str; 6] = [
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/lib/monitoring-plugins",
    "/usr/libexec/nagios/plugins",
    "/usr/libexec/monitoring-plugins",
    "/usr/local/libexec/nagios",
];
/// How long to wait for a plugin before looking at what it has said, and for a signal.
const SLICE: Duration = Duration::from_millis(50);
/// Bytes that a plugin may say: one that says more has gone mad.
const MOST: u64 = 16 << 20;
/// Bytes to read of what it has said.
const KEEP: u64 = 1 << 20;

/// A plugin that is over.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// Why it was ended, if it did not end by itself.
    pub(super) cause: Option<Cause>,
    pub(super) output: String,
    pub(super) errors: String,
    pub(super) elapsed: Duration,
}

/// Why a plugin was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Late,
    Interrupted,
    Flooding,
}

/// Where a plugin is: as it says with a slash in it, else in the PATH or in the folders of plugins.
pub(super) fn find(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return Some(path.to_owned());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).chain(FOLDERS.map(PathBuf::from)).collect();
    folders.into_iter().map(|folder| folder.join(path)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs it to its end, or to the end of the test. Its output goes to memory, not to pipes: what it leaves running
/// keeps nobody waiting.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    grace: Duration,
    limits: Limits<'_>,
) -> io::Result<Ended> {
    let (mut output, mut errors) = (memory()?, memory()?);
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(errors.try_clone()?);
    // Numbers have points, and words are those of the documentation.
    command.env("LC_ALL", "C");
    let begin = Instant::now();
    let mut child = Child::spawn(&mut command)?;
    let cause = wait(&mut child, &[&output, &errors], limits)?;
    let elapsed = begin.elapsed();
    let outcome = child.terminate(grace)?;
    Ok(Ended { outcome, cause, output: text(&mut output)?, errors: text(&mut errors)?, elapsed })
}

fn wait(child: &mut Child, said: &[&File], limits: Limits<'_>) -> io::Result<Option<Cause>> {
    loop {
        let slice = limits.deadline.earlier(Deadline::after(SLICE));
        if child.wait_until(slice)?.is_some() {
            return Ok(None);
        }
        let size: u64 = said.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
        let cause = match () {
            () if limits.interrupt.has_come() => Cause::Interrupted,
            () if limits.deadline.has_passed() => Cause::Late,
            () if size > MOST => Cause::Flooding,
            () => continue,
        };
        return Ok(Some(cause));
    }
}

fn memory() -> io::Result<File> {
    Ok(File::from(memfd_create("plugin-output", MemfdFlags::CLOEXEC)?))
}

fn text(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(KEEP).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
