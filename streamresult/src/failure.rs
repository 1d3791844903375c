//! What a program tells about itself: a test that failed, and why.

use subunit::{Event, File, Status, TEXT_TYPE};

/// The event of a test that failed for this reason, which is its file "reason". It cannot be run by its id, and has no
/// timestamp yet.
///
/// ```
/// let lost = streamresult::failure("mux.worker-1", "the connection was lost\n");
/// assert_eq!(lost.status, Some(subunit::Status::Fail));
/// ```
#[must_use]
pub fn failure<'a>(test_id: &'a str, reason: &'a str) -> Event<'a> {
    Event {
        file: Some(File { name: "reason", bytes: reason.as_bytes() }),
        mime_type: Some(TEXT_TYPE),
        eof: true,
        runnable: false,
        ..Event::status(test_id, Status::Fail)
    }
}
