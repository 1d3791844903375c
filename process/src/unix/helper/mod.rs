//! Helpers for operations that may never return.
//!
//! A system call on a hung mount cannot be given up: a thread that is stuck in one keeps its process from
//! ending, and a child that inherited our output keeps the pipe open for as long as it is stuck. So such calls
//! are made by a sacrificial process: this program, started once more ([`Job`]), in a session of its own, with
//! no descriptors but a pipe for its results. It announces each operation before it begins it ([`Reporter`]),
//! so that the parent, which only ever waits with a deadline, can tell which one is stuck, and says what it found
//! out in a type that both sides know ([`HelperMessage`]); and it is left behind when the kernel does not let it
//! die. A [`Turn`] keeps later runs from adding more and more of them.

mod guard;
mod job;
mod message;
mod reporter;
mod slots;

pub use guard::{Busy, Guard, Refused, folder};
pub use job::{Helped, Job, Stuck};
pub use message::{HelperMessage, Progress, Unreadable};
pub use reporter::{Reporter, Stop, enter};
pub use slots::Turn;
