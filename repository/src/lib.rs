//! Runs on disk: stored as the bytes that came in, and queried for their tests.
//!
//! ```
//! use repository::{Repository, RunEnd, RunInfo, RunRef, Standing};
//! use streamresult::StreamResult;
//! use subunit::{Event, Status};
//!
//! # let folder = tempfile::tempdir()?;
//! let repository = Repository::init(&folder)?;
//! let mut run = repository.begin(RunInfo::default())?;
//! run.status(&Event::status("net.boot", Status::InProgress))?;
//! run.status(&Event::status("net.boot", Status::Fail))?;
//! assert_eq!(run.finish(RunEnd::default())?.standing(), Standing::Failed);
//!
//! assert_eq!(repository.failing()?.tests[0].test_id, "net.boot");
//! let mut stream = repository.stream(RunRef::LATEST)?;
//! # std::io::copy(&mut stream, &mut std::io::sink())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # On disk
//!
//! ```text
//! .subunit/
//!   format                       "subunit-repository 1"
//!   .gitignore                   keeps all of it out of git
//!   runs/000042/
//!     stream.subunit             the stream as it comes, while the run goes on; its writer holds the file's lock
//!     stream.subunit.zst         the stream once the run is over: zstd's seekable format, frames of 256 KiB
//!     run.json                   how the run came about, how it ended, its counts
//!     results                    a row for each test, sorted by id: derived, until the stream is pruned
//!     pinned                     there when the stream is not to be pruned
//!   retention.json               the limits for pruning after each run; there only when any are set
//!   index.sqlite                 the list of runs and the failing set: derived
//!   lock                         held while the index is used
//! ```
//!
//! - **The stream is the truth.** Bytes are stored before anything is made of them, and come out as they went in.
//!   Results and index are derived from it: when they are missing, damaged or of another version they are made
//!   anew, without being asked, and the answers are the same ([`Repository::rebuild`] does it on request).
//!   Every part has checksums, so that a changed byte is never another answer.
//! - **Tests are counted by [`streamresult::Summary`]**, as everywhere.
//! - **A run has its number** from the moment its folder gets its name, which no two can share. The folder stays when
//!   its stream is pruned, so no number is used again.
//! - **A run is complete when its writer says so.** The kernel releases the lock of a writer that was killed. What
//!   had come is read up to its last whole packet, and the run is [`Incomplete`](RunState::Incomplete).
//! - **Each run has a table of its results**, in place of one for all runs: so loading costs the same however many
//!   runs there are, a run that is lost takes no other with it, and that file is what is kept of a pruned run.
//!   A test is found in it without reading the rest, and its packets in the stream by their offset.
//! - **Nothing passes by accident:** see [`Standing`] and [`FailingSet`].
//!
//! # What waits, and what it costs
//!
//! All calls block, none needs a runtime; in tasks they belong in `spawn_blocking`. A [`Repository`] can be shared and
//! sent: calls of several threads and processes are in order by files that are locked.
//!
//! | call | waits for | costs |
//! |---|---|---|
//! | [`begin`](Repository::begin) | nobody | a folder with two files |
//! | events of a [`RunWriter`] | the disk | the bytes; they are in the file when it is flushed, which happens as [`drive`](streamresult::drive) does it |
//! | [`RunWriter::finish`] | the index, while another process uses it | compressing what was not yet, sorting a row for each test, one transaction |
//! | [`failing`](Repository::failing), [`runs`](Repository::runs) | the index | what they answer; runs that came since are looked at first |
//! | [`for_each_result`](Repository::for_each_result), [`log`](Repository::log) of a run that is over | nobody | reading its results, or the frames of 256 KiB that the test is in |
//! | the same of a run that is under way | nobody | reading all of its stream so far |
//! | [`stream`](Repository::stream) | nobody | unpacking as it is read, in flat memory; a seek, one frame |
//! | [`prune`](Repository::prune), [`rebuild`](Repository::rebuild) | the index, which others wait for meanwhile | removing files; reading all streams again |
//!
//! A lock that is held by a process that was killed is free: the kernel sees to it. Whoever waits for one waits with
//! patience and then fails, and never for ever.
//!
//! It is written for Unix (locks and folders of the kernel's kind), and tested on Linux.

mod derive;
mod disk;
mod error;
mod examine;
mod failing;
mod foreign;
mod index;
mod intake;
mod layout;
mod note;
mod query;
mod repository;
mod results;
mod retention;
mod row;
mod run;
mod run_id;
mod run_json;
mod seekable;
mod sort;
mod stream;
mod sweep;
mod time;
mod wire;
mod writer;

pub use error::{Error, IndexError, Result};
pub use failing::{FailingSet, Failure, Outstanding};
pub use foreign::{Foreign, Tool};
pub use note::Note;
pub use query::{
    Change, ComparedTest, Flakiness, FlakyTest, HistoryEntry, Past, PastOutcome, RepositoryStats, Side,
    TestResult, TestTime, Timings,
};
pub use repository::Repository;
pub use retention::{Pruned, Retention};
pub use run::{Counts, Git, RunEnd, RunInfo, RunState, Standing, Stored, StoredRun};
pub use run_id::{RunId, RunRef, UnknownRun};
pub use stream::StreamReader;
pub use writer::RunWriter;
