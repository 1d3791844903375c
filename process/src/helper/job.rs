//! The parent's side: starts a helper, follows what it tells, ends it in time.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Guard, Record};
use crate::wait::ready;
use crate::{Child, Deadline, Outcome, ProcState};

/// The name of what a helper does before its first and after its last operation.
const OUTSIDE: &str = "start or end";
/// How long SIGKILL is given: a helper has little to give back.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes that a line of a helper may have; more is no record.
const LONGEST_LINE: usize = 1 << 20;

/// A helper to start: this program with these arguments.
#[derive(Debug)]
pub struct Job<'a> {
    /// The program; `None` is this one.
    pub program: Option<PathBuf>,
    /// Its arguments, by which `main` knows that it is a helper and what to do.
    pub arguments: Vec<OsString>,
    /// How long a single operation may take.
    pub operation: Duration,
    /// When all must be over.
    pub deadline: Deadline,
    /// How long it may take to clean up when asked to end, before it is killed.
    pub grace: Duration,
    /// The lock that it shall hold for its life.
    pub guard: Option<&'a mut Guard>,
    /// What it is about to create: noted with the lock, until [`Guard::forget`].
    pub creates: Vec<String>,
    /// A descriptor that becomes readable when all shall end early: on a signal, say.
    pub interrupt: Option<BorrowedFd<'a>>,
}

/// How a helper ended, and why.
#[derive(Clone, Debug)]
pub struct Ending {
    /// How the process ended.
    pub outcome: Outcome,
    /// Why.
    pub cause: Cause,
    /// The operation it was at, unless it ended by itself.
    pub stuck: Option<Stuck>,
}

/// Why a helper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was done, well or badly.
    Itself,
    /// An operation took longer than it may.
    Operation,
    /// The time for all operations was up.
    Deadline,
    /// The job's `interrupt` became readable.
    Interrupted,
}

/// An operation that did not return in time.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// Its name.
    pub operation: String,
    /// For how long it had been at it.
    pub elapsed: Duration,
    /// What the kernel said about the helper then, before any signal.
    pub state: ProcState,
}

impl Job<'_> {
    /// Starts the helper, hands on its records as they come, and sees to its end.
    ///
    /// Returns in time whatever the helper does: an operation that is not over within its limit is given
    /// `grace` to return and clean up after SIGTERM, then SIGKILL and half a second; then it is abandoned. One
    /// that creates something is abandoned without SIGKILL where the kernel holds it (state D), so that it can
    /// clean up when it comes back.
    ///
    /// # Errors
    ///
    /// When it cannot be started or watched.
    pub fn run(mut self, mut on_record: impl FnMut(Record)) -> io::Result<Ending> {
        let mut command = self.command()?;
        if let Some(guard) = &mut self.guard {
            guard.will_create(&self.creates)?;
        }
        let mut child = Child::spawn_alone(&mut command)?;
        if let Some(guard) = &mut self.guard {
            guard.held_by(child.id())?;
        }
        let mut follow = Follow::new(child.take_stdout());
        let cause = self.watch(&child, &mut follow, &mut on_record)?;
        let stuck = follow.stuck(&child).filter(|_| cause != Cause::Itself);
        let outcome = self.end(&mut child, &mut follow, cause, &mut on_record)?;
        Ok(Ending { outcome, cause, stuck })
    }

    fn command(&self) -> io::Result<Command> {
        // What we were started with may have been made to be inherited; a helper must not keep it open.
        close_fds::set_fds_cloexec(3, &[]);
        let program = self.program.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir("/").stdout(Stdio::piped()).stderr(Stdio::null());
        match &self.guard {
            // The lock belongs to the open file: it is held until the helper ends, too.
            Some(guard) => command.stdin(guard.share()?),
            None => command.stdin(Stdio::null()),
        };
        Ok(command)
    }

    fn watch(
        &self,
        child: &Child,
        follow: &mut Follow,
        on_record: &mut dyn FnMut(Record),
    ) -> io::Result<Cause> {
        loop {
            let operation = Deadline::from(follow.begun + self.operation);
            let limit = self.deadline.earlier(operation);
            // Without a pidfd the end of the pipe is the end of the helper.
            let exit = child.exit_fd().filter(|_| follow.pipe.is_none());
            let pipe = follow.pipe.as_ref().map(AsFd::as_fd);
            let [told, ended, interrupted] = ready([pipe, exit, self.interrupt], limit)?;
            if interrupted {
                return Ok(Cause::Interrupted);
            }
            if told {
                follow.read(on_record)?;
            }
            if ended || (follow.pipe.is_none() && child.exit_fd().is_none()) {
                return Ok(Cause::Itself);
            }
            if self.deadline.has_passed() {
                return Ok(Cause::Deadline);
            }
            // Looked at again after reading: an operation that ended meanwhile was in time.
            if Deadline::from(follow.begun + self.operation).has_passed() {
                return Ok(Cause::Operation);
            }
        }
    }

    fn end(
        &self,
        child: &mut Child,
        follow: &mut Follow,
        cause: Cause,
        on_record: &mut dyn FnMut(Record),
    ) -> io::Result<Outcome> {
        if cause != Cause::Itself {
            child.signal(Signal::TERM)?;
            child.signal(Signal::CONT)?;
        }
        match child.wait_until(Deadline::after(self.grace))? {
            Some(outcome) => {
                follow.read_rest(on_record)?;
                Ok(outcome)
            }
            // Killed, it could not remove what it made. It has been asked to, and will when it can.
            None if !self.creates.is_empty() && child.state().state == Some('D') => Ok(child.abandon()),
            None => child.kill(PATIENCE),
        }
    }
}

/// What a helper has told so far.
struct Follow {
    pipe: Option<ChildStdout>,
    line: Vec<u8>,
    operation: Option<String>,
    begun: Instant,
}

impl Follow {
    fn new(pipe: Option<ChildStdout>) -> Self {
        Follow { pipe, line: Vec::new(), operation: None, begun: Instant::now() }
    }

    fn stuck(&self, child: &Child) -> Option<Stuck> {
        let operation = self.operation.clone().unwrap_or_else(|| OUTSIDE.to_owned());
        Some(Stuck { operation, elapsed: self.begun.elapsed(), state: child.state() })
    }

    /// Reads what is left in the pipe of a helper that has ended.
    fn read_rest(&mut self, on_record: &mut dyn FnMut(Record)) -> io::Result<()> {
        while let Some(pipe) = &self.pipe {
            if !ready([Some(pipe.as_fd())], Deadline::after(Duration::ZERO))?[0] {
                break;
            }
            self.read(on_record)?;
        }
        Ok(())
    }

    fn read(&mut self, on_record: &mut dyn FnMut(Record)) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut block = [0; 4096];
        let count = match pipe.read(&mut block) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        if count == 0 {
            self.pipe = None;
        }
        for byte in block.iter().take(count) {
            match byte {
                b'\n' => self.end_line(on_record),
                byte if self.line.len() < LONGEST_LINE => self.line.push(*byte),
                _ => {}
            }
        }
        Ok(())
    }

    fn end_line(&mut self, on_record: &mut dyn FnMut(Record)) {
        let record = Record::parse(&String::from_utf8_lossy(&self.line));
        self.line.clear();
        let Some(record) = record else { return };
        self.begun = Instant::now();
        self.operation = match &record {
            Record::Begin(operation) => Some(operation.clone()),
            Record::Value { .. } => self.operation.take(),
            _ => None,
        };
        on_record(record);
    }
}
