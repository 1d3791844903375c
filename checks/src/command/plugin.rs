//! Finds a plugin, and runs it to its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use probe::Limits;
use process::{Deadline, Ending, Follow, Sink, Source, Timeouts};

/// Where distributions put plugins.
const FOLDERS: [&str; 6] = [
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/lib/monitoring-plugins",
    "/usr/libexec/nagios/plugins",
    "/usr/libexec/monitoring-plugins",
    "/usr/local/libexec/nagios",
];
/// How many bytes a plugin may write: one that writes more has run wild.
const MOST: usize = 16 << 20;
/// How many bytes of its output are kept.
const KEEP: usize = 1 << 20;

/// A plugin that has ended.
pub(super) struct Ended {
    pub(super) ending: Ending,
    pub(super) output: String,
    pub(super) errors: String,
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

/// Runs it to its end, or to the end of the test.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    grace: Duration,
    limits: Limits<'_>,
) -> io::Result<Ended> {
    let mut command = Command::new(program);
    // Numbers have points, and words are those of the documentation.
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C");
    let mut words = Words::default();
    let follow = Follow::new(limits.wait(), Timeouts::PROBE.with_grace(grace));
    let ending = follow.start(&mut command)?.to_the_end(&mut words)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ended { ending, output: text(&words.output), errors: text(&words.errors) })
}

/// What a plugin says: the beginning of it, and how much it is.
#[derive(Default)]
struct Words {
    output: Vec<u8>,
    errors: Vec<u8>,
    total: usize,
}

impl Sink for Words {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let kept = if source == Source::Stdout { &mut self.output } else { &mut self.errors };
        kept.extend(bytes.iter().take(KEEP.saturating_sub(kept.len())));
        self.total = self.total.saturating_add(bytes.len());
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        if self.total > MOST { Deadline::now() } else { Deadline::NEVER }
    }
}
