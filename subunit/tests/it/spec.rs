//! The specification's packets, byte by byte.

use subunit::{Event, File, Packet, PacketBuf, Status, Tags, Timestamp};

/// The packet of `head` and fields, with the checksum that it takes.
pub(crate) fn summed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc32fast::hash(bytes).to_be_bytes()].concat()
}

fn check(event: &Event<'_>, bytes: &[u8]) {
    let bytes = summed(bytes);
    assert_eq!(PacketBuf::encode(event).unwrap().as_bytes(), bytes, "{event:?}");
    assert_eq!(Packet::parse(&bytes).unwrap().event(), *event);
}

#[test]
fn the_test_vector_of_the_readme() {
    let bytes = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
    let event = Event::status("foo", Status::Exists);
    assert_eq!(PacketBuf::encode(&event).unwrap().as_bytes(), bytes);
    assert_eq!(Packet::parse(bytes).unwrap().event(), event);
}

#[test]
fn every_field_has_its_bit_and_its_place() {
    let none = Event::default();
    check(&none, b"\xb3\x20\x00\x08");
    check(&Event { test_id: Some(""), ..none }, b"\xb3\x28\x00\x09\x00");
    check(&Event { runnable: true, ..none }, b"\xb3\x21\x00\x08");
    check(&Event { eof: true, ..none }, b"\xb3\x20\x10\x08");
    check(&Event { mime_type: Some("a/b"), ..none }, b"\xb3\x20\x20\x0c\x03a/b");
    check(&Event { route_code: Some("0"), ..none }, b"\xb3\x24\x00\x0a\x010");
    check(&Event { tags: Tags::from(&[]), ..none }, b"\xb3\x20\x80\x09\x00");
    check(&Event { tags: Tags::from(&["b", "a", "a"]), ..none }, b"\xb3\x20\x80\x0f\x03\x01b\x01a\x01a");
    check(&Event::file("f", b"\x00\xff"), b"\xb3\x20\x40\x0d\x01f\x02\x00\xff");
    let timestamp = Timestamp::new(1, 999_999_999);
    check(&Event { timestamp, ..none }, b"\xb3\x22\x00\x10\x00\x00\x00\x01\xfb\x9a\xc9\xff");
    for (bits, status) in (1..).zip(Status::ALL) {
        check(&Event { status: Some(status), ..none }, &[0xb3, 0x20, bits, 8]);
    }
}

#[test]
fn all_fields_together_stand_in_the_order_of_the_specification() {
    let event = Event {
        test_id: Some("id"),
        status: Some(Status::Fail),
        tags: Tags::from(&["t"]),
        runnable: true,
        file: Some(File { name: "n", bytes: b"c" }),
        mime_type: Some("m"),
        eof: true,
        route_code: Some("r"),
        timestamp: Timestamp::new(0x0102_0304, 5),
    };
    check(&event, b"\xb3\x2f\xf6\x1b\x01\x02\x03\x04\x05\x02id\x01\x01t\x01m\x01n\x01c\x01r");
}

#[test]
fn longer_forms_of_numbers_are_accepted_and_kept() {
    let bytes = summed(b"\xb3\x29\x01\x80\x00\x0f\x40\x03foo");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.event(), Event::status("foo", Status::Exists));
    assert_eq!(packet.as_bytes(), bytes);
}

#[test]
fn strings_are_utf8() {
    let id = "prueba pasó ₳ 😳";
    let packet = PacketBuf::encode(&Event::status(id, Status::Success)).unwrap();
    assert_eq!(packet.event().test_id, Some(id));
}
