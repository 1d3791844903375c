//! A long attachment as several events.

use bytes::BufMut;

use crate::encode::{MAX_OVERHEAD, encode, fields_len, packet_len};
use crate::error::EncodeError;
use crate::event::{Event, File};
use crate::tags::Tags;
use crate::wire::{MAX_PACKET, number_len};

/// Appends the packet of an event, or the packets of its [`chunks`] where it does not fit in one.
///
/// # Errors
///
/// When the event is too long for a packet even without its file's bytes, or cannot be written at all; then
/// nothing is appended.
pub fn encode_chunks<B: BufMut + AsRef<[u8]>>(event: &Event<'_>, out: &mut B) -> Result<(), EncodeError> {
    match encode(event, out) {
        Err(EncodeError::TooLong(_)) => chunks(event)?.try_for_each(|piece| encode(&piece, out)),
        encoded => encoded,
    }
}

/// The events that together say what `event` says, each fitting in a packet.
///
/// An event that fits is given back as it is. Otherwise its file is cut: an interim status, the tags and
/// the MIME type go with the first piece, a final status and the end of the file with the last.
///
/// ```
/// use subunit::{Event, MAX_PACKET, Status, chunks};
///
/// let log = vec![b'x'; 2 * MAX_PACKET];
/// let event = Event { test_id: Some("soak"), status: Some(Status::Fail), ..Event::file("log", &log) };
/// let pieces: Vec<_> = chunks(&event)?.collect();
/// assert_eq!(pieces.len(), 3);
/// assert_eq!(pieces[0].status, None);
/// assert_eq!(pieces[2].status, Some(Status::Fail));
/// # Ok::<(), subunit::EncodeError>(())
/// ```
///
/// # Errors
///
/// When the event is too long for a packet even without its file's bytes, or cannot be written at all.
pub fn chunks<'a>(event: &Event<'a>) -> Result<Chunks<'a>, EncodeError> {
    let whole = fields_len(event)?;
    if packet_len(whole).is_some() {
        return Ok(Chunks { event: *event, left: event.file, size: usize::MAX, first: true });
    }
    let len = event.file.map_or(0, |file| file.bytes.len());
    let fixed = whole - len + number_len(MAX_PACKET) - number_len(len);
    let size = MAX_PACKET.saturating_sub(fixed + MAX_OVERHEAD).min(len);
    if size == 0 {
        return Err(EncodeError::TooLong(whole + MAX_OVERHEAD));
    }
    Ok(Chunks { event: *event, left: event.file, size, first: true })
}

/// The pieces of an event; see [`chunks`].
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    event: Event<'a>,
    left: Option<File<'a>>,
    size: usize,
    first: bool,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let first = core::mem::replace(&mut self.first, false);
        let Some(file) = self.left.take() else { return first.then_some(self.event) };
        let (piece, rest) = file.bytes.split_at_checked(self.size).unwrap_or((file.bytes, &[]));
        self.left = (!rest.is_empty()).then_some(File { bytes: rest, ..file });
        let last = self.left.is_none();
        let status = self.event.status.filter(|status| if status.is_final() { last } else { first });
        Some(Event {
            file: Some(File { bytes: piece, ..file }),
            status,
            tags: if first { self.event.tags } else { Tags::default() },
            mime_type: self.event.mime_type.filter(|_| first),
            eof: self.event.eof && last,
            ..self.event
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;
    use crate::packet::PacketBuf;

    fn check(event: &Event<'_>, expected: usize) {
        let pieces: Vec<_> = chunks(event).unwrap().map(|piece| PacketBuf::encode(&piece).unwrap()).collect();
        assert_eq!(pieces.len(), expected);
        let mut out = b"before".to_vec();
        encode_chunks(event, &mut out).unwrap();
        let bytes: Vec<_> = pieces.iter().map(PacketBuf::as_bytes).collect();
        assert!(out == [b"before", &*bytes.concat()].concat());
        let events: Vec<_> = pieces.iter().map(PacketBuf::event).collect();
        let bytes: Vec<u8> = events.iter().flat_map(|piece| piece.file.unwrap().bytes.to_vec()).collect();
        assert!(bytes == event.file.unwrap().bytes);
        let (first, last) = (events[0], events[expected - 1]);
        assert_eq!((first.mime_type, first.tags), (event.mime_type, event.tags));
        assert_eq!(last.eof, event.eof);
        assert!(events[1..].iter().all(|piece| piece.tags.is_absent() && piece.mime_type.is_none()));
        assert!(events[..expected - 1].iter().all(|piece| !piece.eof));
        assert!(events.iter().all(|piece| piece.timestamp == event.timestamp));
    }

    #[test]
    fn a_file_is_cut_only_where_it_does_not_fit() {
        let bytes = vec![7; 3 * MAX_PACKET];
        for (len, pieces) in [(0, 1), (10, 1), (MAX_PACKET - 100, 1), (MAX_PACKET, 2), (3 * MAX_PACKET, 4)] {
            let event = Event {
                file: Some(File { name: "log", bytes: &bytes[..len] }),
                mime_type: Some("text/plain"),
                tags: Tags::from(&["a"]),
                eof: true,
                ..Event::status("id", Status::Fail)
            };
            check(&event, pieces);
        }
    }

    #[test]
    fn an_interim_status_goes_with_the_first_piece() {
        let bytes = vec![7; MAX_PACKET];
        let event = Event { status: Some(Status::InProgress), ..Event::file("log", &bytes) };
        let statuses: Vec<_> = chunks(&event).unwrap().map(|piece| piece.status).collect();
        assert_eq!(statuses, [Some(Status::InProgress), None]);
    }

    #[test]
    fn an_event_that_is_too_long_without_its_file_is_refused() {
        let id = "x".repeat(MAX_PACKET);
        assert!(chunks(&Event::status(&id, Status::Fail)).is_err());
        let event = Event { test_id: Some(&id), ..Event::file("log", b"1") };
        assert!(chunks(&event).is_err());
        let mut out = vec![];
        assert!(encode_chunks(&event, &mut out).is_err());
        assert!(out.is_empty());
    }
}
