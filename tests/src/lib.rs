//! Tests of the binaries together: streams made from text, and streams made from a seed.

pub mod generate;
pub mod make_stream;
pub mod notation;
