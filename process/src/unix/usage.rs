//! What a process took: processor time and memory.

use std::time::Duration;

use wait4::ResourceUsage;

/// What a process took that has ended, with all that it started and waited for.
///
/// ```
/// use std::process::Command;
/// use process::{Child, Deadline};
///
/// let mut child = Child::spawn(Command::new("sh").args(["-c", "exit 0"]))?;
/// child.wait_until(Deadline::NEVER)?;
/// if let Some(usage) = child.usage() {
///     assert!(usage.peak_memory > 0);
/// }
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in the program.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The most memory that one of the processes had at a time, in bytes. It is not below what this process had
    /// when it started the child: the kernel counts from there.
    pub peak_memory: u64,
}

impl From<ResourceUsage> for Usage {
    fn from(usage: ResourceUsage) -> Self {
        Usage { user: usage.utime, system: usage.stime, peak_memory: usage.maxrss }
    }
}
