//! Child processes: groups, deadlines, output; never left behind. And what the kernel's error numbers mean.
//!
//! Only this crate starts, signals and reaps processes. Its rules:
//!
//! - A [`Child`] leads a process group of its own, so that what it starts can be ended with it:
//!   TERM, a grace period, KILL.
//! - Nothing waits without a [`Wait`], and nothing blocks in `waitpid`: exits are watched on a pidfd.
//! - One loop follows a child: [`Follow`]. How long it waits for each thing is in [`Timeouts`], for all callers.
//! - What SIGKILL does not end (a process in an uninterruptible system call) is abandoned and reported as
//!   [`Exit::Abandoned`], with what the kernel says about it.
//! - Operations that may never return are done by a [`helper`]: this program, started once more, in its own
//!   session and with no inherited descriptors.

#[cfg(unix)]
mod capture;
mod chain;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod deadline;
#[cfg(unix)]
mod ending;
#[cfg(unix)]
mod errno;
#[cfg(unix)]
mod exit;
#[cfg(unix)]
mod follow;
#[cfg(unix)]
mod group;
#[cfg(unix)]
pub mod helper;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod line_input;
#[cfg(unix)]
mod lock;
#[cfg(unix)]
mod mark;
#[cfg(unix)]
mod memory_file;
mod secret;
#[cfg(unix)]
mod state;
#[cfg(unix)]
pub mod timeouts;
#[cfg(unix)]
mod usage;
#[cfg(unix)]
mod wait;

#[cfg(unix)]
pub use capture::{Captured, Finished, last_line, run};
pub use chain::chain;
#[cfg(unix)]
pub use child::Child;
#[cfg(unix)]
pub use deadline::Deadline;
#[cfg(unix)]
pub use ending::{Asked, Cause, Ending};
#[cfg(unix)]
pub use errno::explain;
#[cfg(unix)]
pub use exit::{Exit, SignalName};
#[cfg(unix)]
pub use follow::{ChildInput, Follow, Following, Outputs, Sink, Source};
#[cfg(unix)]
pub use group::ProcessGroup;
#[cfg(unix)]
pub use interrupt::Interrupt;
#[cfg(unix)]
pub use line_input::LineInput;
#[cfg(unix)]
pub use lock::Lock;
#[cfg(unix)]
pub use mark::Mark;
#[cfg(unix)]
pub use memory_file::MemoryFile;
#[cfg(unix)]
pub use rustix::process::Signal;
pub use secret::{REDACTED, is_secret_name, without_passwords};
#[cfg(unix)]
pub use state::ProcState;
#[cfg(unix)]
pub use timeouts::Timeouts;
#[cfg(unix)]
pub use usage::Usage;
#[cfg(unix)]
pub use wait::Wait;
