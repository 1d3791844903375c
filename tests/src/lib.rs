//! Tests of the binaries together: streams made from text, and streams made from a seed.

pub mod generate;
pub mod make_stream;
pub mod notation;

/// The programs of the book are run as tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub mod embedding {}
