//! What can be wrong with a packet that is read, or an event that is to be written.

use core::fmt;

use crate::wire::{MAX_PACKET, MIN_PACKET};

/// A part of a packet, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The packet's length, in its header.
    Length,
    /// The timestamp: seconds and nanoseconds.
    Timestamp,
    /// The test id.
    TestId,
    /// The number of tags.
    Tags,
    /// One of the tags.
    Tag,
    /// The MIME type.
    MimeType,
    /// The name of the file.
    FileName,
    /// The bytes of the file.
    FileContent,
    /// The route code.
    RouteCode,
}

impl Field {
    /// The words for it in a sentence, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Length => "length",
            Field::Timestamp => "timestamp",
            Field::TestId => "test id",
            Field::Tags => "number of tags",
            Field::Tag => "tag",
            Field::MimeType => "MIME type",
            Field::FileName => "file name",
            Field::FileContent => "file content",
            Field::RouteCode => "route code",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What is wrong with a packet. Open: later versions may tell more kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketErrorKind {
    /// The bytes do not begin with the signature `B3`.
    Signature(u8),
    /// The version is not 2.
    Version(u8),
    /// Bit 3 of the flags is set.
    ReservedBit,
    /// The length is less than what a packet takes.
    Length(u32),
    /// The length takes four bytes: it is more than a packet can have.
    LongLength,
    /// The input ended this many bytes before the packet did, or before its length was known.
    Truncated(u32),
    /// The checksum in the packet is not that of its bytes.
    Checksum {
        /// The checksum that stands in the packet.
        stored: u32,
        /// The checksum of the packet's bytes.
        computed: u32,
    },
    /// A field runs past the packet's end, or is missing.
    PastEnd(Field),
    /// A string is not UTF-8.
    NotUtf8(Field),
    /// A string holds a NUL.
    Nul(Field),
    /// The nanoseconds are a second or more.
    Nanoseconds(u32),
    /// This many bytes stand between the last field and the checksum, or after the packet.
    LeftOver(u32),
    /// The bytes were not examined: too many malformed packets are nested around them.
    Nested,
}

/// Why bytes are not a packet: what is wrong, and where in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketError {
    kind: PacketErrorKind,
    offset: u32,
}

impl PacketError {
    pub(crate) fn new(kind: PacketErrorKind, offset: usize) -> Self {
        PacketError { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> PacketErrorKind {
        self.kind
    }

    /// Where it is wrong, in bytes from the packet's signature.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset as usize
    }
}

impl fmt::Display for PacketError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use PacketErrorKind as Kind;
        match self.kind {
            Kind::Signature(found) => write!(formatter, "no signature: {found:#04x} instead of 0xb3"),
            Kind::Version(found) => write!(formatter, "version {found} instead of 2"),
            Kind::ReservedBit => formatter.write_str("reserved bit 3 of the flags is set"),
            Kind::Length(found) => {
                write!(formatter, "length {found} is not that of a packet ({MIN_PACKET} to {MAX_PACKET})")
            }
            Kind::LongLength => write!(formatter, "length takes four bytes, more than {MAX_PACKET}"),
            Kind::Nested => formatter.write_str("malformed packets are nested too deeply"),
            Kind::Truncated(missing) => write!(formatter, "input ends {missing} bytes before the packet"),
            Kind::Checksum { stored, computed } => {
                write!(formatter, "checksum is {stored:08x} but the bytes give {computed:08x}")
            }
            Kind::PastEnd(field) => write!(formatter, "{field} runs past the packet's end"),
            Kind::NotUtf8(field) => write!(formatter, "{field} is not UTF-8"),
            Kind::Nul(field) => write!(formatter, "{field} holds a NUL"),
            Kind::Nanoseconds(found) => write!(formatter, "nanoseconds are {found}, a second or more"),
            Kind::LeftOver(count) => write!(formatter, "{count} bytes are left over after the last field"),
        }?;
        write!(formatter, " (at byte {})", self.offset)
    }
}

impl core::error::Error for PacketError {}

/// Why an event cannot be written; nothing of it was. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// A string holds a NUL.
    Nul(Field),
    /// The packet would be this long, more than a packet can be; [`chunks`](crate::chunks) cuts long
    /// attachments.
    TooLong(usize),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::Nul(field) => write!(formatter, "{field} holds a NUL, which subunit cannot carry"),
            EncodeError::TooLong(len) => {
                write!(formatter, "packet would take {len} bytes, more than the {MAX_PACKET} it can have")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

#[cfg(feature = "std")]
impl From<EncodeError> for std::io::Error {
    fn from(error: EncodeError) -> Self {
        std::io::Error::new(std::io::ErrorKind::InvalidInput, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_how_much() {
        let error = PacketError::new(PacketErrorKind::PastEnd(Field::TestId), 7);
        assert_eq!(error.to_string(), "test id runs past the packet's end (at byte 7)");
        assert_eq!((error.kind(), error.offset()), (PacketErrorKind::PastEnd(Field::TestId), 7));
        let error = PacketError::new(PacketErrorKind::Checksum { stored: 1, computed: 2 }, 20);
        assert_eq!(error.to_string(), "checksum is 00000001 but the bytes give 00000002 (at byte 20)");
    }
}
