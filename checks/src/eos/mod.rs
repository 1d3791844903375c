//! `check-eos`: is an EOS mount there, does it answer, does it keep what is written?
//!
//! It serves for any POSIX file system. The process that reports never touches the path: it handles words and
//! `/proc/self/mountinfo`, and leaves the rest to a helper that may hang (see [`process::helper`]).

mod args;
mod aspect;
mod native;
mod pending;
mod target;
mod task;

pub use args::CheckEos;
