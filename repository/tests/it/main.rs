//! The laws of run storage, and what must not happen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "what cannot be tested here is told of")]

mod concurrent;
mod damage;
mod disk_full;
mod failing;
mod formats;
mod helper;
mod killed;
mod laws;
mod lost;
mod queries;
mod refused;
mod retention;
mod support;
