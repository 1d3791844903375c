//! The Test Anything Protocol.

mod write;
mod yaml;

pub use write::{LONGEST_TEXT, TapWriter};
