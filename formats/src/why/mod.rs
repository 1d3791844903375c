//! Why a test ended as it did: the message that lists show, the type of the failure, its text, and where it happened.
//!
//! Producers say it in many places: in a file `traceback` or `reason`, in the text of a failure of JUnit, in the
//! comments of a test point of TAP, in the output of a test of Go. All reports ask here, so that none says less than
//! another.

mod cause;
mod evidence;
mod place;

use std::io;

use streamresult::{Attachment, DAMAGE_MESSAGE, Outcome, Record};
use subunit::Event;

use crate::charset::Content;
use crate::visible;

pub(crate) use cause::Cause;
pub(crate) use evidence::Evidence;
pub use place::Place;

/// How much of the beginning and the end of a text is looked at for its message.
const ENDS: usize = 16 << 10;
/// The type of a failure of which no type is known.
pub(crate) const FAILURE: &str = "Failure";
/// The file that says why a test failed.
const TRACEBACK: &str = "traceback";

/// Why a test ended as it did.
///
/// ```
/// use formats::why::Why;
/// use streamresult::{Records, StreamResult, record_fn};
/// use subunit::{Event, File, Status};
///
/// let mut records = Records::new(record_fn(|record| {
///     let Some(why) = Why::of(record, 1000)? else { return Ok(()) };
///     assert_eq!(why.message, "AssertionError: 1 != 2");
///     let place = why.place.unwrap();
///     assert_eq!((place.file.as_str(), place.line), ("test_boot.py", Some(7)));
///     Ok(())
/// }));
/// let text = b"Traceback (most recent call last):\n  File \"test_boot.py\", line 7, in test\nAssertionError: 1 != 2\n";
/// let file = Some(File { name: "traceback", bytes: text });
/// records.status(&Event { file, ..Event::status("boot", Status::Fail) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The words of the assertion, the error or the reason, in one line; or else how the test ended.
    pub message: String,
    /// The type of the failure, such as `AssertionError`, where one is known.
    pub kind: Option<String>,
    /// The whole text, as far as it was asked for: the last lines, where it is longer.
    pub text: String,
    /// Where in the sources it happened, where the text tells.
    pub place: Option<Place>,
}

impl Why {
    /// Why a test ended as it did, with at most `most` bytes of its text. `None` if it passed, or was only announced.
    ///
    /// # Errors
    ///
    /// An attachment could not be read.
    pub fn of(record: &Record<'_>, most: usize) -> io::Result<Option<Why>> {
        let ending = Ending::of(record);
        if ending.message.is_empty() {
            return Ok(None);
        }
        let detail = ending.detail(record);
        let rest =
            record.attachments().filter(|file| Some(file.name()) != detail.map(|detail| detail.name()));
        let evidence = ending.evidence(record, detail.as_ref(), rest)?;
        let cause = ending.cause(detail.as_ref(), &evidence)?;
        let mut text = detail.map_or(Ok(String::new()), |detail| tail(&detail, most))?;
        if !text.is_empty() && !text.ends_with('\n') && !evidence.text.is_empty() {
            text.push('\n');
        }
        text.push_str(&evidence.text);
        let text = visible::text(last(&text, most)).into_owned();
        let message = if cause.message.is_empty() { ending.message } else { &cause.message };
        Ok(Some(Why {
            message: visible::line(message).into_owned(),
            kind: ending.kind(&cause).map(|kind| visible::line(kind).into_owned()),
            place: Place::find(record.test_id(), message, &text),
            text,
        }))
    }
}

impl Why {
    /// Why the run as a whole failed, as an event without a test says it.
    #[must_use]
    pub fn of_run(event: &Event<'_>) -> Why {
        let text = event.file.map(|file| visible::lossy_text(file.bytes).into_owned());
        Why { message: "failed".to_owned(), text: text.unwrap_or_default(), ..Why::default() }
    }
}

/// How a test ended that did not just pass: what is said where it says nothing itself.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    /// The type of it; empty where there is none.
    name: &'static str,
    /// The message, when the record says no more; empty where there is nothing to say.
    message: &'static str,
    /// The files that say more: the first of them that is there.
    details: &'static [&'static str],
    is_failure: bool,
}

impl Ending {
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let (name, message, details): (_, _, &[_]) = match record.outcome() {
            _ if record.is_damage() => ("Damage", "the stream is damaged", &[DAMAGE_MESSAGE]),
            Outcome::Fail => (FAILURE, "failed", &[TRACEBACK, "reason"]),
            Outcome::UxSuccess => {
                ("UnexpectedSuccess", "passed, but was expected to fail", &[TRACEBACK, "reason"])
            }
            Outcome::Unfinished => ("Incomplete", "began and did not finish", &[TRACEBACK, "reason"]),
            Outcome::Skip => ("", "skipped", &["reason", TRACEBACK]),
            Outcome::XFail => ("xfail", "failed as expected", &["reason", TRACEBACK]),
            Outcome::Success | Outcome::Exists => ("", "", &[]),
        };
        let is_failure = record.outcome().is_failure() && !record.is_damage();
        Ending { name, message, details, is_failure }
    }

    /// What is said where nothing else is.
    pub(crate) fn message(&self) -> &'static str {
        self.message
    }

    /// The type: that of the cause, where this is a plain failure and it has one.
    pub(crate) fn kind<'k>(&self, cause: &'k Cause) -> Option<&'k str> {
        let own = Some(self.name).filter(|name| !name.is_empty());
        if self.name == FAILURE { cause.kind.as_deref().or(own) } else { own }
    }

    /// The file that says why.
    pub(crate) fn detail<'a>(&self, record: &Record<'a>) -> Option<Attachment<'a>> {
        let others = |name: &str| record.attachments().find(|file| file.name().starts_with(name));
        let found = self.details.iter().find_map(|name| {
            // testtools numbers them.
            record.attachment(name).or_else(|| others(name).filter(|_| *name == TRACEBACK))
        })?;
        Content::of_attachment(&found).is_ok_and(|content| content != Content::Binary).then_some(found)
    }

    /// What the other files say of a failure of which no traceback does.
    pub(crate) fn evidence<'a>(
        &self,
        record: &Record<'_>,
        detail: Option<&Attachment<'_>>,
        files: impl Iterator<Item = Attachment<'a>>,
    ) -> io::Result<Evidence> {
        let is_told = detail.is_some_and(|detail| detail.name().starts_with(TRACEBACK));
        if is_told || !self.is_failure || record.is_damage() {
            return Ok(Evidence::default());
        }
        Evidence::of(files, detail.is_some())
    }

    /// The cause that a traceback tells, all of a reason, or what the output says.
    pub(crate) fn cause(&self, detail: Option<&Attachment<'_>>, evidence: &Evidence) -> io::Result<Cause> {
        let Some(detail) = detail else {
            return Ok(if self.name == FAILURE {
                Cause::of_output(&evidence.text)
            } else {
                Cause::default()
            });
        };
        if self.name == FAILURE || detail.name().starts_with(TRACEBACK) {
            return cause_in(detail);
        }
        Ok(Cause::whole(&ends(detail)?.0))
    }
}

/// The cause that a file tells.
pub(crate) fn cause_in(file: &Attachment<'_>) -> io::Result<Cause> {
    let (head, tail) = ends(file)?;
    Ok(Cause::of(&head, &tail))
}

/// The beginning and the end of a file that is text; both are all of it where it is short.
fn ends(file: &Attachment<'_>) -> io::Result<(String, String)> {
    let content = Content::of_attachment(file)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(&content.decode(bytes)).into_owned();
    Ok((text(&file.head(ENDS)?), text(&file.tail(ENDS)?)))
}

/// Up to this many bytes of the end of a file, from the beginning of a line where it is not all.
fn tail(file: &Attachment<'_>, most: usize) -> io::Result<String> {
    let is_cut = file.kept() > most as u64;
    let bytes = file.tail(most)?;
    let decoded = Content::of_attachment(file)?.decode(&bytes);
    let text = visible::readable(if is_cut { whole_lines(&decoded) } else { &decoded }).into_owned();
    Ok(if is_cut { format!("[…]\n{text}") } else { text })
}

/// What is behind the first newline, or else behind a character that was cut.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let cut = bytes.iter().take_while(|byte| (**byte as i8) < -0x40).count();
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at + 1 < bytes.len() => bytes.get(at + 1..).unwrap_or_default(),
        _ => bytes.get(cut..).unwrap_or_default(),
    }
}

/// At most this many bytes of the end of a text.
fn last(text: &str, most: usize) -> &str {
    let start = text.len().saturating_sub(most);
    (start..=text.len()).find_map(|start| text.get(start..)).unwrap_or_default()
}
