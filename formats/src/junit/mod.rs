//! JUnit XML, as continuous integration systems read it.
//!
//! What is written is made for the strictest of ten consumers: flat suites, no two cases with the same names,
//! times with three decimals, no character that XML cannot hold, no text that a parser finds too long.

mod attachments;
mod attempts;
mod budget;
mod case;
mod case_writer;
mod escape;
mod merge;
pub(crate) mod names;
mod options;
mod properties;
pub mod read;
mod suite;
mod write;

pub use options::{Dialect, JunitOptions};
pub use write::JunitWriter;
