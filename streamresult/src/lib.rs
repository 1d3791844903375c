//! Embeddable event pipelines for test results.
//!
//! A test run is a sequence of [`Event`]s: this test began, that one failed, here is a piece of its log.
//! Whatever takes them is a [`StreamResult`]. Some pass them on, changed or not; some draw conclusions; a
//! [`Writer`](subunit::io::Writer) puts them on the wire. You put them together:
//!
//! ```
//! use streamresult::{Records, StreamResultExt, Summary, drive, record_fn};
//! use subunit::io::Writer;
//! use subunit::{Event, Status};
//!
//! # let mut stream = Writer::new(Vec::new());
//! # stream.write(&Event::status("net.boot", Status::InProgress))?;
//! # stream.write(&Event::status("net.boot", Status::Fail))?;
//! # let stream = stream.into_inner()?;
//! # let input = &stream[..];
//! let mut summary = Summary::new();
//! let mut failed = Vec::new();
//! let mut copy = Vec::new();
//!
//! // Events go to both of a pair: here to a report and to a copy of the stream.
//! let report = Records::new(record_fn(|record| {
//!     if record.outcome().is_failure() {
//!         failed.push(record.test_id().to_owned());
//!     }
//!     Ok(())
//! }));
//! let copy_to = Writer::new(&mut copy).tagged(["nightly"], [""; 0]).routed("ci");
//! let mut pipeline =
//!     ((&mut summary, report), copy_to).filtered(|event| event.status != Some(Status::Exists));
//!
//! // From standard input, a file, a socket: anything that can be read.
//! drive(input, &mut pipeline)?;
//! drop(pipeline);
//!
//! assert_eq!(failed, ["net.boot"]);
//! assert!(summary.ran() && !summary.is_success());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! - **Events come from** [`drive`], which reads a stream, or from your program, which calls
//!   [`status`](StreamResult::status) as its tests run (see `examples/embedding.rs`).
//! - **Adaptors** are methods of [`StreamResultExt`]: [`filtered`](StreamResultExt::filtered),
//!   [`tagged`](StreamResultExt::tagged), [`routed`](StreamResultExt::routed),
//!   [`renamed`](StreamResultExt::renamed), [`stamped`](StreamResultExt::stamped),
//!   [`held`](StreamResultExt::held), [`fail_fast`](StreamResultExt::fail_fast). A pair `(a, b)` or a `Vec`
//!   passes everything to each of its members; a [`Router`] passes each event to one.
//! - **Conclusions**: [`Records`] makes one [`Record`] of each test and gives it to a [`RecordSink`] as the
//!   test ends; [`Summary`] counts, and says whether the run succeeded.
//! - **Filters** that copy a stream of bytes, except for what they change, use [`edit`].
//!
//! Nothing is lost on the way: text between packets is an event of the file `stdout`, a damaged packet is a
//! failing test ([`DAMAGE_ID`]), a test that never ended is a record like any other. Memory is flat: long
//! attachments wait in temporary files, finished tests are forgotten.
//!
//! # Guides
//!
//! [`guide`] has whole programs: tests in threads and in tasks, reports, streams that are followed or served, and what
//! to do when only some of it is wanted. [`coming_from_testtools`] says what is what, and where it differs.
//!
//! Features: `channel` (on by default), `spill` (on by default: temporary files for what is too long for memory), `serde`.

pub mod coming_from_testtools;
pub mod guide;

mod announced;
mod attachments;
mod between;
#[cfg(feature = "channel")]
pub mod channel;
mod damage;
mod drive;
mod edit;
mod events_only;
mod ext;
mod extent;
mod fail_fast;
mod failure;
mod fan_out;
mod filtered;
mod finished;
mod from_fn;
mod held;
mod impls;
mod isolated;
mod key;
mod look;
mod open_tests;
mod positional;
mod record;
mod record_buf;
mod record_iter;
mod record_list;
mod record_sink;
mod records;
mod renamed;
mod routed;
mod router;
mod rules;
mod running_test;
mod spool;
mod stamped;
mod stop;
mod summary;
mod tag_set;
mod tagged;
#[cfg(test)]
mod testing;

use std::io;

use subunit::{Decoder, Event, Frame, Packet, Step};

pub use between::Between;
pub use damage::{DAMAGE_DATA, DAMAGE_MESSAGE, damage};
pub use drive::{DriveError, PROPERTIES_FILE, deliver, drive, drive_while, text_event};
pub use edit::{Edit, TextEdit, edit, edit_packets};
pub use events_only::EventsOnly;
pub use ext::StreamResultExt;
pub use extent::Extent;
pub use fail_fast::FailFast;
pub use failure::failure;
pub use filtered::Filtered;
pub use from_fn::{FromFn, from_fn};
pub use held::{Decision, Held, LEFT_OUT_FILE, Waiting};
pub use isolated::{Isolated, Lasting};
pub use record::{Attachment, AttachmentReader, Outcome, Record, RecordTags, Sign};
pub use record_buf::{AttachmentBuf, RecordBuf};
pub use record_iter::{RecordIter, records};
pub use record_list::RecordList;
pub use record_sink::{RecordFn, RecordSink, record_fn};
pub use records::{Details, Records};
pub use renamed::Renamed;
pub use routed::Routed;
pub use router::{Notify, Router, Rule, SinkId};
pub use rules::{DAMAGE_ID, FLAKY_TAG, attempt_tag, is_damage, place_of};
pub use running_test::RunningTest;
pub use spool::{Spool, SpoolReader, Spooled};
pub use stamped::Stamped;
pub use stop::Stop;
pub use summary::{RunVerdict, Summary};
pub use tagged::{TagChange, Tagged};

/// Takes the events of a test run, one by one.
///
/// The order of calls is `start_run`, then any number of [`status`](Self::status), [`packet`](Self::packet) and
/// [`packets`](Self::packets), then `stop_run`; another run may follow. Before each event of a stream comes
/// [`at`](Self::at); [`flush`](Self::flush) comes at any time between start and stop. A call that failed is followed by
/// others, and `stop_run` comes in any case. All but `status` do nothing, or do it by `status`, until they are written:
///
/// ```
/// use std::io;
/// use streamresult::{StreamResult, drive};
/// use subunit::{Event, Status};
///
/// /// Counts the tests that failed, and says so in the end.
/// #[derive(Default)]
/// struct Failures {
///     count: u64,
/// }
///
/// impl StreamResult for Failures {
///     fn start_run(&mut self) -> io::Result<()> {
///         // What was counted in a run before is not this one's.
///         self.count = 0;
///         Ok(())
///     }
///
///     fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
///         self.count += u64::from(event.status == Some(Status::Fail));
///         Ok(())
///     }
///
///     fn stop_run(&mut self) -> io::Result<()> {
///         eprintln!("{} tests failed", self.count);
///         Ok(())
///     }
/// }
///
/// let mut failures = Failures::default();
/// drive(&b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..], &mut failures)?;
/// assert_eq!(failures.count, 0);
/// # Ok::<(), io::Error>(())
/// ```
///
/// References, boxes, options (`None` does nothing), lists, arrays and tuples of results are results; a list or tuple
/// gives each call to all, also when one fails, and answers with the first error. `Arc<Mutex<_>>` of a result is one
/// that several threads share. A
/// [`Writer`](subunit::io::Writer) is one too.
pub trait StreamResult {
    /// The run begins.
    ///
    /// # Errors
    ///
    /// When what this sets off fails, such as writing.
    fn start_run(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What comes next stands here in a stream: all calls until the next of this. Whoever reads a stream says so
    /// before each frame; events that a program makes have no place. What holds events back, or changes their
    /// order, does not pass it on.
    fn at(&mut self, extent: Extent) {
        let _ = extent;
    }

    /// Something happened, to a test or to the run.
    ///
    /// # Errors
    ///
    /// When what this sets off fails, such as writing.
    fn status(&mut self, event: &Event<'_>) -> io::Result<()>;

    /// Something happened, and this is the packet that says so. It means what [`status`](Self::status) of its
    /// event means, and that is what it does; what passes packets on untouched has a faster way.
    ///
    /// # Errors
    ///
    /// See [`status`](Self::status).
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.status(&packet.event())
    }

    /// Several things happened: `packets` are whole packets, one after the other, and nothing else. It means what
    /// [`packet`](Self::packet) of each means.
    ///
    /// # Errors
    ///
    /// Like [`status`](Self::status), and when the bytes are something else.
    fn packets(&mut self, packets: &[u8]) -> io::Result<()> {
        each_packet(packets, |packet| self.packet(packet))
    }

    /// Whether somebody in here goes on after another has failed: so it is with lists and pairs, and with what holds
    /// one. Then [`drive`] goes on to the end of the stream, so that all get all of it, and answers with the first
    /// error; otherwise it ends at an error. What passes calls on says what the next one says.
    fn outlives_errors(&self) -> bool {
        false
    }

    /// Whether the run should stop, since somebody in here asks for it: a [`Stop`], for one. Whoever runs tests starts
    /// no more of them then, and [`drive`] reads no more. It is a question, not an error: what is sent all the same is
    /// taken. What passes calls on says what the next one says, a list what any of them says.
    fn should_stop(&self) -> bool {
        false
    }

    /// Nothing more comes before more input: what is held back for speed goes out now.
    ///
    /// # Errors
    ///
    /// When what this sets off fails, such as writing.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The run ends.
    ///
    /// # Errors
    ///
    /// When what this sets off fails, such as writing what was held back.
    fn stop_run(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls a function with each of the packets that `bytes` are, also when it fails; returns the first error.
fn each_packet(bytes: &[u8], mut call: impl FnMut(&Packet<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut decoder = Decoder::new();
    let mut rest = bytes;
    let mut called = Ok(());
    loop {
        match decoder.decode(rest, true) {
            Step::Frame { consumed: len, frame: Frame::Packet(packet) } => {
                called = called.and(call(&packet));
                rest = subunit::part(rest, len..);
            }
            Step::End => return called,
            Step::NeedMore(_) | Step::Frame { .. } => return Err(not_packets()),
        }
    }
}

#[cold]
fn not_packets() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "these bytes are not all packets")
}
