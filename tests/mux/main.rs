//! `subunit-mux` as a process: what it reads, writes, waits for and leaves behind.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "../it/bins.rs"]
mod bins;
mod children;
mod control;
mod files;
mod limits;
mod listen;
mod live;
mod support;
