//! Running a child to its end, with its output in bounded memory.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::wait::ready;
use crate::{Child, Deadline, Outcome};

/// How long a child's pipes are read after its end: others may hold them open.
const DRAIN: Duration = Duration::from_millis(200);
/// How long to wait at a time for an end that no descriptor announces.
const WITHOUT_PIDFD: Duration = Duration::from_millis(20);
const BLOCK: usize = 16 * 1024;
/// How often a pipe is still read when that time is up: as much as a large pipe holds, and whoever holds it open
/// may go on writing for ever.
const LAST_TURNS: usize = 64;

/// What a run may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When it is ended.
    pub deadline: Deadline,
    /// The time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Bytes of each stream to keep: the first half and the last half.
    pub keep: usize,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How the child ended.
    pub outcome: Outcome,
    /// Whether it was ended because the deadline passed.
    pub timed_out: bool,
    /// Its output.
    pub stdout: Captured,
    /// Its error output.
    pub stderr: Captured,
}

/// The stream that bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The child's output.
    Stdout,
    /// The child's error output.
    Stderr,
}

/// Runs a command to its end and keeps its output; see [`run_with`].
///
/// # Errors
///
/// As [`run_with`].
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
/// use process::{Deadline, Limits};
///
/// let limits = Limits {
///     deadline: Deadline::after(Duration::from_secs(5)),
///     grace: Duration::from_secs(1),
///     keep: 1 << 16,
/// };
/// let finished = process::run(Command::new("echo").arg("ready"), limits)?;
/// assert!(finished.outcome.success());
/// assert_eq!(finished.stdout.text(), "ready\n");
/// # std::io::Result::Ok(())
/// ```
pub fn run(command: &mut Command, limits: Limits) -> io::Result<Finished> {
    run_with(command, limits, |_, _| {})
}

/// Runs a command to its end, keeps its output and hands every piece of it on as it comes.
///
/// The input is what the command says, or nothing. At the end, all that the child started in its group is
/// ended, too; a pipe held open by anyone else is not waited for.
///
/// # Errors
///
/// When the command cannot be started or watched.
pub fn run_with(
    command: &mut Command,
    limits: Limits,
    tee: impl FnMut(Source, &[u8]),
) -> io::Result<Finished> {
    let mut child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let mut pipes = Pipes {
        stdout: child.take_stdout(),
        stderr: child.take_stderr(),
        kept: [Captured::new(limits.keep), Captured::new(limits.keep)],
        tee,
    };
    let ended = pipes.read_while_running(&mut child, limits.deadline)?;
    if ended {
        pipes.drain(DRAIN)?;
    }
    let outcome = child.terminate(limits.grace)?;
    pipes.drain(Duration::ZERO)?;
    let [stdout, stderr] = pipes.kept;
    Ok(Finished { outcome, timed_out: !ended, stdout, stderr })
}

struct Pipes<F> {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    kept: [Captured; 2],
    tee: F,
}

impl<F: FnMut(Source, &[u8])> Pipes<F> {
    /// Reads until the child ends (true) or the deadline passes.
    fn read_while_running(&mut self, child: &mut Child, deadline: Deadline) -> io::Result<bool> {
        loop {
            let watched = child.exit_fd().is_some();
            let slice = if watched { Deadline::NEVER } else { Deadline::after(WITHOUT_PIDFD) };
            let [stdout, stderr, ended] = self.ready(child.exit_fd(), deadline.earlier(slice))?;
            self.read(stdout, stderr)?;
            if ended || (!watched && child.try_wait()?.is_some()) {
                return Ok(true);
            }
            if deadline.has_passed() {
                return Ok(false);
            }
        }
    }

    /// Reads what comes for at most this long, then what is there.
    fn drain(&mut self, time: Duration) -> io::Result<()> {
        let deadline = Deadline::after(time);
        let mut turns = LAST_TURNS;
        while turns > 0 && (self.stdout.is_some() || self.stderr.is_some()) {
            let [stdout, stderr, _] = self.ready(None, deadline)?;
            if !stdout && !stderr {
                break;
            }
            self.read(stdout, stderr)?;
            turns -= usize::from(deadline.has_passed());
        }
        Ok(())
    }

    fn ready(&self, exit: Option<BorrowedFd<'_>>, deadline: Deadline) -> io::Result<[bool; 3]> {
        ready([self.stdout.as_ref().map(AsFd::as_fd), self.stderr.as_ref().map(AsFd::as_fd), exit], deadline)
    }

    fn read(&mut self, stdout: bool, stderr: bool) -> io::Result<()> {
        let [out, err] = &mut self.kept;
        if stdout {
            read_block(&mut self.stdout, out, |bytes| (self.tee)(Source::Stdout, bytes))?;
        }
        if stderr {
            read_block(&mut self.stderr, err, |bytes| (self.tee)(Source::Stderr, bytes))?;
        }
        Ok(())
    }
}

/// Reads once from a pipe that has something to say, and lets go of it at its end.
fn read_block<R: Read>(
    pipe: &mut Option<R>,
    kept: &mut Captured,
    mut tee: impl FnMut(&[u8]),
) -> io::Result<()> {
    let Some(reader) = pipe else { return Ok(()) };
    let mut block = [0; BLOCK];
    match reader.read(&mut block) {
        Ok(0) => *pipe = None,
        Ok(count) => {
            let bytes = block.get(..count).unwrap_or_default();
            kept.push(bytes);
            tee(bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The beginning and the end of a stream, and how much was between them.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    omitted: u64,
}

impl Captured {
    /// Room for this many bytes, rounded down to an even number.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Captured { half: keep / 2, ..Captured::default() }
    }

    /// Adds bytes; what does not fit is dropped from the middle.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (head, tail) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        // Bytes that would be pushed out at once need not go in.
        let kept = tail.get(tail.len().saturating_sub(self.half)..).unwrap_or_default();
        let surplus = (self.tail.len() + kept.len()).saturating_sub(self.half);
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend(kept);
        let lost = tail.len() - kept.len() + surplus;
        self.omitted += u64::try_from(lost).unwrap_or(u64::MAX);
    }

    /// Bytes that were dropped.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// What was kept as text, undecodable bytes replaced, with a line about what was dropped.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.omitted > 0 {
            bytes.extend(format!("\n[{} bytes left out]\n", self.omitted).into_bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keep: usize, pieces: &[&str], expected: &str) {
        let mut captured = Captured::new(keep);
        for piece in pieces {
            captured.push(piece.as_bytes());
        }
        assert_eq!(captured.text(), expected);
    }

    #[test]
    fn output_that_fits_is_kept_as_it_is() {
        check(8, &["abc", "", "defgh"], "abcdefgh");
    }

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        check(4, &["abcdef", "g", "hi"], "ab\n[5 bytes left out]\nhi");
        check(4, &["abcdefghi"], "ab\n[5 bytes left out]\nhi");
        check(0, &["abc"], "\n[3 bytes left out]\n");
    }
}
