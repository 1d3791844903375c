//! The laws of writing: what is written is read back.

use arbitrary::Unstructured;
use subunit::{EncodeError, Event, Packet, PacketBuf, RoutePrefix, chunks, encode, encode_chunks};

use crate::any_event::AnyEvent;
use crate::frames::{Kind, Stretch, frames};

/// An event that can be written is read back as it was; one that cannot leaves nothing behind; one that is
/// too long is cut into events that say the same.
///
/// # Panics
///
/// When the law does not hold.
pub fn roundtrip(data: &[u8]) {
    if let Ok(any) = Unstructured::new(data).arbitrary::<AnyEvent>() {
        any.with(check_roundtrip);
    }
}

/// A packet with a route code put before its own is the packet of the event with the joined code.
///
/// # Panics
///
/// When the law does not hold.
pub fn reroute(data: &[u8]) {
    if let Ok((code, any)) = Unstructured::new(data).arbitrary::<(String, AnyEvent)>() {
        any.with(|event| check_reroute(&code, event));
    }
}

fn check_roundtrip(event: &Event<'_>) {
    let mut out = b"before".to_vec();
    let written = encode(event, &mut out);
    let packet = out.strip_prefix(b"before").unwrap_or_default();
    match written {
        Ok(()) => {
            assert!(can_be_carried(event));
            let read = Packet::parse(packet).map(|packet| packet.event());
            assert_eq!(read, Ok(*event));
            assert_eq!(frames(packet), [Stretch { offset: 0, kind: Kind::Packet, bytes: packet.to_vec() }]);
            let again = read.ok().and_then(|event| PacketBuf::encode(&event).ok());
            assert_eq!(again.as_ref().map(PacketBuf::as_bytes), Some(packet), "the bytes are deterministic");
        }
        Err(error) => {
            assert_eq!(packet, b"", "{error}: nothing is written");
            match error {
                EncodeError::TooLong(_) => check_chunks(event),
                _ => assert!(!can_be_carried(event), "{error}"),
            }
        }
    }
}

/// Whether every field of the event can be written, as far as length does not matter.
fn can_be_carried(event: &Event<'_>) -> bool {
    let file_name = event.file.map(|file| file.name);
    let texts = [event.test_id, event.mime_type, file_name, event.route_code];
    !texts.into_iter().flatten().chain(event.tags).any(|text| text.contains('\0'))
}

/// The pieces of an event that is too long fit, and together say what it says.
fn check_chunks(event: &Event<'_>) {
    let Ok(pieces) = chunks(event) else { return };
    let pieces: Vec<Event<'_>> = pieces.collect();
    let ([first, ..], [.., last]) = (&pieces[..], &pieces[..]) else { panic!("an event has a piece") };
    assert_eq!((first.tags, first.mime_type, last.eof), (event.tags, event.mime_type, event.eof));
    let said: Vec<_> = pieces.iter().filter_map(|piece| piece.status).collect();
    assert_eq!(said, Vec::from_iter(event.status));
    let bytes: Vec<u8> =
        pieces.iter().filter_map(|piece| piece.file).flat_map(|file| file.bytes.to_vec()).collect();
    assert!(Some(&*bytes) == event.file.map(|file| file.bytes), "the bytes are those of the file");
    for piece in &pieces {
        assert!(PacketBuf::encode(piece).is_ok(), "a piece fits");
        let kept = (piece.test_id, piece.route_code, piece.timestamp, piece.file.map(|file| file.name));
        assert_eq!(
            kept,
            (event.test_id, event.route_code, event.timestamp, event.file.map(|file| file.name))
        );
    }
}

fn check_reroute(code: &str, event: &Event<'_>) {
    let Ok(mut prefix) = RoutePrefix::new(code) else {
        return assert!(code.contains('\0'), "{code:?} is a route code");
    };
    let Ok(packet) = PacketBuf::encode(event) else { return };
    let expected = appended(|out| encode_chunks(&prefix.event(event), out));
    let rerouted = appended(|out| prefix.append(&packet.packet(), out));
    assert!(rerouted == expected, "a rerouted packet is the one encoded with the joined code");
    let whole = appended(|out| encode(&prefix.event(event), out));
    let parts = prefix.parts(&packet.packet()).map(|parts| [b"before", &*parts.concat()].concat());
    assert!(parts.ok() == whole, "so are the parts of it");
}

/// What `append` makes of bytes; `None` when it refuses, and then it appends nothing.
fn appended(append: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>) -> Option<Vec<u8>> {
    let mut bytes = b"before".to_vec();
    match append(&mut bytes) {
        Ok(()) => Some(bytes),
        Err(_) => {
            assert!(bytes == b"before");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subunit::{File, MAX_PACKET, Status, Tags};

    #[test]
    fn an_event_at_the_limit_is_written_or_cut() {
        let bytes = vec![b'.'; MAX_PACKET];
        for len in (MAX_PACKET - 48..MAX_PACKET).step_by(4).chain([MAX_PACKET]) {
            check_roundtrip(&Event {
                file: Some(File { name: "log", bytes: &bytes[..len] }),
                mime_type: Some("text/plain"),
                tags: Tags::from(&["slow"]),
                eof: true,
                ..Event::status("soak", Status::Fail)
            });
        }
    }
}
