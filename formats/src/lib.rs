//! Foreign test result formats, to and from events.

pub mod charset;
pub mod junit;
mod verdict;
pub mod visible;

pub use verdict::VerdictLine;
