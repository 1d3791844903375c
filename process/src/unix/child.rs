//! A child process that is watched, ended and reaped without ever blocking for good.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command};
use std::time::Duration;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, pidfd_send_signal, waitid,
};
use wait4::Wait4 as _;

use crate::timeouts::PATIENCE;
use crate::unix::group::pause;
use crate::unix::wait::ready;
use crate::{Deadline, Exit, ProcState, ProcessGroup, Usage};

/// A running child, the leader of its own process group.
///
/// Dropping it while it runs kills the group: call [`Child::detach`] for one that is to live on. What a child
/// that ended by itself left running in its group is ended by [`Child::terminate`].
///
/// In asynchronous code, register [`Child::exit_fd`] (tokio's `AsyncFd`) and call [`Child::try_wait`] when it
/// is readable; no call but the waiting ones blocks.
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
/// use process::{Child, Deadline, Exit};
///
/// let mut child = Child::spawn(Command::new("sh").args(["-c", "exit 3"]))?;
/// let exit = child.wait_until(Deadline::after(Duration::from_secs(5)))?;
/// assert_eq!(exit, Some(Exit::Exited(3)));
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Child {
    inner: process::Child,
    /// Readable when the process has ended; `None` where the kernel or a sandbox refuses pidfds.
    pidfd: Option<OwnedFd>,
    group: Option<ProcessGroup>,
    exit: Option<Exit>,
    usage: Option<Usage>,
    detached: bool,
}

impl Child {
    /// Starts the command in a process group of its own.
    ///
    /// # Errors
    ///
    /// When it cannot be started: not found, no permission, no memory.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = Child::adopt(ProcessGroup::configure(command).spawn()?);
        child.group = ProcessGroup::of(child.id());
        Ok(child)
    }

    /// Starts the command in this process's group: signals then go to the process alone.
    pub(crate) fn spawn_alone(command: &mut Command) -> io::Result<Self> {
        Ok(Child::adopt(command.spawn()?))
    }

    fn adopt(inner: process::Child) -> Self {
        let pidfd = pidfd_open(Pid::from_child(&inner), PidfdFlags::empty()).ok();
        Child { inner, pidfd, group: None, exit: None, usage: None, detached: false }
    }

    /// Its process id, which is that of its group, too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Its group, while the child or anything it started in the group may live.
    #[must_use]
    pub fn group(&self) -> Option<ProcessGroup> {
        self.group
    }

    /// The writing end of its input, once, when the command asked for a pipe.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.inner.stdin.take()
    }

    /// The reading end of its output, once, when the command asked for a pipe.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.inner.stdout.take()
    }

    /// The reading end of its error output, once, when the command asked for a pipe.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.inner.stderr.take()
    }

    /// A descriptor that becomes readable when it ends; `None` where the system has no pidfds.
    #[must_use]
    pub fn exit_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// What the kernel says about it now.
    #[must_use]
    pub fn state(&self) -> ProcState {
        ProcState::of(self.id())
    }

    /// How it ended, `None` while it runs. Reaps it, never blocks.
    ///
    /// # Errors
    ///
    /// When somebody else reaped it.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            self.reap()?;
            self.forget_empty_group();
        }
        Ok(self.exit.clone())
    }

    /// Whether it has ended; does not reap it, never blocks.
    ///
    /// # Errors
    ///
    /// When somebody else reaped it.
    pub fn has_ended(&self) -> io::Result<bool> {
        if self.exit.is_some() {
            return Ok(true);
        }
        match self.exit_fd() {
            Some(fd) => Ok(ready([Some(fd)], Deadline::now())?[0]),
            None => {
                let asks = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
                Ok(waitid(WaitId::Pid(Pid::from_child(&self.inner)), asks)?.is_some())
            }
        }
    }

    /// The resources it used; `None` until it has been reaped.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Waits for its end and reaps it; `None` when the deadline passed first.
    ///
    /// # Errors
    ///
    /// When somebody else reaped it.
    pub fn wait_until(&mut self, deadline: Deadline) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            self.ended_by(deadline)?;
        }
        self.try_wait()
    }

    /// Sends a signal to its group; it is not an error if the group has ended.
    ///
    /// # Errors
    ///
    /// When the group may not be signalled by this user.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match (self.group, &self.exit) {
            (Some(group), _) => group.signal(signal),
            (None, Some(_)) => Ok(()),
            (None, None) => self.signal_alone(signal),
        }
    }

    /// Ends it and all of its group: SIGTERM, up to `grace`, SIGKILL, then at most a second.
    ///
    /// Members of the group that outlive their leader get the same grace. What SIGKILL does not end is
    /// abandoned, and the exit says so.
    ///
    /// # Errors
    ///
    /// When it may not be signalled or somebody else reaped it.
    pub fn terminate(&mut self, grace: Duration) -> io::Result<Exit> {
        self.terminate_within(grace, PATIENCE)
    }

    /// The same with this time for SIGKILL.
    pub(crate) fn terminate_within(&mut self, grace: Duration, patience: Duration) -> io::Result<Exit> {
        let deadline = Deadline::after(grace);
        if let Err(error) = self.ask_to_end() {
            return self.ended_unsignalled(error);
        }
        // The group is signalled before its leader is reaped: until then no other group can have its number.
        self.ended_by(deadline)?;
        if let Some(group) = self.group {
            let _all_ended = group.wait_until_empty(deadline);
        }
        self.kill(patience)
    }

    /// Asks its group to end: SIGTERM, and SIGCONT for those that are stopped and would not see it.
    pub(crate) fn ask_to_end(&self) -> io::Result<()> {
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT)
    }

    /// Kills it and all of its group by SIGKILL; what has not ended `patience` later is abandoned.
    ///
    /// # Errors
    ///
    /// See [`Child::terminate`].
    pub fn kill(&mut self, patience: Duration) -> io::Result<Exit> {
        if let Err(error) = self.signal(Signal::KILL) {
            return self.ended_unsignalled(error);
        }
        let ended = self.wait_until(Deadline::after(patience))?;
        self.forget_empty_group();
        Ok(ended.unwrap_or_else(|| self.abandon()))
    }

    /// What has become another user's may not be signalled, but it may have ended.
    fn ended_unsignalled(&mut self, error: io::Error) -> io::Result<Exit> {
        self.try_wait()?.ok_or(error)
    }

    /// Gives it up as it is: nobody waits for it any longer.
    pub fn abandon(&mut self) -> Exit {
        let state = self.state();
        self.exit.get_or_insert(Exit::Abandoned(state)).clone()
    }

    /// Lets it live on after this value is dropped.
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Reaps it when it has ended. Its usage is only reported by a call that waits, so that is made when there is
    /// nothing to wait for.
    fn reap(&mut self) -> io::Result<()> {
        if self.has_ended()? {
            let ended = self.inner.wait4()?;
            self.usage = Some(ended.rusage.into());
            self.exit = Some(ended.status.into());
        }
        Ok(())
    }

    /// The number of a group without members may soon be another group's.
    fn forget_empty_group(&mut self) {
        if self.exit.is_some() {
            self.group = self.group.filter(|group| !group.is_gone() && !group.members().is_empty());
        }
    }

    /// Waits for its end without reaping it; false when the deadline passed first.
    fn ended_by(&self, deadline: Deadline) -> io::Result<bool> {
        match self.exit_fd() {
            Some(fd) => Ok(ready([Some(fd)], deadline)?[0]),
            None => self.ended_by_asking(deadline),
        }
    }

    fn ended_by_asking(&self, deadline: Deadline) -> io::Result<bool> {
        loop {
            if self.has_ended()? {
                return Ok(true);
            }
            let Some(pause) = pause(deadline) else { return Ok(false) };
            std::thread::sleep(pause);
        }
    }

    fn signal_alone(&self, signal: Signal) -> io::Result<()> {
        let sent = match &self.pidfd {
            Some(pidfd) => pidfd_send_signal(pidfd, signal),
            None => kill_process(Pid::from_child(&self.inner), signal),
        };
        match sent {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.exit.is_none() && !self.detached {
            // Nobody is left to tell.
            let _unknown = self.kill(PATIENCE);
        }
    }
}
