//! What can be wrong with a stream.

use formats::human::show_duration;
use std::fmt;

use formats::time::rfc3339;
use subunit::{PacketError, Status, Timestamp};

/// Something that is wrong. Closed: what is checked is here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finding<'a> {
    /// This many bytes are not a packet.
    Damage(usize, PacketError),
    Unfinished,
    /// A piece of this file came after the final status; or an event without any.
    LateFile(Option<&'a str>),
    LateStatus(Status),
    LateAnnouncement,
    AnnouncedTwice,
    BeganAgain {
        had_finished: bool,
    },
    MimeType {
        file: &'a str,
        mime_type: &'a str,
    },
    AfterEof(&'a str),
    TimeGoesBack {
        before: Timestamp,
        time: Timestamp,
    },
    NoTest(Status),
}

impl Finding<'_> {
    /// The word for findings like this.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Finding::Damage(..) => "damage",
            Finding::Unfinished => "unfinished",
            Finding::LateFile(_) | Finding::LateStatus(_) | Finding::LateAnnouncement => "after-final",
            Finding::AnnouncedTwice | Finding::BeganAgain { .. } => "not-unique",
            Finding::MimeType { .. } => "mime",
            Finding::AfterEof(_) => "after-eof",
            Finding::TimeGoesBack { .. } => "time",
            Finding::NoTest(_) => "no-test",
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Damage(bytes, error) => write!(formatter, "{bytes} damaged bytes: {error}"),
            Finding::Unfinished => formatter.write_str("never finished"),
            Finding::LateFile(Some(file)) => write!(formatter, "a piece of {file} after the final status"),
            Finding::LateFile(None) => formatter.write_str("an event after the final status"),
            Finding::LateStatus(status) => write!(formatter, "another final status, {status}"),
            Finding::LateAnnouncement => formatter.write_str("announced after it had finished"),
            Finding::AnnouncedTwice => formatter.write_str("announced twice"),
            Finding::BeganAgain { had_finished: true } => {
                formatter.write_str("began again after it had finished")
            }
            Finding::BeganAgain { had_finished: false } => {
                formatter.write_str("began again while it was running")
            }
            Finding::MimeType { file, mime_type } => {
                write!(formatter, "{file} has another MIME type, {mime_type}, than before")
            }
            Finding::AfterEof(file) => write!(formatter, "{file} goes on after its end"),
            Finding::TimeGoesBack { before, time } => {
                let back = before.saturating_since(*time);
                write!(
                    formatter,
                    "time goes back by {}, from {} to {}",
                    show_duration(back),
                    rfc3339(*before),
                    rfc3339(*time)
                )
            }
            Finding::NoTest(status) => write!(formatter, "{status} without a test"),
        }
    }
}
