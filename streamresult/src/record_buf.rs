//! A record that is kept.

use std::io;
use std::time::Duration;

use subunit::Timestamp;

use crate::{Attachment, Outcome, Record};

/// A [`Record`] with all that it has, to keep, to send and (feature `serde`) to store.
///
/// ```
/// use streamresult::{RecordBuf, Records, RunningTest, record_fn};
///
/// let mut kept: Vec<RecordBuf> = Vec::new();
/// let mut records = Records::new(record_fn(|record| {
///     // At most this many bytes of each attachment.
///     kept.push(record.to_buf(10_000)?);
///     Ok(())
/// }));
/// RunningTest::start(&mut records, "boot")?.skip("no network")?;
/// drop(records);
/// assert_eq!(kept[0].test_id, "boot");
/// assert_eq!(kept[0].text().as_deref(), Some("no network"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RecordBuf {
    /// The test's id.
    pub test_id: String,
    /// Where it ran.
    pub route_code: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it is no test, but stands for bytes that could not be read.
    pub is_damage: bool,
    /// Whether the test can be run by its id alone.
    pub runnable: bool,
    /// Its tags, each once.
    pub tags: Vec<String>,
    /// The time of its first event that has one.
    pub first: Option<Timestamp>,
    /// The time of its last event that has one.
    pub last: Option<Timestamp>,
    /// The time between those; `None` unless two events have one.
    pub duration: Option<Duration>,
    /// Its files in order of appearance.
    pub attachments: Vec<AttachmentBuf>,
}

/// A file of a [`RecordBuf`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AttachmentBuf {
    /// The file's name within its test.
    pub name: String,
    /// Its MIME type; none stands for `application/octet-stream`.
    pub mime_type: Option<String>,
    /// How many bytes the file has; more than these where not all were kept.
    pub len: u64,
    /// Its bytes, from the first on.
    pub bytes: Vec<u8>,
    /// Whether its last piece said that the file ends there.
    pub ended: bool,
}

/// The files that say why a test ended as it did, the best first.
const REASONS: [&str; 2] = ["traceback", "reason"];

impl RecordBuf {
    /// The file of this name.
    #[must_use]
    pub fn attachment(&self, name: &str) -> Option<&AttachmentBuf> {
        self.attachments.iter().find(|attachment| attachment.name == name)
    }

    /// Why it ended as it did, as far as its files `traceback` or `reason` say.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let file = REASONS.into_iter().find_map(|name| self.attachment(name))?;
        Some(String::from_utf8_lossy(&file.bytes).into_owned())
    }
}

impl<V> Record<'_, V> {
    /// The record to keep, with at most this many bytes of each attachment.
    ///
    /// # Errors
    ///
    /// When the temporary file in which a long attachment waits cannot be read.
    pub fn to_buf(&self, limit: usize) -> io::Result<RecordBuf> {
        let attachments = self.attachments().map(|attachment| attachment.to_buf(limit));
        Ok(RecordBuf {
            test_id: self.test_id().to_owned(),
            route_code: self.route_code().map(str::to_owned),
            outcome: self.outcome(),
            is_damage: self.is_damage(),
            runnable: self.runnable(),
            tags: self.tags().iter().map(str::to_owned).collect(),
            first: self.first(),
            last: self.last(),
            duration: self.duration(),
            attachments: attachments.collect::<io::Result<_>>()?,
        })
    }
}

impl Attachment<'_> {
    fn to_buf(self, limit: usize) -> io::Result<AttachmentBuf> {
        Ok(AttachmentBuf {
            name: self.name().to_owned(),
            mime_type: self.mime_type().map(str::to_owned),
            len: self.len(),
            bytes: self.head(limit)?.into_owned(),
            ended: self.ended(),
        })
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use subunit::Event;

    use super::*;
    use crate::{Records, StreamResult, record_fn};

    #[test]
    fn a_record_is_stored_and_read_back() {
        let mut kept = Vec::new();
        let mut records = Records::new(record_fn(|record| {
            kept.push(record.to_buf(100)?);
            Ok(())
        }));
        let event = Event::test("a").with_text("log", "x").with_tags(&["t"]).with_timestamp(Timestamp::now());
        records.status(&event).unwrap();
        records.stop_run().unwrap();
        drop(records);
        let stored = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Vec<RecordBuf>>(&stored).unwrap(), kept);
    }
}
