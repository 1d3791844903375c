//! The commands as people use them: in pipelines, started by a shell.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what a test needs and cannot have fails it")]

mod bins;
mod cli;
mod damage;
mod fixtures;
mod pages;
mod terminal;
mod transcript;
