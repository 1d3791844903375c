//! The laws of the crates as functions, for the fuzzer and for plain tests.
//!
//! A law takes any bytes, makes of them what it needs, and panics when it does not hold. [`LAWS`] lists them
//! all: `cargo test` runs each over the files of `corpus/` and over bytes from dice, and a file of
//! `fuzz_targets/` of the same name hands it to libFuzzer, but for `reports`, which has run as a plain test only.
//! An input that broke a law becomes a file of the corpus.
//!
//! To add a law, for a format's reader and writer for example: the function, its line in [`LAWS`], its
//! `[[bin]]` and its file in `fuzz_targets/`.

mod any_event;
mod decoding;
mod dice;
mod encoding;
mod frames;
mod gojson;
mod in_line;
mod json;
mod junit_read;
mod libtest;
mod records;
mod recovery;
mod repair;
mod reports;
#[cfg(test)]
mod smoke;
mod tap;
mod v1;

pub use any_event::AnyEvent;
pub use decoding::{cuts, decode_raw, structured};
pub use encoding::{reroute, roundtrip};
pub use frames::{Kind, Stretch, frames, frames_of};
pub use gojson::gojson;
pub use in_line::in_line;
pub use json::json;
pub use junit_read::junit_read;
pub use libtest::libtest;
pub use records::records;
pub use recovery::{Piece, recovery};
pub use repair::repair;
pub use reports::reports;
pub use tap::tap;
pub use v1::v1;

/// What a law is: it holds for any bytes, or panics.
pub type Law = fn(&[u8]);

/// All laws by name.
pub const LAWS: [(&str, Law); 15] = [
    ("decode_raw", decode_raw),
    ("cuts", cuts),
    ("structured", structured),
    ("roundtrip", roundtrip),
    ("reroute", reroute),
    ("recovery", recovery),
    ("in_line", in_line),
    ("records", records),
    ("gojson", gojson),
    ("junit_read", junit_read),
    ("libtest", libtest),
    ("tap", tap),
    ("v1", v1),
    ("json", json),
    ("reports", reports),
];
