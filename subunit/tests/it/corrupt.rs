//! Damage: what is said of it, and that it costs nothing but itself.

use subunit::{Event, Field, File, Packet, PacketBuf, PacketErrorKind, Status};

use crate::frames::{Owned, frames, outline};
use crate::spec::summed;

fn packet(id: &str) -> Vec<u8> {
    PacketBuf::encode(&Event::status(id, Status::Success)).unwrap().as_bytes().to_vec()
}

fn check_error(bytes: &[u8], kind: PacketErrorKind, offset: usize) {
    let error = Packet::parse(bytes).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (kind, offset), "{error}");
}

fn check(parts: &[&[u8]], expected: &[&str]) {
    assert_eq!(outline(&parts.concat()), expected);
}

#[test]
fn an_error_names_field_and_offset() {
    use Field::*;
    use PacketErrorKind as Kind;
    check_error(&summed(b"\xb3\x29\x01\x0c\x04foo"), Kind::PastEnd(TestId), 4);
    check_error(&summed(b"\xb3\x28\x00\x08"), Kind::PastEnd(TestId), 4);
    check_error(&summed(b"\xb3\x22\x00\x0a\x00\x00"), Kind::PastEnd(Timestamp), 4);
    check_error(&summed(b"\xb3\x22\x00\x0c\x00\x00\x00\x00"), Kind::PastEnd(Timestamp), 8);
    check_error(&summed(b"\xb3\x20\x80\x09\x05"), Kind::PastEnd(Tags), 4);
    check_error(&summed(b"\xb3\x20\x80\x0c\x02\x01a\x05"), Kind::PastEnd(Tag), 7);
    check_error(&summed(b"\xb3\x20\x40\x0b\x01f\x02"), Kind::PastEnd(FileContent), 6);
    check_error(&summed(b"\xb3\x20\x40\x0a\x01f"), Kind::PastEnd(FileContent), 6);
    check_error(&summed(b"\xb3\x24\x00\x0a\x02a"), Kind::PastEnd(RouteCode), 4);
    check_error(&summed(b"\xb3\x20\x20\x0a\x01\xff"), Kind::NotUtf8(MimeType), 5);
    check_error(&summed(b"\xb3\x28\x00\x0b\x02a\xc3"), Kind::NotUtf8(TestId), 6);
    check_error(&summed(b"\xb3\x28\x00\x0b\x02a\0"), Kind::Nul(TestId), 6);
    check_error(&summed(b"\xb3\x20\x00\x0a\x01\x02"), Kind::LeftOver(2), 4);
    let nanoseconds = b"\xb3\x22\x00\x10\x00\x00\x00\x01\xfb\x9a\xca\x00";
    check_error(&summed(nanoseconds), Kind::Nanoseconds(1_000_000_000), 8);
}

#[test]
fn structure_is_told_before_the_checksum() {
    check_error(b"\xb3\x29\x01\x0c\x04foo\0\0\0\0", PacketErrorKind::PastEnd(Field::TestId), 4);
    let stored = PacketErrorKind::Checksum { stored: 0, computed: 0x0855_5f1b };
    check_error(b"\xb3\x29\x01\x0c\x03foo\0\0\0\0", stored, 8);
}

#[test]
fn one_damaged_packet_is_one_corrupt_frame() {
    let mut damaged = packet("damaged");
    damaged[6] ^= 1;
    check(&[&packet("a"), &damaged, &packet("b")], &["P a", "C 16 Checksum", "P b"]);
    check(&[&damaged, &damaged, &packet("b")], &["C 16 Checksum", "C 16 Checksum", "P b"]);
    check(&[&damaged], &["C 16 Checksum"]);
}

#[test]
fn a_claim_that_is_too_long_costs_none_of_the_packets_in_it() {
    let mut damaged = packet("damaged");
    damaged[3] = 0x3f;
    check(
        &[&damaged, &packet("a"), &packet("b"), &packet("c"), &packet("d")],
        &["C 16 LeftOver", "P a", "P b", "P c", "P d"],
    );
    let huge = b"\xb3\x20\x40\xbf\xff\xff\x01f\xbf\xff\xf0";
    check(&[huge, &packet("a"), &packet("b")], &["C 11 Truncated", "P a", "P b"]);
}

#[test]
fn a_claim_that_makes_no_sense_ends_with_the_line_or_at_the_next_packet() {
    check(&[b"\xb3\x19 old\n", b"text\n"], &["C 7 Version", "T text\\n"]);
    check(&[b"\xb3\x19 old", &packet("a")], &["C 6 Version", "P a"]);
    check(&[b"\xb3\x29\x01\xc0\0\0\x20 no\n", &packet("a")], &["C 11 LongLength", "P a"]);
    check(&[b"\xb3\x20\x00\x07 no"], &["C 7 Length"]);
    check(&[b"\xb3\x20\x08\x08rest"], &["C 8 ReservedBit"]);
    let line = [b"\xb3\x19", &*vec![b'x'; 100_000], b"\n"].concat();
    assert!(matches!(&*frames(&line), [Owned::Corrupt(..), Owned::Text(..)]), "a line without end is cut");
}

#[test]
fn a_packet_is_found_wherever_it_stands() {
    check(&[b"starting server", &packet("a")], &["T starting server", "P a"]);
    check(&[b"\xe2", &packet("a")], &["T \\xe2", "P a"]);
    check(&[b"\x80\xb3\xb3", &packet("a"), b"end"], &["T \\x80\\xb3\\xb3", "P a", "T end"]);
}

#[test]
fn a_failed_candidate_within_a_line_is_text() {
    check(&[b"10 m\xb3 of ", b"water\n"], &["T 10 m\\xb3 of water\\n"]);
    check(&[b"10 m\xb3/h, then 3 m\xb3"], &["T 10 m\\xb3/h, then 3 m\\xb3"]);
    check(&[b"10 m\xb3", &packet("a")], &["T 10 m\\xb3", "P a"]);
    check(&[b"10 m\xb3 ", &packet("a")], &["T 10 m\\xb3 ", "P a"]);
}

#[test]
fn a_packet_cut_or_damaged_within_a_line_is_corrupt() {
    check(&[b"half\xb3\x29\x01\x0c\x03foo"], &["T half", "C 8 Truncated"]);
    check(&[b"half\xb3\x29"], &["T half", "C 2 Truncated"]);
    check(&[b"half\xb3\x29\x01\x0c\x03foo", &packet("a")], &["T half", "C 8 Checksum", "P a"]);
    check(&[b"half\xb3\x29\x03", &packet("a")], &["T half", "C 3 NotUtf8", "P a"]);
}

#[test]
fn a_signature_alone_that_is_damaged_is_told() {
    for found in [0x33, 0x00, 0xB2, 0xF3, 0xFF] {
        let mut damaged = packet("damaged");
        damaged[0] = found;
        check(&[b"starting", &damaged, b"more\n"], &["T starting", "C 16 Signature", "T more\\n"]);
        check(&[&packet("a"), &damaged, &packet("b")], &["P a", "C 16 Signature", "P b"]);
    }
}

#[test]
fn lines_full_of_signatures_are_few_frames() {
    check(&[&b"\xb3\n".repeat(5), b"text\n"], &["C 10 Version", "T text\\n"]);
    check(&[b"\xb3\n\xb3\n", &packet("a")], &["C 4 Version", "P a"]);
    assert_eq!(frames(&b"\xb3\n".repeat(100_000)).len(), 4);
}

#[test]
fn characters_that_hold_the_signature_are_text() {
    let text = "la prueba pasó \u{2cf3} ₳ 😳ó";
    let found = frames(&[text.as_bytes(), b"\n", &packet("a")].concat());
    assert!(matches!(&*found, [Owned::Text(0, text), Owned::Packet(..)] if text.ends_with(b"\n")));
    for text in
        ["5 m³", "pasó", "5 m³)", "(5 m³) ", "pasó a", "ó, ", "₳. 3)", "a ó que esto no es un paquete"]
    {
        let found = frames(&[text.as_bytes(), &packet("a")].concat());
        assert!(matches!(&*found, [Owned::Text(..), Owned::Packet(..)]), "{text}: {found:?}");
        assert!(matches!(&*frames(text.as_bytes()), [Owned::Text(..)]), "{text}");
    }
}

#[test]
fn a_packet_may_follow_what_looks_like_a_lead_byte() {
    let mut damaged = packet("damaged");
    let len = damaged.len();
    damaged[len - 1] = 0xC3;
    check(&[&damaged, &packet("a")], &["C 16 Checksum", "P a"]);
    check(&[b"log", &damaged, &packet("a")], &["T log", "C 16 Checksum", "P a"]);
    check(&[&damaged[8..], &packet("a")], &["T aged\\x89\\xe2|\\xc3", "P a"]);
    check(&[b"caf\xc3", &packet("a")], &["T caf\\xc3", "P a"]);
    check(
        &[b"caf\xc3", &packet("a"), b"\xe2\x82", &packet("b")],
        &["T caf\\xc3", "P a", "T \\xe2\\x82", "P b"],
    );
}

#[test]
fn a_packet_in_an_attachment_is_content() {
    let inner = packet("inner");
    let file = File { name: "stream", bytes: &inner };
    let outer =
        PacketBuf::encode(&Event { test_id: Some("outer"), file: Some(file), ..Event::default() }).unwrap();
    check(&[outer.as_bytes()], &["P outer"]);
    let mut damaged = outer.as_bytes().to_vec();
    let len = damaged.len();
    damaged[len - 1] ^= 1;
    assert_eq!(
        outline(&damaged)[..2],
        ["C 18 Checksum", "P inner"],
        "what it held is found when it is damaged"
    );
}

#[test]
fn a_truncated_tail_is_corrupt_with_all_its_bytes() {
    let whole = packet("a");
    for end in 1..whole.len() {
        let input = [&*packet("b"), &whole[..end]].concat();
        assert_eq!(outline(&input), ["P b".to_owned(), format!("C {end} Truncated")], "cut at {end}");
    }
}

#[test]
fn every_damaged_byte_costs_one_packet() {
    let three = [packet("first"), packet("second"), packet("third")];
    let (from, to) = (three[0].len(), three[0].len() + three[1].len());
    for at in from..to {
        for change in [0x01, 0x80, 0xff] {
            let mut input = three.concat();
            input[at] ^= change;
            let found = outline(&input);
            let packets: Vec<_> = found.iter().filter(|frame| frame.starts_with('P')).collect();
            assert_eq!(packets, ["P first", "P third"], "byte {at} ^ {change:#x}: {found:?}");
            assert!(found.iter().filter(|frame| frame.starts_with('C')).count() <= 2, "{found:?}");
        }
    }
}
