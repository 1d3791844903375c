//! The output of `go test -json`: one JSON object per line, as `go tool test2json` makes them.
//!
//! ```text
//! {"Time":"2026-01-31T23:59:58.25Z","Action":"run","Package":"example.com/net","Test":"TestBoot"}
//! {"Time":"2026-01-31T23:59:58.5Z","Action":"output","Package":"example.com/net","Test":"TestBoot","Output":"ready\n"}
//! {"Time":"2026-01-31T23:59:59Z","Action":"pass","Package":"example.com/net","Test":"TestBoot","Elapsed":0.75}
//! {"Time":"2026-01-31T23:59:59Z","Action":"pass","Package":"example.com/net","Elapsed":0.75}
//! ```
//!
//! | said | event |
//! |---|---|
//! | `run` | `example.com/net.TestBoot` is `inprogress`; subtests keep their names, `example.com/net.TestBoot/sub` |
//! | `output` of a test | its file `go test output`, live; what only repeats other events (`=== RUN`, `--- PASS`) is dropped |
//! | `pass`, `bench`, `fail`, `skip` of a test | its end; its last log message before a skip is the file `reason` |
//! | `attr`, `artifacts` | its file `attributes`, one line `key: value` for each |
//! | `fail` of a package | a failing test, unless one of its tests explains the failure: see below |
//! | `pass`, `skip` of a package | nothing: a package is not a test |
//! | a line of a benchmark, of go before 1.20 | a test that passed, with its figures |
//! | `build-output` | kept for the package whose build failed |
//! | `pause`, `cont` | nothing, but what the test waited for others in between does not count: it takes as long as `Elapsed` says |
//! | `start` | nothing |
//! | all else | text (see [`text_event`](streamresult::text_event)), in its place |
//!
//! A package that fails although none of its tests did is a failing test `example.com/net`, or
//! `example.com/net [build]` when it could not be built, with all that it and the compiler printed; so is one that
//! was ended by a panic or a signal, whatever its tests did. What other packages print besides the usual
//! (`PASS`, `ok`) is text.
//!
//! A test whose end was not reported has failed, with a file that says so, unless its package came to its end in good
//! order and shows how the test went: go before 1.20 does not see the end of a test that leaves a line without a
//! newline, and no version of go reports the end of a benchmark that passed.
//!
//! What the compiler says is text in the output of go before 1.24, if it is there at all (`2>&1`), and is kept for the
//! packages that need it. That a package could not be built is a line of text there, too; of a package without tests
//! it is nothing at all.

mod bench;
mod builds;
mod clock;
mod event;
mod held;
mod mark;
mod package;
mod packages;
mod parse;
mod piece;
mod reason;
mod scan;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use streamresult::StreamResult;

pub use parse::GoJsonParser;

/// Reads the output of `go test -json` to its end and pushes all of it into `sink`, as [`streamresult::drive`] does
/// with subunit.
///
/// ```
/// use streamresult::{Outcome, Summary};
///
/// let input = br#"{"Action":"run","Package":"net","Test":"TestBoot"}
/// {"Action":"pass","Package":"net","Test":"TestBoot"}
/// {"Action":"run","Package":"net","Test":"TestLogin"}
/// "#;
/// let mut summary = Summary::new();
/// formats::gojson::drive(&input[..], &mut summary)?;
/// assert_eq!(summary.count(Outcome::Success), 1);
/// assert_eq!(summary.count(Outcome::Fail), 1, "the stream ended within a test");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When reading fails, or the sink does. Its run is stopped all the same, after all events that came before.
pub fn drive<R: Read>(input: R, sink: &mut dyn StreamResult) -> io::Result<()> {
    crate::lines::drive(GoJsonParser::new(), input, sink)
}
