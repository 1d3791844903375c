//! The output of Rust tests: libtest's plain text and JSON, with what cargo says between, and nextest's JSON.
//!
//! ```text
//!      Running unittests src/lib.rs (target/debug/deps/probe-0123456789abcdef)
//!
//! running 2 tests
//! test disk::reads ... ok
//! test disk::writes ... FAILED
//!
//! failures:
//!
//! ---- disk::writes stdout ----
//! thread 'disk::writes' panicked at src/disk.rs:7:9:
//! the disk is full
//!
//! failures:
//!     disk::writes
//!
//! test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
//! ```
//!
//! # What becomes of it
//!
//! - **Ids** are the paths of the tests behind the name of their binary, which is nextest's: `probe::disk::reads`
//!   for the library of a package, `probe::it::reads` for `tests/it.rs`, `probe::bin/tool::reads`,
//!   `probe::example/demo::reads`, `probe::bench/speed::reads`, and `probe::doc::src/lib.rs - reads (line 7)` for
//!   documentation. Hyphens are underscores. Cargo names binaries on stderr (`2>&1`): without it ids are the paths
//!   alone, and those of the second binary have `#2::` before them.
//! - A **failure** has what the test wrote as its file `stdout`, and the message of the panic in it as its file
//!   `reason`. In plain text that comes behind the results of
//!   all tests of the binary: the failure waits for it, and has the time of its result. What `--show-output`
//!   prints of other tests is a late file of theirs; what `--nocapture` prints behind the name of a test is its
//!   file, other output is text of the run.
//! - The **reason** of an ignored test is its file `reason`, the figures of a benchmark are its file `benchmark`.
//!   `should panic`, `compile` and `compile fail` are tags, as is `attempt-2` for a test that nextest tried again.
//! - **Times** are those of arrival; a test that says how long it took began as long before, or, when it was seen
//!   to begin, ended as long after.
//! - **Totals** must tell what was seen, or less: something else may have looked like a result. Where all went well
//!   they must tell as many tests as were announced. Missing results, totals that never come, cargo's word that a
//!   binary failed whose tests did not, and a stream that ends where a binary begins are failures with the binary's
//!   id, not runnable, with a file `error`. So is what keeps cargo from running tests (`cargo`, with the compiler's
//!   errors). Dots (`--quiet`) have no names: their results are missing. A harness of its own that writes lines like
//!   libtest's needs no totals where cargo names it, since cargo tells then whether it failed.
//! - All else is text in its place.
//!
//! [`drive`] and [`LibtestParser`] read it.

mod cargo;
mod counts;
mod emit;
mod failures;
mod json;
mod line;
mod message;
mod names;
mod parse;
mod pending;
mod plain;
mod reason;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use streamresult::StreamResult;

pub use emit::Clock;
pub use parse::{LibtestFormat, LibtestParser};

/// Reads the output of Rust tests to its end and pushes all of it into `sink`, as [`streamresult::drive`] does
/// with subunit. Events have the time of their arrival.
///
/// ```
/// use streamresult::{Outcome, Summary};
///
/// let output = "\
/// running 2 tests
/// test reads ... ok
/// test writes ... ignored, no disk
///
/// test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
/// ";
/// let mut summary = Summary::new();
/// formats::libtest::drive(output.as_bytes(), &mut summary)?;
/// assert_eq!((summary.count(Outcome::Success), summary.count(Outcome::Skip)), (1, 1));
/// assert!(summary.is_success());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When reading fails, or the sink does. Its run is stopped all the same, after all events that came before.
pub fn drive<R: Read>(input: R, sink: &mut dyn StreamResult) -> io::Result<()> {
    crate::lines::drive(LibtestParser::default(), input, sink)
}
