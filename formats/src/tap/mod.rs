//! The Test Anything Protocol: versions 13 and 14 are written, versions 12 to 14 and KTAP are read.

mod block;
mod braces;
mod document;
mod duration;
mod end;
mod held;
mod ids;
mod line;
mod numbers;
mod prove;
mod read;
mod write;
mod yaml;

pub(crate) use prove::is_line_of_prove;
pub use read::TapParser;
pub use write::{LONGEST_TEXT, TapWriter, Version};
