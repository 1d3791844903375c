//! Waiting for descriptors, until a deadline passes or a signal comes.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{Deadline, Interrupt};

/// How long somebody waits: until the deadline passes, or a signal asks this process to end.
///
/// ```
/// use std::time::Duration;
/// use process::{Deadline, Wait};
///
/// let wait = Wait::until(Deadline::after(Duration::from_millis(1)));
/// assert!(!wait.sleep(Duration::from_secs(60)), "the deadline comes first");
/// assert!(wait.is_over());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    /// When nobody waits any longer.
    pub deadline: Deadline,
    /// What ends the wait early.
    pub interrupt: &'a Interrupt,
}

static NEVER: Interrupt = Interrupt::never();

impl Wait<'static> {
    /// As long as it takes.
    pub const FOREVER: Wait<'static> = Wait { deadline: Deadline::NEVER, interrupt: &NEVER };

    /// Until the deadline passes, whatever signal comes.
    #[must_use]
    pub fn until(deadline: Deadline) -> Self {
        Wait { deadline, interrupt: &NEVER }
    }
}

impl Wait<'_> {
    /// Whether the deadline has passed or a signal came.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.interrupt.has_come() || self.deadline.has_passed()
    }

    /// Waits until there is something to read, an end or an error included; false when the wait is over first.
    ///
    /// # Errors
    ///
    /// When waiting fails.
    pub fn readable(&self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        self.ready(fd, PollFlags::IN)
    }

    /// Waits until something can be written, or fails at once; false when the wait is over first.
    ///
    /// # Errors
    ///
    /// When waiting fails.
    pub fn writable(&self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        self.ready(fd, PollFlags::OUT)
    }

    fn ready(&self, fd: BorrowedFd<'_>, flags: PollFlags) -> io::Result<bool> {
        if self.is_over() {
            return Ok(false);
        }
        let wake = self.interrupt.wake().map(|wake| (wake, PollFlags::IN));
        let [found, woken] = poll_all([Some((fd, flags)), wake], self.deadline)?;
        Ok(!found.is_empty() && woken.is_empty())
    }

    /// Sleeps this long; false when the wait is over first.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> bool {
        let end = Deadline::after(time);
        while !end.has_passed() && !self.is_over() {
            let wake = self.interrupt.wake().map(|wake| (wake, PollFlags::IN));
            if poll_all([wake], end.earlier(self.deadline)).is_err() {
                return false;
            }
        }
        end.has_passed()
    }
}

/// Which of the descriptors have something to say (data, an end, an error): one flag each, all false when
/// the deadline passed first.
pub(crate) fn ready<const N: usize>(
    fds: [Option<BorrowedFd<'_>>; N],
    deadline: Deadline,
) -> io::Result<[bool; N]> {
    let answers = poll_all(fds.map(|fd| fd.map(|fd| (fd, PollFlags::IN))), deadline)?;
    Ok(answers.map(|flags| !flags.is_empty()))
}

/// What there is of what is asked of each descriptor, errors and ends unasked; nothing of any when the deadline
/// passed first.
pub(crate) fn poll_all<const N: usize>(
    fds: [Option<(BorrowedFd<'_>, PollFlags)>; N],
    deadline: Deadline,
) -> io::Result<[PollFlags; N]> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    loop {
        match poll(&mut polled, timespec(deadline).as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    let mut answers = polled.iter().map(PollFd::revents);
    Ok(fds.map(|fd| fd.and_then(|_| answers.next()).unwrap_or(PollFlags::empty())))
}

fn timespec(deadline: Deadline) -> Option<Timespec> {
    let left = deadline.remaining()?;
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Some(Timespec { tv_sec: seconds, tv_nsec: left.subsec_nanos().into() })
}
