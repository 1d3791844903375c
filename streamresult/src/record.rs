//! One test's outcome, with all that came with it.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use subunit::{Event, Status, Timestamp, part};

use crate::Extent;
use crate::attachments::FileBuffer;
use crate::look::{Look, checked};
use crate::open_tests::OpenTest;
use crate::rules::{is_damage, is_of_flaky};
use crate::spool::{Spool, SpoolReader};
use crate::tag_set::TagSet;

/// What became of one test: all its events in one piece, lent to a [`RecordSink`](crate::RecordSink), with the
/// value that the sink keeps with it.
pub struct Record<'a, V = ()> {
    test: &'a OpenTest<V>,
    spool: &'a Spool,
    is_running: bool,
}

impl<V> Clone for Record<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Record<'_, V> {}

/// How a test ended. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Outcome {
    /// It was announced by `exists`; it did not run.
    Exists,
    /// It passed.
    Success,
    /// It passed and was expected to fail: a failure.
    UxSuccess,
    /// It was skipped.
    Skip,
    /// It failed.
    Fail,
    /// It failed as expected: no failure.
    XFail,
    /// It began, and the run ended without its end: a failure.
    Unfinished,
}

impl Outcome {
    /// All outcomes, in the order of the wire, the unfinished last.
    pub const ALL: [Outcome; 7] = [
        Outcome::Exists,
        Outcome::Success,
        Outcome::UxSuccess,
        Outcome::Skip,
        Outcome::Fail,
        Outcome::XFail,
        Outcome::Unfinished,
    ];

    /// The outcome of a test with this last status.
    #[must_use]
    pub fn of(status: Option<Status>) -> Self {
        match status {
            None | Some(Status::InProgress) => Outcome::Unfinished,
            Some(Status::Exists) => Outcome::Exists,
            Some(Status::Success) => Outcome::Success,
            Some(Status::UxSuccess) => Outcome::UxSuccess,
            Some(Status::Skip) => Outcome::Skip,
            Some(Status::Fail) => Outcome::Fail,
            Some(Status::XFail) => Outcome::XFail,
        }
    }

    /// The word for it: the protocol's, and `unfinished`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Exists => "exists",
            Outcome::Success => "success",
            Outcome::UxSuccess => "uxsuccess",
            Outcome::Skip => "skip",
            Outcome::Fail => "fail",
            Outcome::XFail => "xfail",
            Outcome::Unfinished => "unfinished",
        }
    }

    /// Whether it counts against the run: `fail`, `uxsuccess` and unfinished.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Outcome::Fail | Outcome::UxSuccess | Outcome::Unfinished)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The kind of a test's last event: of an unfinished one, its last sign of life. Closed: every event is one
/// of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// It had this status.
    Status(Status),
    /// It brought a piece of a file.
    File,
    /// It had tags, and no status and no file.
    Tags,
    /// It said nothing but that the test is there.
    #[default]
    Nothing,
}

impl Sign {
    /// The kind of an event.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        event.sign()
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Sign::Status(status) => status.as_str(),
            Sign::File => "file",
            Sign::Tags => "tags",
            Sign::Nothing => "nothing",
        })
    }
}

impl<'a, V> Record<'a, V> {
    pub(crate) fn new(test: &'a OpenTest<V>, spool: &'a Spool) -> Self {
        Record { test, spool, is_running: false }
    }

    /// The record of an announcement that came while its test is running.
    pub(crate) fn while_running(self) -> Self {
        Record { is_running: true, ..self }
    }

    /// The test's id.
    #[must_use]
    pub fn test_id(&self) -> &'a str {
        checked(self.test.key().test_id)
    }

    /// Where it ran: codes of the routers on its events' way, separated by `/`.
    #[must_use]
    pub fn route_code(&self) -> Option<&'a str> {
        self.test.key().route_code.map(checked)
    }

    /// [`test_id`](Record::test_id) as bytes, which makes no string.
    #[inline]
    #[must_use]
    pub fn test_id_bytes(&self) -> &'a [u8] {
        self.test.key().test_id
    }

    /// [`route_code`](Record::route_code) as bytes, which makes no string.
    #[inline]
    #[must_use]
    pub fn route_code_bytes(&self) -> Option<&'a [u8]> {
        self.test.key().route_code
    }

    /// Where in the stream it is: from the beginning of its first packet to the end of its last. `None` where the
    /// events did not come from a stream, or something on their way held them back.
    #[inline]
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        Some(self.test.seen.extent).filter(|extent| !extent.is_empty())
    }

    /// What the sink keeps with the test: see [`RecordSink::event`](crate::RecordSink::event).
    #[inline]
    #[must_use]
    pub fn value(&self) -> &'a V {
        &self.test.value
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.test.seen.status)
    }

    /// The last status that its events had.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.test.seen.status
    }

    /// Whether this is not a test, but stands for bytes that could not be read.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        is_damage(self.test.key().test_id, self.outcome())
    }

    /// Whether the test can be run by its id alone: one of its events says so.
    #[must_use]
    pub fn runnable(&self) -> bool {
        self.test.seen.runnable
    }

    /// Whether it passed only when it was tried again: it has the tag [`FLAKY_TAG`](crate::FLAKY_TAG), or that of an
    /// attempt which is not the first, `attempt-2`.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.outcome() == Outcome::Success && self.test.tags.any(is_of_flaky)
    }

    /// The time of its first event that has one.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.test.seen.first
    }

    /// The time of its last event that has one.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.test.seen.last
    }

    /// The time between those, zero where the clock went back; `None` unless two events have one.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let (first, last) = (self.test.seen.first?, self.test.seen.last?);
        self.test.seen.timed_twice.then(|| last.saturating_since(first))
    }

    /// The kind of its last event.
    #[must_use]
    pub fn last_sign(&self) -> Sign {
        self.test.seen.sign
    }

    /// How many events it is made of.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.test.seen.events
    }

    /// The tags of its last event that has any (that has them empty, where it clears them), each once.
    #[must_use]
    pub fn tags(&self) -> RecordTags<'a> {
        RecordTags(&self.test.tags)
    }

    /// Its files in order of appearance, as far as [`Details`](crate::Details) says to keep them.
    pub fn attachments(&self) -> impl ExactSizeIterator<Item = Attachment<'a>> + Clone + use<'a, V> {
        let kept = self.test.parts.as_ref().map(|parts| parts.attachments.as_slice()).unwrap_or_default();
        let spool = self.spool;
        kept.iter().map(move |file| Attachment { file, spool })
    }

    /// The file of this name.
    #[must_use]
    pub fn attachment(&self, name: &str) -> Option<Attachment<'a>> {
        self.attachments().find(|attachment| attachment.file.has_name(name))
    }

    /// The key's hash, the same for all records of a test.
    pub(crate) fn hash(&self) -> u64 {
        self.test.hash
    }

    /// Whether it is an announcement that came while its test is running.
    pub(crate) fn is_running(&self) -> bool {
        self.is_running
    }
}

impl<V> fmt::Debug for Record<'_, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("test_id", &self.test_id())
            .field("route_code", &self.route_code())
            .field("outcome", &self.outcome())
            .field("tags", &self.tags())
            .field("first", &self.first())
            .field("last", &self.last())
            .field("attachments", &self.attachments().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The tags of a record.
#[derive(Clone, Copy)]
pub struct RecordTags<'a>(&'a TagSet);

impl<'a> RecordTags<'a> {
    /// The tags in order of appearance.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.0.iter()
    }

    /// Bytes to know them by: other tags have other bytes. The same tags may have several, where they came in other
    /// ways.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this tag is among them.
    #[must_use]
    pub fn contains(&self, tag: &str) -> bool {
        self.iter().any(|other| other == tag)
    }
}

impl fmt::Debug for RecordTags<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// A file of a record: in memory while it is short, in a temporary file beyond 1 MiB, or where
/// [others](crate::Records) need the memory.
///
/// Its bytes are the same wherever they are: ask for its beginning ([`head`](Attachment::head),
/// [`text`](Attachment::text)) or its end ([`tail`](Attachment::tail)) with a limit, or read it, from several threads
/// at once if you like.
///
/// ```
/// use streamresult::{Records, StreamResult, record_fn};
/// use subunit::{Event, File, Status};
///
/// let mut seen = Vec::new();
/// let mut records = Records::new(record_fn(|record| {
///     let Some(log) = record.attachment("log") else { return Ok(()) };
///     seen.push((log.text(3)?.into_owned(), log.tail(5)?.into_owned()));
///     Ok(())
/// }));
/// let file = Some(File { name: "log", bytes: b"one\ntwo\nlast\n" });
/// records.status(&Event { file, ..Event::status("boot", Status::Fail) })?;
/// records.stop_run()?;
/// drop(records);
/// assert_eq!(seen, [("one".to_owned(), b"last\n".to_vec())]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Attachment<'a> {
    file: &'a FileBuffer,
    spool: &'a Spool,
}

impl<'a> Attachment<'a> {
    /// The file's name within its test.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.file.name()
    }

    /// The first MIME type that its events gave; none stands for `application/octet-stream`.
    #[must_use]
    pub fn mime_type(&self) -> Option<&'a str> {
        self.file.mime_type()
    }

    /// How many bytes came, also those that were left out.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.file.len
    }

    /// Whether it has no bytes; it was there all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes were kept, from the first on.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.file.bytes.len()
    }

    /// How many bytes at its end were not kept, because they were beyond
    /// [`Records::cap`](crate::Records::cap), or there was no room for them.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.file.len - self.file.bytes.len()
    }

    /// Why bytes were left out, where it was for want of room.
    #[must_use]
    pub fn no_room(&self) -> Option<&'a str> {
        self.spool.failure().filter(|_| self.file.no_room)
    }

    /// Whether its last piece said that the file ends there.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.file.ended
    }

    /// At most this many of the bytes that were kept, from the first on; borrowed where they are in memory.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn head(&self, limit: usize) -> io::Result<Cow<'a, [u8]>> {
        self.file.bytes.part(0..limit as u64, self.spool)
    }

    /// At most this many of the bytes that were kept, up to the last; borrowed where they are in memory.
    ///
    /// # Errors
    ///
    /// See [`head`](Attachment::head).
    pub fn tail(&self, limit: usize) -> io::Result<Cow<'a, [u8]>> {
        let kept = self.kept();
        self.file.bytes.part(kept.saturating_sub(limit as u64)..kept, self.spool)
    }

    /// At most this many of the bytes that were kept, from the first on, as UTF-8: U+FFFD stands for what is none. A
    /// character that the limit cuts through is left out.
    ///
    /// # Errors
    ///
    /// See [`head`](Attachment::head).
    pub fn text(&self, limit: usize) -> io::Result<Cow<'a, str>> {
        let is_cut = self.kept() > limit as u64;
        Ok(match self.head(limit)? {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(whole_characters(bytes, is_cut)),
            Cow::Owned(bytes) => {
                Cow::Owned(String::from_utf8_lossy(whole_characters(&bytes, is_cut)).into_owned())
            }
        })
    }

    /// The bytes that were kept, if they happen to be in memory; whoever wants the content asks for its
    /// [`head`](Attachment::head).
    #[must_use]
    pub fn in_memory(&self) -> Option<&'a [u8]> {
        self.file.bytes.in_memory()
    }

    /// Reads the bytes that were kept, wherever they are.
    #[must_use]
    pub fn reader(&self) -> AttachmentReader<'a> {
        AttachmentReader(self.file.bytes.reader(self.spool))
    }
}

impl fmt::Debug for Attachment<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attachment")
            .field("name", &self.name())
            .field("mime_type", &self.mime_type())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// These bytes without a character that is begun at their end, where they were cut.
fn whole_characters(bytes: &[u8], is_cut: bool) -> &[u8] {
    let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_begun = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    if is_cut && is_begun { part(bytes, ..bytes.len() - last.len()) } else { bytes }
}

/// Reads the bytes of an [`Attachment`], from any place on.
#[derive(Clone, Debug)]
pub struct AttachmentReader<'a>(SpoolReader<'a>);

impl AttachmentReader<'_> {
    /// The same, from this many bytes behind the beginning on.
    #[must_use]
    pub fn starting_at(self, at: u64) -> Self {
        AttachmentReader(self.0.starting_at(at))
    }
}

impl Read for AttachmentReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Seek for AttachmentReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
