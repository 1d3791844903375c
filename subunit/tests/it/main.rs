//! The protocol as others see the crate: what the specification says, and the laws.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corrupt;
mod cuts;
mod frames;
mod in_line;
mod limits;
mod roundtrip;
mod spec;
