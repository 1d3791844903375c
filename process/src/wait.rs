//! Waiting for descriptors until a deadline.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Deadline;

/// Which of the descriptors have something to say (data, an end, an error): one flag each, all false when
/// the deadline passed first.
pub(crate) fn ready<const N: usize>(
    fds: [Option<BorrowedFd<'_>>; N],
    deadline: Deadline,
) -> io::Result<[bool; N]> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    loop {
        match poll(&mut polled, timespec(deadline).as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false)))
}

fn timespec(deadline: Deadline) -> Option<Timespec> {
    let left = deadline.remaining()?;
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Some(Timespec { tv_sec: seconds, tv_nsec: left.subsec_nanos().into() })
}
