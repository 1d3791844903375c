//! Commands on the way to elsewhere, which end in time whatever hangs.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use process::Interrupt;
use process::{Child, Deadline, Outcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long to wait at a time for an end that no descriptor announces.
const SLICE: Duration = Duration::from_millis(50);
/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(300);
/// Bytes of its output that are of interest.
const KEEP: u64 = 64 << 10;

/// Why a place is not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A signal came.
    Interrupted,
    /// It cannot be: why, and what the program said that was to do it.
    Failed { reason: String, stderr: String },
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Failure::Failed { reason: reason.into(), stderr: String::new() }
    }
}

/// A command that has ended.
pub(super) struct Done {
    /// `None` when it was ended, since the time was up.
    pub(super) outcome: Option<Outcome>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a command with this input to its end, which comes when the deadline passes or a signal comes.
///
/// # Errors
///
/// When a signal came, or it cannot be run.
pub(super) fn run(
    command: &mut Command,
    input: &[u8],
    deadline: Deadline,
    interrupt: &Interrupt,
) -> Result<Done, Failure> {
    let program = command.get_program().to_owned();
    let failed = |error: io::Error| Failure::new(format!("cannot run {}: {error}", program.display()));
    let start = |command: &mut Command| -> io::Result<_> {
        let mut stdin = tempfile::tempfile()?;
        stdin.write_all(input)?;
        stdin.rewind()?;
        let outputs = (tempfile::tempfile()?, tempfile::tempfile()?);
        command
            .stdin(stdin)
            .stdout(Stdio::from(outputs.0.try_clone()?))
            .stderr(Stdio::from(outputs.1.try_clone()?));
        Ok((Child::spawn(command)?, outputs))
    };
    let (mut child, (mut stdout, mut stderr)) = start(command).map_err(failed)?;
    let watched = watch(&mut child, deadline, interrupt);
    if !matches!(watched, Ok(Some(_))) {
        // Nobody is left to tell that it cannot be ended either.
        let _ended = child.terminate(GRACE);
    }
    let outcome = watched.map_err(|error| Failure::new(error.to_string()))?;
    if outcome.is_none() && interrupt.has_come() {
        return Err(Failure::Interrupted);
    }
    let (stdout, stderr) = (text(&mut stdout), text(&mut stderr));
    Ok(Done { outcome, stdout, stderr })
}

/// Waits for its end; `None` when the deadline passes or a signal comes first.
fn watch(child: &mut Child, deadline: Deadline, interrupt: &Interrupt) -> io::Result<Option<Outcome>> {
    loop {
        if let Some(outcome) = child.try_wait()? {
            return Ok(Some(outcome));
        }
        if deadline.has_passed() || interrupt.has_come() {
            return Ok(None);
        }
        let exit = child.exit_fd();
        let slice = if exit.is_some() { Deadline::NEVER } else { Deadline::after(SLICE) };
        let fds = [exit, interrupt.wake()].into_iter().flatten();
        let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let left = deadline.earlier(slice).remaining().and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let _read = file.rewind().and_then(|()| file.take(KEEP).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(script: &str, input: &[u8], time: Duration) -> Result<Done, Failure> {
        run(Command::new("sh").args(["-c", script]), input, Deadline::after(time), &Interrupt::never())
    }

    #[test]
    fn a_command_has_its_input_and_gives_its_outputs() {
        let done = sh("cat; echo no >&2; exit 3", b"yes", Duration::from_secs(5)).ok().unwrap();
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("yes", "no\n"));
        assert_eq!(done.outcome, Some(Outcome::Exited(3)));
    }

    #[test]
    fn what_hangs_is_ended() {
        let begin = Instant::now();
        let done = sh("echo begun; trap '' TERM; kill -STOP $$; sleep 9", b"", Duration::from_millis(200));
        let done = done.ok().unwrap();
        assert_eq!((done.outcome, done.stdout.as_str()), (None, "begun\n"));
        assert!(begin.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let found = run(&mut Command::new("no-such-ssh"), b"", Deadline::NEVER, &Interrupt::never());
        let Err(Failure::Failed { reason, .. }) = found else { panic!("it ran") };
        assert!(reason.starts_with("cannot run no-such-ssh: "), "{reason}");
    }
}
