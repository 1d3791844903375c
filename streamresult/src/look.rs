//! An event, whole or as its packet: what is asked for is looked at, and no string is made.

use std::io;

use subunit::{Event, Packet, Status, Tags, Timestamp};

use crate::key::Key;
use crate::{Sign, StreamResult};

/// What the accounting asks of an event. Strings are the bytes of text that was checked.
pub(crate) trait Look {
    /// The key of the test that it is about, if it is about one.
    fn key(&self) -> Option<Key<'_>>;

    fn status(&self) -> Option<Status>;

    fn timestamp(&self) -> Option<Timestamp>;

    fn runnable(&self) -> bool;

    fn piece(&self) -> Option<Piece<'_>>;

    fn tags(&self) -> Tags<'_>;

    /// The tags as they stand in a packet, if they do: the same bytes are the same tags.
    fn tags_bytes(&self) -> Option<&[u8]>;

    /// It, in the form in which it came.
    fn given(&self) -> Given<'_>;

    /// All of it.
    fn event(&self) -> Event<'_>;

    /// The kind of the event.
    #[inline]
    fn sign(&self) -> Sign {
        match self.status() {
            Some(status) => Sign::Status(status),
            None if self.has_file() => Sign::File,
            None if self.has_tags() => Sign::Tags,
            None => Sign::Nothing,
        }
    }

    fn has_file(&self) -> bool;

    fn has_tags(&self) -> bool;

    /// Gives it to a sink in the form that it has.
    #[inline]
    fn pass<R: StreamResult + ?Sized>(&self, sink: &mut R) -> io::Result<()> {
        match self.given() {
            Given::Packet(packet) => sink.packet(packet),
            Given::Event(event) => sink.status(event),
        }
    }
}

/// An event in the form in which it came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    Event(&'a Event<'a>),
    Packet(&'a Packet<'a>),
}

/// A piece of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) bytes: &'a [u8],
    pub(crate) mime_type: Option<&'a [u8]>,
    pub(crate) eof: bool,
}

/// Text that was checked before it was kept as bytes.
#[inline]
pub(crate) fn checked(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl Look for Event<'_> {
    #[inline]
    fn key(&self) -> Option<Key<'_>> {
        let route_code = self.route_code.map(str::as_bytes);
        self.test_id.map(|test_id| Key { route_code, test_id: test_id.as_bytes() })
    }

    #[inline]
    fn status(&self) -> Option<Status> {
        self.status
    }

    #[inline]
    fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    #[inline]
    fn runnable(&self) -> bool {
        self.runnable
    }

    #[inline]
    fn piece(&self) -> Option<Piece<'_>> {
        let mime_type = self.mime_type.map(str::as_bytes);
        let file = self.file?;
        Some(Piece { name: file.name.as_bytes(), bytes: file.bytes, mime_type, eof: self.eof })
    }

    #[inline]
    fn tags(&self) -> Tags<'_> {
        self.tags
    }

    #[inline]
    fn tags_bytes(&self) -> Option<&[u8]> {
        None
    }

    #[inline]
    fn given(&self) -> Given<'_> {
        Given::Event(self)
    }

    #[inline]
    fn event(&self) -> Event<'_> {
        *self
    }

    #[inline]
    fn has_file(&self) -> bool {
        self.file.is_some()
    }

    #[inline]
    fn has_tags(&self) -> bool {
        !self.tags.is_absent()
    }
}

impl Look for Packet<'_> {
    #[inline]
    fn key(&self) -> Option<Key<'_>> {
        let route_code = self.route_code_bytes();
        self.test_id_bytes().map(|test_id| Key { route_code, test_id })
    }

    #[inline]
    fn status(&self) -> Option<Status> {
        self.status()
    }

    #[inline]
    fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp()
    }

    #[inline]
    fn runnable(&self) -> bool {
        self.runnable()
    }

    #[inline]
    fn piece(&self) -> Option<Piece<'_>> {
        let (name, bytes) = (self.file_name_bytes()?, self.file_content()?);
        Some(Piece { name, bytes, mime_type: self.mime_type_bytes(), eof: self.eof() })
    }

    #[inline]
    fn tags(&self) -> Tags<'_> {
        self.tags()
    }

    #[inline]
    fn tags_bytes(&self) -> Option<&[u8]> {
        self.tags_bytes()
    }

    #[inline]
    fn given(&self) -> Given<'_> {
        Given::Packet(self)
    }

    #[inline]
    fn event(&self) -> Event<'_> {
        self.event()
    }

    #[inline]
    fn has_file(&self) -> bool {
        self.file_name_bytes().is_some()
    }

    #[inline]
    fn has_tags(&self) -> bool {
        self.tags_bytes().is_some()
    }
}
