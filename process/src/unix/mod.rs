//! All that starts, signals and reaps processes, which is for Unix alone.

mod capture;
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
mod mark;
mod memory_file;
mod state;
pub mod timeouts;
mod usage;
mod wait;

pub use capture::{Captured, Finished, last_line, run};
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
pub use mark::Mark;
pub use memory_file::MemoryFile;
pub use rustix::process::Signal;
pub use state::ProcState;
pub use timeouts::Timeouts;
pub use usage::Usage;
pub use wait::Wait;
