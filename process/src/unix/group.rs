//! Process groups: what a child started, ended with it.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::Deadline;
use crate::timeouts::INTERVAL;
use crate::unix::state::Stat;

/// A process group, by its leader's process id.
///
/// The number stays the group's own as long as its leader is not reaped or a member lives: signal first, reap
/// then. [`Child`](crate::Child) keeps that order by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Makes the command start in a group of its own, which has the child's process id.
    pub fn configure(command: &mut Command) -> &mut Command {
        command.process_group(0)
    }

    /// The group that this process leads; `None` for 0, 1 and numbers that are not a process id.
    #[must_use]
    pub fn of(leader: u32) -> Option<Self> {
        let pid = i32::try_from(leader).ok().filter(|pid| *pid > 1)?;
        Pid::from_raw(pid).map(ProcessGroup)
    }

    /// Sends the signal to every member; it is not an error if the group is gone.
    ///
    /// # Errors
    ///
    /// When the members may not be signalled by this user.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        match kill_process_group(self.0, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The members that still live; those that ended and are not yet reaped are none.
    #[must_use]
    pub fn members(self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| self.holds(*pid)).collect()
    }

    /// Whether it has no member, not even one that ended and is not yet reaped. Cheaper than a look at all.
    pub(crate) fn is_gone(self) -> bool {
        test_kill_process_group(self.0) == Err(Errno::SRCH)
    }

    /// Waits until no member lives; false when the deadline passed first.
    #[must_use]
    pub fn wait_until_empty(self, deadline: Deadline) -> bool {
        loop {
            if self.members().is_empty() {
                return true;
            }
            let Some(pause) = pause(deadline) else { return false };
            std::thread::sleep(pause);
        }
    }

    fn holds(self, pid: u32) -> bool {
        Stat::of(pid)
            .is_some_and(|stat| stat.group == self.0.as_raw_nonzero().get() && !"ZXx".contains(stat.state))
    }
}

/// How long to sleep before looking again, `None` when the deadline has passed.
pub(crate) fn pause(deadline: Deadline) -> Option<Duration> {
    match deadline.remaining() {
        Some(left) if left.is_zero() => None,
        Some(left) => Some(left.min(INTERVAL)),
        None => Some(INTERVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_is_made_of_numbers_that_mean_others() {
        assert_eq!(ProcessGroup::of(0), None);
        assert_eq!(ProcessGroup::of(1), None);
        assert_eq!(ProcessGroup::of(u32::MAX), None);
    }
}
