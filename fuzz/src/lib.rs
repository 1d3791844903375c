//! The laws of the crates as functions, for the fuzzer and for plain tests.
