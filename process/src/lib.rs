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

mod chain;
mod secret;
#[cfg(unix)]
mod unix;
mod word;

pub use chain::chain;
pub use secret::{REDACTED, is_secret_name, without_passwords};
#[cfg(unix)]
pub use unix::*;
pub use word::{shell_bytes, shell_word};
