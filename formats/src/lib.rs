//! Foreign test result formats, read into events and written from them.

pub mod charset;
pub mod ci;
mod colour;
pub mod compact_map;
pub mod csv;
pub mod diff;
pub mod disk;
pub mod gojson;
pub mod harmless;
mod hash_set;
mod held;
pub mod human;
pub mod json;
pub mod junit;
pub mod libtest;
pub mod lines;
mod loose_json;
pub mod packet_watch;
mod postponed;
pub mod pyunit;
pub mod recognise;
mod shown;
pub mod tap;
pub mod text;
pub mod time;
mod utf16;
pub mod v1;
mod verdict;
pub mod visible;

pub use verdict::VerdictLine;
