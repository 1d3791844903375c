//! What a pipeline promises, checked from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adaptors;
mod held;
mod laws;
mod records;
mod runs;
mod script;
mod spooling;
mod streams;
mod summary;
