//! The commands that turn the output of other tools into a subunit stream.
//!
//! The formats themselves are read by [`formats`]; this crate has the arguments, the streams and the exit codes.

mod batches;
mod child;
pub mod combine;
mod emit;
pub mod exec;
pub mod gojson;
pub mod junitxml;
pub mod libtest;
pub mod output;
pub mod tap;
#[cfg(test)]
mod tests;
