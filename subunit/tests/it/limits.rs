//! The longest packets, and input made to be slow.

use subunit::{Event, Frame, MAX_PACKET, PacketBuf, Status};

use crate::frames::{Owned, frames};
use crate::spec::summed;

#[test]
fn the_longest_packet_is_read_and_written() {
    let content = vec![0xB3; MAX_PACKET - 15];
    let packet = PacketBuf::encode(&Event::file("f", &content)).unwrap();
    assert_eq!(packet.as_bytes().len(), MAX_PACKET);
    let found = frames(packet.as_bytes());
    assert!(matches!(&*found, [Owned::Packet(0, _)]));
    let more = vec![0xB3; MAX_PACKET - 14];
    assert!(PacketBuf::encode(&Event::file("f", &more)).is_err());
}

#[test]
fn lengths_around_the_steps_of_the_number_are_read_and_written() {
    for len in (40..60).chain(16_360..16_390) {
        let content = vec![b'x'; len];
        let packet = PacketBuf::encode(&Event::file("f", &content)).unwrap();
        let total = packet.as_bytes().len();
        assert!(total != 64 && total != 16_384, "minimal forms never have this length");
        assert_eq!(packet.event().file.unwrap().bytes.len(), len);
    }
}

/// Packets of a file that holds the rest of the stream, every 16 bytes, none with a right checksum; then an
/// intact one. A decoder that reads each claim anew takes minutes for this.
#[test]
fn nested_claims_are_read_once() {
    let total = 3 << 20;
    let mut input = Vec::new();
    while input.len() < total {
        let claim = MAX_PACKET.min(total + 4096 - input.len());
        let content = claim - 4 - 6 - 5;
        input.extend([
            0xB3,
            0x20,
            0x40,
            0x80 | (claim >> 16) as u8,
            (claim >> 8) as u8,
            claim as u8,
            1,
            b'f',
        ]);
        input.extend([
            0xC0,
            (content >> 16) as u8,
            (content >> 8) as u8,
            content as u8,
            b'.',
            b'.',
            b'.',
            b'.',
        ]);
    }
    let intact = PacketBuf::encode(&Event::status("intact", Status::Success)).unwrap();
    input.extend(intact.as_bytes());
    input.extend(vec![b'.'; 8192]);
    let found = frames(&input);
    assert!(found.iter().any(|frame| matches!(frame, Owned::Packet(_, bytes) if bytes == intact.as_bytes())));
}

/// Packets with right checksums and a bad tag at the end, one inside the other.
#[test]
fn nested_malformed_packets_are_not_walked_again_and_again() {
    let mut inner = vec![0xFF; 2];
    let mut depth = 0;
    while inner.len() < 1 << 20 {
        // A file around what there is, then a route code that is not UTF-8 far behind a long tag.
        let tag = vec![b'x'; 2000];
        let mut fields = vec![1, 0x40 | (tag.len() >> 8) as u8, tag.len() as u8];
        fields.extend(&tag);
        fields.extend([
            1,
            b'f',
            0xC0,
            (inner.len() >> 16) as u8,
            (inner.len() >> 8) as u8,
            inner.len() as u8,
        ]);
        fields.extend(&inner);
        fields.extend([1, 0xFF]);
        let len = 6 + fields.len() + 4;
        let mut packet = vec![0xB3, 0x24, 0xC0, 0x80 | (len >> 16) as u8, (len >> 8) as u8, len as u8];
        packet.extend(fields);
        inner = summed(&packet);
        depth += 1;
    }
    assert!(depth > 400);
    let intact = PacketBuf::encode(&Event::status("intact", Status::Success)).unwrap();
    inner.extend(intact.as_bytes());
    let found = frames(&inner);
    assert!(matches!(found.last(), Some(Owned::Packet(_, bytes)) if bytes == intact.as_bytes()));
}

#[test]
fn a_frame_of_text_is_at_most_a_mebibyte() {
    let input = vec![b'x'; 3 << 20];
    let mut reader = subunit::io::Reader::new(&*input);
    let mut total = 0;
    while let Some(frame) = reader.next_frame().unwrap() {
        let Frame::Text(text) = frame else { panic!("{frame:?}") };
        assert!(text.len() <= 1 << 20);
        total += text.len();
    }
    assert_eq!(total, input.len());
}
