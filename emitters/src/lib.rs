//! The commands that turn what other tools say into a subunit stream.
//!
//! The formats themselves are read in [`formats`]; here are the arguments, the streams and the exit codes.

mod batches;
mod child;
mod emit;
pub mod exec;
pub mod gojson;
pub mod junitxml;
pub mod libtest;
pub mod output;
pub mod tap;
