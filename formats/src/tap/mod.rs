//! The Test Anything Protocol: version 14 is written, versions 12 to 14 are read.

mod block;
mod document;
mod duration;
mod held;
mod ids;
mod line;
mod numbers;
mod read;
mod write;
mod yaml;

pub use read::Parser;
pub use write::{LONGEST_TEXT, TapWriter};
