//! The law of damage: a damaged packet costs no intact one.

use arbitrary::{Arbitrary, Unstructured};
use subunit::{Packet, PacketBuf, SIGNATURE};

use crate::any_event::AnyEvent;
use crate::frames::{Kind, Stretch, frames};
use crate::repair::claim;

/// The longest string of a packet that is looked for behind text which ends within a character.
const LONGEST_BEHIND_TEXT: usize = 0x1FFF;

/// A piece of a stream. Open: there are more ways to be broken.
#[derive(Arbitrary, Clone, Debug)]
#[non_exhaustive]
pub enum Piece {
    /// A packet.
    Packet(AnyEvent),
    /// Any bytes.
    Text(Vec<u8>),
    /// A line that a program printed.
    Line(String),
    /// A packet with a changed byte: which, and how.
    Damaged(AnyEvent, u16, u8),
    /// This much of a packet's beginning.
    Cut(AnyEvent, u16),
    /// This much of a packet's end.
    Tail(AnyEvent, u16),
}

/// Every intact packet is found, whatever stands around it.
///
/// # Panics
///
/// When the law does not hold.
pub fn recovery(data: &[u8]) {
    let Ok(pieces) = Unstructured::new(data).arbitrary::<Vec<Piece>>() else { return };
    let mut stream = Vec::new();
    let mut intact = Vec::new();
    for piece in pieces {
        if let Piece::Packet(_) = piece {
            intact.push(stream.len());
        }
        stream.extend(piece.into_bytes());
    }
    let found = frames(&stream);
    no_packet_is_lost(&stream, &found);
    for at in intact.into_iter().filter(|at| packet_at(&stream, *at).is_some()) {
        let place = found.partition_point(|stretch| stretch.offset <= at as u64);
        let stretch = place.checked_sub(1).and_then(|place| found.get(place));
        let is_found = stretch.is_some_and(|it| it.offset == at as u64 && it.kind == Kind::Packet);
        // Long ones were looked at before.
        let is_text =
            stretch.is_some_and(|it| it.kind == Kind::Text) && stream.len() - at > LONGEST_BEHIND_TEXT;
        assert!(is_found || is_text, "the packet at {at} is lost in {stretch:?}");
    }
}

impl Piece {
    /// The bytes of the piece; none when the event cannot be written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Piece::Packet(event) => packet(event),
            Piece::Text(bytes) => bytes,
            Piece::Line(line) => [line.as_bytes(), b"\n"].concat(),
            Piece::Damaged(event, index, change) => {
                let mut bytes = packet(event);
                let index = usize::from(index) % bytes.len().max(1);
                bytes.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= change);
                bytes
            }
            Piece::Cut(event, len) => {
                let mut bytes = packet(event);
                bytes.truncate(len.into());
                bytes
            }
            Piece::Tail(event, len) => {
                let mut bytes = packet(event);
                bytes.split_off(bytes.len().saturating_sub(len.into()))
            }
        }
    }

    /// The same piece about one of a few tests.
    pub(crate) fn about(self, test_id: Option<&str>, route_code: Option<&str>) -> Self {
        match self {
            Piece::Packet(event) => Piece::Packet(event.about(test_id, route_code)),
            other => other,
        }
    }
}

fn packet(event: AnyEvent) -> Vec<u8> {
    event.with(|event| PacketBuf::encode(event).map(|packet| packet.as_bytes().to_vec()).unwrap_or_default())
}

/// Of the bytes that are in no packet, none begins an intact one; but for a signature that ends a character
/// of the text around it, and is text where a string of the packet is long.
///
/// # Panics
///
/// When one does.
pub(crate) fn no_packet_is_lost(data: &[u8], frames: &[Stretch]) {
    for stretch in frames.iter().filter(|stretch| stretch.kind != Kind::Packet) {
        let signatures = stretch.bytes.iter().enumerate().filter(|(_, byte)| **byte == SIGNATURE);
        for (at, _) in signatures {
            let place = stretch.offset as usize + at;
            let is_text = stretch.kind == Kind::Text && ends_character(&stretch.bytes[..=at]);
            let may_be_long = |packet: &Packet<'_>| packet.as_bytes().len() > LONGEST_BEHIND_TEXT;
            let packet = packet_at(data, place).filter(|packet| !(is_text && may_be_long(packet)));
            assert_eq!(packet, None, "lost at {place}, in a frame at {}: {:?}", stretch.offset, stretch.kind);
        }
    }
}

/// The intact packet that begins here.
fn packet_at(data: &[u8], at: usize) -> Option<Packet<'_>> {
    let rest = data.get(at..)?;
    Packet::parse(rest.get(..claim(rest)?)?).ok()
}

/// Whether the last byte of a text ends a character of several bytes.
fn ends_character(text: &[u8]) -> bool {
    (2..=4)
        .filter_map(|len| text.get(text.len().checked_sub(len)?..))
        .any(|bytes| std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

    /// What the law says of a decoder that takes everything for text.
    fn check_blind(before: &[u8]) {
        let stream = [before, FOO].concat();
        no_packet_is_lost(&stream, &[Stretch { offset: 0, kind: Kind::Text, bytes: stream.clone() }]);
    }

    #[test]
    #[should_panic(expected = "lost at 5")]
    fn a_lost_packet_is_noticed() {
        check_blind(b"text\n");
    }

    #[test]
    #[should_panic(expected = "lost at 2")]
    fn a_packet_after_a_whole_character_is_none_of_it() {
        check_blind("ó".as_bytes());
    }

    #[test]
    #[should_panic(expected = "lost at 4")]
    fn a_packet_behind_half_a_character_is_none_of_it() {
        check_blind(b"pas\xc3");
    }
}
