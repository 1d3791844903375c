//! `check-tcp`: does a port take connections, does it greet as it should, is its certificate to be trusted?

mod args;
mod aspect;
mod target;

pub use args::{CheckTcp, Said};
