//! The commands that turn what other tools say into a subunit stream.
//!
//! The formats themselves are read in [`formats`]; here are the arguments, the streams and the exit codes.

mod emit;
