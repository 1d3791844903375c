//! How long to wait for the network, and what ends the wait early.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use process::{Deadline, Interrupt, Wait};

/// How long something may take on the network: until a deadline passes or a signal comes.
#[derive(Clone, Debug)]
pub struct Patience {
    deadline: Deadline,
    time: Duration,
    interrupt: Interrupt,
}

impl Patience {
    /// Until the deadline passes, but at most this long, or until a signal comes.
    #[must_use]
    pub fn new(most: Duration, deadline: Deadline, interrupt: &Interrupt) -> Self {
        let time = deadline.remaining().filter(|left| *left < most).map_or(most, rounded);
        Patience { deadline: Deadline::after(most).earlier(deadline), time, interrupt: interrupt.clone() }
    }

    /// Until the deadline passes or a signal comes: for answers that come bit by bit. What is reported of a wait
    /// without a deadline is `usual`.
    #[must_use]
    pub fn until(deadline: Deadline, usual: Duration, interrupt: &Interrupt) -> Self {
        let time = deadline.remaining().map_or(usual, rounded);
        Patience { deadline, time, interrupt: interrupt.clone() }
    }

    /// How long it was at the beginning.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }

    /// How long it still is.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.remaining().unwrap_or(self.time)
    }

    /// One of this many equal parts of what is left.
    pub(super) fn share(&self, parts: u32) -> Self {
        let time = rounded(self.remaining() / parts.max(1));
        Patience { deadline: self.deadline.earlier(Deadline::after(time)), time, ..self.clone() }
    }

    /// Whether a signal asked us to end.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.has_come()
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wait().is_over()
    }

    /// Waits until there is something to read.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the patience is over first.
    pub(super) fn readable(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        in_time(self.wait().readable(fd)?)
    }

    /// Waits until something can be written.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the patience is over first.
    pub(super) fn writable(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        in_time(self.wait().writable(fd)?)
    }

    fn wait(&self) -> Wait<'_> {
        Wait { deadline: self.deadline, interrupt: &self.interrupt }
    }
}

fn in_time(is_ready: bool) -> io::Result<()> {
    if is_ready { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
}

/// To be shown: nobody wants to know the nanoseconds of what was left.
fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1))
}
