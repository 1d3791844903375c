//! The events that stand for bytes that could not be read, so that no consumer can miss them.

use std::io;

use subunit::{BYTES_TYPE, Event, File, Status, TEXT_TYPE};

use crate::StreamResult;
use crate::rules::DAMAGE_ID;

/// The file with the bytes that could not be read.
pub const DAMAGE_DATA: &str = "Packet data";
/// The file that says what is wrong with them, and where.
pub const DAMAGE_MESSAGE: &str = "Parser Error";

/// Pushes the two events that stand for bytes that could not be read, of the test [`DAMAGE_ID`], as the reference
/// implementation has them: one with the bytes, and one that fails and says what is wrong and where.
///
/// ```
/// use streamresult::{Summary, damage};
///
/// let mut summary = Summary::new();
/// damage(b"<testcase", "broken XML at byte 300", &mut summary)?;
/// assert_eq!(summary.damaged(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When the sink fails; it gets both events all the same.
#[cold]
pub fn damage<S: StreamResult + ?Sized>(bytes: &[u8], message: &str, sink: &mut S) -> io::Result<()> {
    let event = Event { test_id: Some(DAMAGE_ID), runnable: true, eof: true, ..Event::default() };
    let data = sink.status(&Event {
        file: Some(File { name: DAMAGE_DATA, bytes }),
        mime_type: Some(BYTES_TYPE),
        ..event
    });
    let failure = sink.status(&Event {
        status: Some(Status::Fail),
        file: Some(File { name: DAMAGE_MESSAGE, bytes: message.as_bytes() }),
        mime_type: Some(TEXT_TYPE),
        ..event
    });
    data.and(failure)
}
