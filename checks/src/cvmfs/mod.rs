//! `check-cvmfs`: is a CVMFS repository there, is it the one that was asked for, is it fresh, does it read?
//!
//! What the client knows about itself comes from the magic extended attributes of the repository's root, each
//! asked for by its name: lists may leave them out. Everything that touches the mount is done by a helper.

mod args;
mod aspect;
mod attributes;
mod judge;
mod published;
mod servers;
mod target;
mod task;

pub use args::CheckCvmfs;
