//! What a packet means: one thing that happened to a test, or to the run.

use core::fmt;
use core::str::FromStr;

use crate::tags::Tags;
use crate::timestamp::Timestamp;

/// The MIME type of text: what people read, in UTF-8.
pub const TEXT_TYPE: &str = "text/plain;charset=utf8";
/// The MIME type of bytes of which nothing else is known; also of a file without a type.
pub const BYTES_TYPE: &str = "application/octet-stream";

/// One event of a test run, every part borrowed.
///
/// An event is small and `Copy`: change it by naming what changes,
/// `Event { route_code: Some("worker-1"), ..*event }`. What must outlive its packet is kept as a
/// [`PacketBuf`](crate::PacketBuf).
///
/// ```
/// use subunit::{Event, File, Status, TEXT_TYPE};
///
/// let event = Event {
///     file: Some(File { name: "log", bytes: b"ready\n" }),
///     mime_type: Some(TEXT_TYPE),
///     ..Event::status("tests.boot", Status::InProgress)
/// };
/// assert!(event.runnable);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Event<'a> {
    /// The test this is about; `None` is the run as a whole.
    pub test_id: Option<&'a str>,
    /// What became of the test, where the event says so.
    pub status: Option<Status>,
    /// The tags, absent or present (present and empty clears them).
    pub tags: Tags<'a>,
    /// Whether the test can be run by its id alone (synthetic tests cannot).
    pub runnable: bool,
    /// A piece of an attachment.
    pub file: Option<File<'a>>,
    /// The MIME type of the file; the first one given holds for all pieces of a file.
    pub mime_type: Option<&'a str>,
    /// Whether this is the last piece of the file.
    pub eof: bool,
    /// Where the event came from: codes of the routers on its way, separated by `/`.
    pub route_code: Option<&'a str>,
    /// When it happened, in UTC.
    pub timestamp: Option<Timestamp>,
}

impl<'a> Event<'a> {
    /// A test's new status; the test is runnable, as is the rule for tests with an id.
    #[must_use]
    pub fn status(test_id: &'a str, status: Status) -> Self {
        Event { test_id: Some(test_id), status: Some(status), runnable: true, ..Event::default() }
    }

    /// Something about a test, which is runnable, as is the rule for tests with an id. What there is to say is added:
    ///
    /// ```
    /// use subunit::{Event, Status};
    ///
    /// let event = Event::test("boot").with_text("reason", "no network").with_status(Status::Skip);
    /// assert!(event.runnable && event.eof);
    /// assert_eq!(event.with_route_code("worker-1").route_code, Some("worker-1"));
    /// ```
    #[must_use]
    pub fn test(test_id: &'a str) -> Self {
        Event { test_id: Some(test_id), runnable: true, ..Event::default() }
    }

    /// The same, with this status.
    #[must_use]
    pub fn with_status(self, status: Status) -> Self {
        Event { status: Some(status), ..self }
    }

    /// The same, with a piece of a file.
    #[must_use]
    pub fn with_file(self, name: &'a str, bytes: &'a [u8]) -> Self {
        Event { file: Some(File { name, bytes }), ..self }
    }

    /// The same, with a whole file of text.
    #[must_use]
    pub fn with_text(self, name: &'a str, text: &'a str) -> Self {
        Event { mime_type: Some(TEXT_TYPE), eof: true, ..self.with_file(name, text.as_bytes()) }
    }

    /// The same, with the MIME type of its file.
    #[must_use]
    pub fn with_mime_type(self, mime_type: &'a str) -> Self {
        Event { mime_type: Some(mime_type), ..self }
    }

    /// The same, with these tags.
    #[must_use]
    pub fn with_tags(self, tags: impl Into<Tags<'a>>) -> Self {
        Event { tags: tags.into(), ..self }
    }

    /// The same, with this route code.
    #[must_use]
    pub fn with_route_code(self, route_code: &'a str) -> Self {
        Event { route_code: Some(route_code), ..self }
    }

    /// The same, with this time.
    #[must_use]
    pub fn with_timestamp(self, timestamp: impl Into<Timestamp>) -> Self {
        Event { timestamp: Some(timestamp.into()), ..self }
    }

    /// A piece of a file of the run as a whole.
    #[must_use]
    pub fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        Event { file: Some(File { name, bytes }), ..Event::default() }
    }
}

/// A piece of an attachment: the file's name and the next bytes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct File<'a> {
    /// The file's name within its test.
    pub name: &'a str,
    /// The bytes that follow those of the events before.
    pub bytes: &'a [u8],
}

impl fmt::Debug for File<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "File {{ name: {:?}, bytes: \"{}\" }}", self.name, self.bytes.escape_ascii())
    }
}

/// What became of a test. The set is closed: the wire has three bits for it, and all are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum Status {
    /// The test exists; it did not run.
    Exists = 1,
    /// The test has begun.
    InProgress = 2,
    /// It passed.
    Success = 3,
    /// It passed and was expected to fail: a failure.
    UxSuccess = 4,
    /// It was skipped.
    Skip = 5,
    /// It failed.
    Fail = 6,
    /// It failed as expected: not a failure.
    XFail = 7,
}

impl Status {
    /// All statuses, in the order of the wire.
    pub const ALL: [Status; 7] = [
        Status::Exists,
        Status::InProgress,
        Status::Success,
        Status::UxSuccess,
        Status::Skip,
        Status::Fail,
        Status::XFail,
    ];

    /// The protocol's word for it, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Exists => "exists",
            Status::InProgress => "inprogress",
            Status::Success => "success",
            Status::UxSuccess => "uxsuccess",
            Status::Skip => "skip",
            Status::Fail => "fail",
            Status::XFail => "xfail",
        }
    }

    /// Whether nothing more is expected of the test: all but `inprogress`.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Status::InProgress
    }

    /// Whether it counts against the run: `fail` and `uxsuccess`.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Fail | Status::UxSuccess)
    }

    /// The status of these three bits of the flags, or `None` for 0.
    #[inline]
    pub(crate) fn from_bits(bits: u16) -> Option<Status> {
        match bits {
            1 => Some(Status::Exists),
            2 => Some(Status::InProgress),
            3 => Some(Status::Success),
            4 => Some(Status::UxSuccess),
            5 => Some(Status::Skip),
            6 => Some(Status::Fail),
            7 => Some(Status::XFail),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Reads the protocol's word for a status.
    ///
    /// # Errors
    ///
    /// When the word is not one of the seven.
    fn from_str(word: &str) -> Result<Status, UnknownStatus> {
        Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownStatus)
    }
}

/// A word that is not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownStatus;

impl fmt::Display for UnknownStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a status (exists, inprogress, success, uxsuccess, skip, fail and xfail are)")
    }
}

impl core::error::Error for UnknownStatus {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_from_its_word_and_its_bits() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(Status::from_bits(status as u16), Some(status));
        }
        assert_eq!(Status::from_bits(0), None);
        assert_eq!("passed".parse::<Status>(), Err(UnknownStatus));
    }

    #[test]
    fn only_inprogress_is_not_final() {
        let interim: Vec<_> = Status::ALL.into_iter().filter(|status| !status.is_final()).collect();
        assert_eq!(interim, [Status::InProgress]);
    }
}
