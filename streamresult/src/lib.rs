//! Embeddable event pipelines for test results.

mod attachments;
#[cfg(feature = "tokio")]
pub mod channel;
mod drive;
mod edit;
mod ext;
mod fail_fast;
mod fan_out;
mod filtered;
mod finished;
mod from_fn;
mod held;
mod impls;
mod key;
mod open_tests;
mod record;
mod record_sink;
mod records;
mod renamed;
mod routed;
mod router;
mod rules;
mod spill;
mod stamped;
mod summary;
mod tagged;
#[cfg(test)]
mod testing;

use std::io;

use subunit::{Event, Packet};

pub use drive::{deliver, drive, text_event};
pub use edit::{Edit, Text, edit, edit_packets};
pub use ext::StreamResultExt;
pub use fail_fast::FailFast;
pub use filtered::Filtered;
pub use from_fn::{FromFn, from_fn};
pub use held::{Decision, Held, Waiting};
pub use record::{Attachment, AttachmentReader, Outcome, Record, RecordTags, Sign};
pub use record_sink::{RecordFn, RecordSink, record_fn};
pub use records::{Details, Records};
pub use renamed::Renamed;
pub use routed::Routed;
pub use router::{Notify, Router, Rule, SinkId};
pub use rules::DAMAGE_ID;
pub use stamped::Stamped;
pub use summary::Summary;
pub use tagged::{TagChange, Tagged};

/// Takes the events of a test run, one by one.
///
/// References, boxes, options (`None` does nothing), lists and pairs of results are results; a list or pair
/// gives each call to all, also when one fails, and answers with the first error. A
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
    /// As [`status`](Self::status).
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.status(&packet.event())
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
