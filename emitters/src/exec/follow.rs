//! The loop around a running command: pipes, signals and times.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

use process::{Child, Deadline, Signal, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::attempt::{Attempt, Cause};
use super::test::Test;
use crate::batches::Batches;

/// How long the pipes are read after the command's end: others may hold them open.
const DRAIN: Duration = Duration::from_millis(200);
/// How often they are read when that is up: others may go on writing.
const LAST_TURNS: usize = 32;
/// How long SIGKILL is given.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to wait at a time for an end that no descriptor announces.
const WITHOUT_PIDFD: Duration = Duration::from_millis(20);
const BLOCK: usize = 64 * 1024;

/// Where a run is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Until its time is up.
    Running(Deadline),
    /// It was asked to end; until the grace is over.
    Asked(Deadline),
    /// It was killed; until it is given up.
    Killed(Deadline),
    /// It has ended; until what others may still write is given up.
    Ended(Deadline),
}

/// A run that is followed: what it writes is passed on, and it ends in time.
///
/// Nothing is read while there is something to write, so that a slow reader holds up the command and not our
/// clock: signals and times are heeded whatever waits.
pub(super) struct Follow<'a> {
    attempt: &'a Attempt<'a>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    phase: Phase,
    cause: Option<Cause>,
    /// When it ended.
    ended: Option<Instant>,
    /// When the grace is over, once it has begun.
    grace: Option<Deadline>,
    is_killed: bool,
    last_turns: usize,
    /// Where our reader going away can be seen.
    reader: Option<BorrowedFd<'static>>,
    block: Vec<u8>,
}

/// What there is to do.
#[derive(Clone, Copy, Debug)]
struct Ready {
    /// Whether the pipes were looked at.
    looked: bool,
    stdout: bool,
    stderr: bool,
    ended: bool,
    interrupted: bool,
    /// Our reader takes more, or has gone away.
    output: bool,
}

impl<'a> Follow<'a> {
    pub(super) fn new(attempt: &'a Attempt<'a>, child: &mut Child) -> Self {
        Follow {
            attempt,
            stdout: child.take_stdout(),
            stderr: child.take_stderr(),
            phase: Phase::Running(attempt.timeout.map_or(Deadline::NEVER, Deadline::after)),
            cause: None,
            ended: None,
            grace: None,
            is_killed: false,
            last_turns: LAST_TURNS,
            reader: reader(),
            block: vec![0; BLOCK],
        }
    }

    /// Why it was ended, unless it ended by itself.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// When the command ended, or was given up.
    pub(super) fn ended(&self) -> Instant {
        self.ended.unwrap_or_else(Instant::now)
    }

    /// Passes on what the command writes until it has ended, or is given up.
    ///
    /// # Errors
    ///
    /// When watching or writing fails.
    pub(super) fn follow(
        &mut self,
        child: &mut Child,
        test: &mut Test<'_>,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        loop {
            let ready = self.wait(child, &mut test.batches)?;
            self.advance(child, ready)?;
            match (ready.output, test.batches.has_full()) {
                (true, true) => test.batches.write_one(output)?,
                (true, false) if ready.looked => return Err(io::ErrorKind::BrokenPipe.into()),
                _ => {}
            }
            self.read(test, ready)?;
            if self.is_over(ready) {
                return Ok(());
            }
        }
    }

    fn wait(&self, child: &Child, batches: &mut Batches) -> io::Result<Ready> {
        if batches.has_full() || batches.is_empty() {
            return self.poll(child, batches.has_full(), self.limit(child, batches.has_full()));
        }
        // What was gathered goes out when nothing is there to be read.
        let ready = self.poll(child, false, Deadline::after(Duration::ZERO))?;
        if !ready.stdout && !ready.stderr {
            batches.close();
        }
        Ok(ready)
    }

    fn limit(&self, child: &Child, writes: bool) -> Deadline {
        match self.phase {
            // Whatever is still to be read, the reader takes its time.
            Phase::Ended(_) if writes => self.grace.filter(|_| !self.is_killed).unwrap_or(Deadline::NEVER),
            Phase::Ended(limit) => limit,
            Phase::Running(limit) | Phase::Asked(limit) | Phase::Killed(limit)
                if child.exit_fd().is_some() =>
            {
                limit
            }
            Phase::Running(limit) | Phase::Asked(limit) | Phase::Killed(limit) => {
                limit.earlier(Deadline::after(WITHOUT_PIDFD))
            }
        }
    }

    /// Waits for the pipes, or where there is something to write for the output; and for all that ends a run.
    fn poll(&self, child: &Child, writes: bool, limit: Deadline) -> io::Result<Ready> {
        let has_ended = matches!(self.phase, Phase::Ended(_));
        let is_running = matches!(self.phase, Phase::Running(_));
        let output = match self.reader {
            _ if writes => Some((rustix::stdio::stdout(), PollFlags::OUT)),
            reader => reader.map(|fd| (fd, PollFlags::empty())),
        };
        let to_read = |fd, wanted: bool| Option::filter(fd, |_| wanted).map(|fd| (fd, PollFlags::IN));
        let fds = [
            to_read(self.stdout.as_ref().map(AsFd::as_fd), !writes),
            to_read(self.stderr.as_ref().map(AsFd::as_fd), !writes),
            to_read(child.exit_fd(), !has_ended),
            to_read(self.attempt.interrupt.wake(), is_running),
            output,
        ];
        let [stdout, stderr, ended, interrupted, output] = ready(fds, limit)?;
        Ok(Ready { looked: !writes, stdout, stderr, ended, interrupted, output })
    }

    /// Goes on to the next phase when it is time.
    fn advance(&mut self, child: &mut Child, ready: Ready) -> io::Result<()> {
        if self.grace.is_some_and(Deadline::has_passed) && !self.is_killed {
            // Also when the command itself has ended: what it started may be left.
            self.kill(child);
        }
        if matches!(self.phase, Phase::Ended(_)) {
            return Ok(());
        }
        if ready.ended || (child.exit_fd().is_none() && child.try_wait()?.is_some()) {
            self.phase = Phase::Ended(Deadline::after(DRAIN));
            self.ended = Some(Instant::now());
            return Ok(());
        }
        match self.phase {
            Phase::Running(_) if ready.interrupted => self.ask_to_end(child, Cause::Interrupted),
            Phase::Running(limit) if limit.has_passed() => {
                self.ask_to_end(child, Cause::TimedOut(self.attempt.timeout.unwrap_or_default()));
            }
            _ => {}
        }
        Ok(())
    }

    fn ask_to_end(&mut self, child: &Child, cause: Cause) {
        // What may not be signalled, because it has become another user's, is waited for and given up like what
        // cannot be killed.
        let _another_users = child.signal(Signal::TERM).and_then(|()| child.signal(Signal::CONT));
        let limit = Deadline::after(self.attempt.grace);
        (self.cause, self.grace, self.phase) = (Some(cause), Some(limit), Phase::Asked(limit));
    }

    fn kill(&mut self, child: &Child) {
        let _another_users = child.signal(Signal::KILL);
        self.is_killed = true;
        if matches!(self.phase, Phase::Asked(_)) {
            self.phase = Phase::Killed(Deadline::after(PATIENCE));
        }
    }

    fn read(&mut self, test: &mut Test<'_>, ready: Ready) -> io::Result<()> {
        if ready.stdout {
            read_block(&mut self.stdout, &mut self.block, |bytes| test.wrote(Source::Stdout, bytes))?;
        }
        if ready.stderr {
            read_block(&mut self.stderr, &mut self.block, |bytes| test.wrote(Source::Stderr, bytes))?;
        }
        Ok(())
    }

    fn is_over(&mut self, ready: Ready) -> bool {
        match self.phase {
            Phase::Running(_) | Phase::Asked(_) => false,
            Phase::Killed(limit) => limit.has_passed(),
            Phase::Ended(_) if self.stdout.is_none() && self.stderr.is_none() => true,
            Phase::Ended(limit) if limit.has_passed() && ready.looked => {
                self.last_turns = self.last_turns.saturating_sub(1);
                self.last_turns == 0 || !(ready.stdout || ready.stderr)
            }
            Phase::Ended(_) => false,
        }
    }

    /// The grace that is left.
    pub(super) fn grace_left(&self) -> Duration {
        let limit = self.grace.unwrap_or_else(|| Deadline::after(self.attempt.grace));
        limit.remaining().unwrap_or_default()
    }

    /// Reads what is there, after the end of all.
    ///
    /// # Errors
    ///
    /// When reading or writing fails.
    pub(super) fn take_the_rest(
        &mut self,
        child: &Child,
        test: &mut Test<'_>,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        for _ in 0..LAST_TURNS {
            let ready = self.poll(child, false, Deadline::after(Duration::ZERO))?;
            if !ready.stdout && !ready.stderr {
                break;
            }
            self.read(test, ready)?;
            test.batches.write_full(output)?;
        }
        Ok(())
    }
}

/// Our stdout, where it is a pipe or a socket, of which the other end can be gone.
fn reader() -> Option<BorrowedFd<'static>> {
    let fd = rustix::stdio::stdout();
    let kind = fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::Socket)).then_some(fd)
}

/// Which of the descriptors are as was asked, or have an error or an end to tell; all false when the deadline
/// passed first.
fn ready<const N: usize>(
    fds: [Option<(BorrowedFd<'_>, PollFlags)>; N],
    deadline: Deadline,
) -> io::Result<[bool; N]> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    let timeout = deadline.remaining().map(|left| Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    match poll(&mut polled, timeout.as_ref()) {
        // All is looked at again, and what has come meanwhile is seen.
        Err(Errno::INTR) => return Ok([false; N]),
        done => done?,
    };
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false)))
}

/// Reads once from a pipe that has something to say, and lets go of it at its end.
fn read_block<R: Read>(
    pipe: &mut Option<R>,
    block: &mut [u8],
    wrote: impl FnOnce(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let Some(reader) = pipe else { return Ok(()) };
    match reader.read(block) {
        Ok(0) => *pipe = None,
        Ok(count) => wrote(block.get(..count).unwrap_or_default())?,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
