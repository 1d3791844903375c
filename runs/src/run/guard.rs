//! What ends the processes of a run whose own process was killed.
//!
//! SIGKILL leaves nobody to end workers. So a run has a guard: this program once more, which waits for the end of its
//! input. Where that comes without a word before it, the guard ends all processes that have the mark of the run in their
//! environment, wherever they have gone, and removes what the run has made.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, PipeWriter, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use process::{Child, Deadline, Mark};

/// The first argument of a guard.
const GUARD: &str = "subunit-run-guard";
/// What is said to it when all has ended well.
const DONE: &[u8] = b"done";
/// How long processes have that are asked to end.
const GRACE: Duration = Duration::from_secs(1);
/// How long it has to end itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// A guard that runs. When it is dropped, nothing is left to be guarded.
#[derive(Debug)]
pub(super) struct Guard {
    mark: Mark,
    folder: PathBuf,
    child: Child,
    lifeline: Option<PipeWriter>,
}

impl Guard {
    /// Starts one, for a run that has nothing yet.
    pub(super) fn start() -> io::Result<Self> {
        let (mark, (reader, lifeline)) = (Mark::new(), io::pipe()?);
        let folder = env::temp_dir().join(format!("subunit-run-{}", mark.value()));
        let mut command = Command::new(env::current_exe()?);
        command.args([GUARD, mark.value()]).arg(&folder);
        command.stdin(reader).stdout(Stdio::null()).stderr(Stdio::null());
        let child = Child::spawn(&mut command)?;
        let guard = Guard { mark, folder, child, lifeline: Some(lifeline) };
        // It is known to the guard before it is there.
        DirBuilder::new().mode(0o700).create(&guard.folder)?;
        Ok(guard)
    }

    /// What the processes of the run have in their environment.
    pub(super) fn variable(&self) -> (String, String) {
        (Mark::VARIABLE.to_owned(), self.mark.value().to_owned())
    }

    /// Has it remove these folders, too.
    pub(super) fn mind(&mut self, folders: &[&Path]) -> io::Result<()> {
        let Some(lifeline) = &mut self.lifeline else { return Ok(()) };
        folders.iter().try_for_each(|folder| writeln!(lifeline, "{}", folder.display()))
    }

    /// Where the run can put files that are gone with it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.folder);
        // One that was ended itself needs no word.
        let _told = self.lifeline.take().map(|mut lifeline| lifeline.write_all(DONE));
        let _ended = self.child.wait_until(Deadline::after(PATIENCE));
    }
}

/// Is the guard, when these arguments are of one.
#[must_use]
pub fn internal(args: &[OsString]) -> Option<ExitCode> {
    let (word, mark) = (args.get(1)?, args.get(2)?);
    if word.to_str() != Some(GUARD) {
        return None;
    }
    let mut said = Vec::new();
    let read = io::stdin().read_to_end(&mut said);
    if read.is_err() || !said.ends_with(DONE) {
        Mark::of(&mark.to_string_lossy()).end_all(GRACE);
        let folders = String::from_utf8_lossy(&said);
        // What is half of a name is no line.
        let folders = folders.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let own = args.get(3).map(PathBuf::from);
        for folder in folders.map(PathBuf::from).chain(own) {
            let _gone = fs::remove_dir_all(folder);
        }
    }
    Some(ExitCode::SUCCESS)
}
