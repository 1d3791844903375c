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

mod capture;
mod chain;
mod child;
mod deadline;
mod ending;
mod errno;
mod exit;
mod follow;
mod group;
pub mod helper;
mod interrupt;
mod line_input;
mod lock;
mod memory_file;
mod secret;
mod state;
pub mod timeouts;
mod usage;
mod wait;

pub use capture::{Captured, Finished, last_line, run};
pub use chain::chain;
pub use child::Child;
pub use deadline::Deadline;
pub use ending::{Asked, Cause, Ending};
pub use errno::explain;
pub use exit::{Exit, SignalName};
pub use follow::{ChildInput, Follow, Following, Outputs, Sink, Source};
pub use group::ProcessGroup;
pub use interrupt::Interrupt;
pub use line_input::LineInput;
pub use lock::Lock;
pub use memory_file::MemoryFile;
pub use rustix::process::Signal;
pub use secret::{REDACTED, is_secret_name, without_passwords};
pub use state::ProcState;
pub use timeouts::Timeouts;
pub use usage::Usage;
pub use wait::Wait;
