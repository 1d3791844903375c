//! Tests of the binaries together.
