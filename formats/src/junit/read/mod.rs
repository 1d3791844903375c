//! Reading JUnit XML, as all kinds of tools write it.
//!
//! Each `testcase` is a test: `inprogress`, its files, and how it ended. Its parts become:
//!
//! - **Ids**: `classname`, `.`, `name`; with `::` between where the class is a path (`test_a.py::TestA`, or as the
//!   attribute `file` tells), and the name alone where the class says nothing: it is the name of the whole report, or
//!   of CTest's test. That undoes what our writer does, but for an id like `a::b`, which comes back as `a.b`.
//!   A name that our writer made unique loses its ` [route]` again; a ` #2` stays. Each id is given once: where class
//!   and name are not all that tells two tests apart, the second has the host or the names of its suites in its id, or
//!   a number. Only attempts that are called so are runs of one test.
//! - **Outcomes**: `failure` and `error` are `fail`, `skipped` is `skip` (`xfail` for such a type), as are the
//!   attributes `status` and `result` of GoogleTest, CTest, behave and others, and elements whose name tells an ending,
//!   as `timeout` and `aborted` do. A word that nobody knows is a failure that quotes it. What CTest could not run has
//!   failed, as it says itself. What our writer calls `UnexpectedSuccess` and `Incomplete` is so again. Of several, the
//!   gravest holds.
//! - **Files**: the text of a failure is `traceback`, that of a skip `reason`, each after a line of message and type
//!   where the text does not say them; `stdout` and `stderr`; `properties`, with a line `name=value` for each property
//!   and for each attribute that has no other use. Properties called `tag` are tags, and `route` is the route code.
//! - **Attempts**: `flakyFailure`, `rerunFailure` and the like are files `attempt-1`…; the test is tagged with the
//!   number of its last attempt, `attempt-2`, and `flaky` where that passed.
//! - **Times**: a case begins at its `timestamp`, or else where the case before it ended, the first when its suite
//!   did, or else at [`Options::start`], which only serves to keep durations. Without a `time` there are none.
//! - **Suites**: a `failure` or `error` of the suite itself is a failing test of its name, and so is a suite whose
//!   attributes say that it failed, or count more tests, failures or errors than are in it, unless attempts or
//!   assertions explain the count; what it only counts as skipped is a skipped test. Output and `properties` are files
//!   of the run.
//!
//! What else there is to say, such as elements that are not known, is in [`Parser::take_notes`].
//!
//! A broken document is read up to where it breaks; then comes a failing test [`DAMAGE_ID`](streamresult::DAMAGE_ID),
//! and the [`Error`] says where. Entities of a document's own are refused, no file is read unless
//! [`Options::attachments`] allows it, and memory stays flat, however long a text is.

mod case;
mod counts;
mod element;
mod encoding;
mod error;
mod explanation;
mod files;
mod id;
mod notes;
mod parse;
mod reference;
mod report;
#[cfg(test)]
mod roundtrip;
mod scan;
mod secret;
mod suite;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod unique;
mod words;

use std::io::{self, Read};
use std::path::PathBuf;

use streamresult::StreamResult;
use subunit::{Timestamp, part};

pub use error::{Error, Position};
pub use parse::Parser;

/// 2000-01-01T00:00:00Z, as python-subunit has it.
const START: Timestamp = Timestamp::from_seconds(946_684_800);
/// How much is read at a time.
const BLOCK: usize = 64 << 10;

/// How a report is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// When the first case begins of which only the duration is known: 2000-01-01 by default.
    pub start: Timestamp,
    /// What stands between class and name in ids, instead of what suits them.
    pub separator: Option<String>,
    /// The folder whose files are attached where the output of a case names them, as `[[ATTACHMENT|path]]` on a line
    /// of its own; what is outside of it is never read.
    pub attachments: Option<PathBuf>,
    /// Whether a suite that counts more than it has is a failure.
    pub counts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { start: START, separator: None, attachments: None, counts: true }
    }
}

/// Reads a report to its end and pushes all of it into `sink`: the start of the run, its events, its stop.
///
/// ```
/// use formats::junit::read::{Options, drive};
/// use streamresult::{Outcome, Summary};
///
/// let report = r#"<testsuite name="a"><testcase classname="a" name="b"/></testsuite>"#;
/// let mut summary = Summary::new();
/// drive(Options::default(), report.as_bytes(), &mut summary)?;
/// assert_eq!(summary.count(Outcome::Success), 1);
/// # Ok::<(), formats::junit::read::Error>(())
/// ```
///
/// # Errors
///
/// When the report is broken, reading fails, or the sink does. Its run is stopped all the same, after all events that
/// came before.
pub fn drive<R: Read>(options: Options, input: R, sink: &mut dyn StreamResult) -> Result<(), Error> {
    let mut parser = Parser::new(options);
    let started = sink.start_run().map_err(Error::Io);
    let passed = started.and_then(|()| pass(&mut parser, input, sink)).and_then(|()| parser.finish(sink));
    let stopped = sink.stop_run();
    passed.and(stopped.map_err(Error::Io))
}

/// Feeds all of an input to a parser; [`Parser::finish`] is left to the caller.
///
/// # Errors
///
/// See [`drive`].
pub fn pass<R: Read>(parser: &mut Parser, mut input: R, sink: &mut dyn StreamResult) -> Result<(), Error> {
    let mut block = vec![0; BLOCK];
    loop {
        match input.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => parser.feed(part(&block, ..count), sink)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // What came before is told, then the error.
                parser.give_up(sink)?;
                return Err(error.into());
            }
        }
        sink.flush()?;
    }
}
