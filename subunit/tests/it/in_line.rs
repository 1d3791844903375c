//! Damage behind text that has no newline at its end: no bit and no cut of a packet turns it into text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use subunit::{Event, File, PacketBuf, Status, Timestamp};

use crate::frames::{Owned, frames, frames_of};

/// What programs print before they are done with the line.
const TEXTS: [&str; 8] =
    ["....", "starting server", "la prueba pasó", "5 m³", "5 m³) ", "\u{1b}[1m33 of ", "₳ 😳", "a line\n"];

/// Failures with what packets carry: nothing more, or times, tags, routes and a file.
fn failures() -> Vec<PacketBuf> {
    let event = Event::status("b", Status::Fail);
    let timestamp = Timestamp::new(0x6567_6869, 1);
    let file = Some(File { name: "traceback", bytes: &[b'x'; 300] });
    let id = "tests.network.TestServer.test_start";
    [
        event,
        Event { runnable: false, ..event },
        Event { timestamp, ..event },
        Event { file, mime_type: Some("text/plain"), eof: true, ..event },
        Event { file, mime_type: Some("text/plain;charset=utf8"), route_code: Some("0"), ..event },
        Event { test_id: Some(id), timestamp, tags: ["slow"].as_slice().into(), ..event },
        Event { test_id: Some(id), route_code: Some("worker-1"), ..event },
    ]
    .iter()
    .map(|event| PacketBuf::encode(event).unwrap())
    .collect()
}

fn is_told(stream: &[u8]) -> bool {
    frames(stream).iter().any(|frame| matches!(frame, Owned::Corrupt(..)))
}

fn check(text: &str, bytes: &[u8], what: &str) {
    let after = PacketBuf::encode(&Event::status("c", Status::Success)).unwrap();
    for rest in [&b""[..], after.as_bytes()] {
        let stream = [text.as_bytes(), bytes, rest].concat();
        assert!(is_told(&stream), "{what} behind {text:?}: {}", stream.escape_ascii());
    }
}

#[test]
fn each_bit_that_is_wrong_is_told() {
    for (text, failure) in TEXTS.iter().flat_map(|text| failures().into_iter().map(move |it| (text, it))) {
        for bit in 0..8 * failure.as_bytes().len() {
            let mut damaged = failure.as_bytes().to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(text, &damaged, &format!("bit {} of byte {}", bit % 8, bit / 8));
        }
    }
}

#[test]
fn each_cut_is_told_but_that_after_the_signature() {
    for (text, failure) in TEXTS.iter().flat_map(|text| failures().into_iter().map(move |it| (text, it))) {
        for len in 2..failure.as_bytes().len() {
            check(text, &failure.as_bytes()[..len], &format!("{len} bytes"));
        }
    }
    assert!(!is_told(b"starting\xb3"));
}

/// Words as people write them, with characters that have `B3` in them.
#[test]
fn every_kind_of_packet_is_found_behind_half_a_character() {
    let (file, timestamp) = (Some(File { name: "n", bytes: b"x" }), Some(Timestamp::from_seconds(1)));
    let parts = [
        Event { runnable: true, ..Event::default() },
        Event { eof: true, ..Event::default() },
        Event { test_id: Some("a"), ..Event::default() },
        Event { tags: ["t"].as_slice().into(), ..Event::default() },
        Event { mime_type: Some("m"), ..Event::default() },
        Event { file, ..Event::default() },
        Event { route_code: Some("r"), ..Event::default() },
        Event { timestamp, ..Event::default() },
        Event::default(),
    ];
    let statuses =
        [None, Some(Status::InProgress), Some(Status::Success), Some(Status::Fail), Some(Status::XFail)];
    for (event, status) in parts.iter().flat_map(|event| statuses.map(|status| (event, status))) {
        let Ok(packet) = PacketBuf::encode(&Event { status, ..*event }) else { continue };
        for text in [&b"caf\xc3"[..], b"\xea\x8f", b"\xf0\x9f\x98", b"caf"] {
            let stream = [text, packet.as_bytes()].concat();
            let found = frames(&stream);
            assert!(
                found.iter().any(|frame| matches!(frame, Owned::Packet(..))),
                "{packet:?} behind {text:?}: {found:?}"
            );
        }
    }
}

fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-zA-Z0-9]{1,9}",
        2 => "[a-z]{0,6}[óò³²₳鳳]{1,2}",
        1 => "[A-Za-z]{1,4}[óùúû³]\\)?",
    ];
    vec((word, "[ .,;:/)(\n\t-]{1,3}"), 0..40)
        .prop_map(|words| words.into_iter().map(|(word, gap)| word + &gap).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_people_write_is_text(text in prose()) {
        let packet = PacketBuf::encode(&Event::status("a", Status::Success)).unwrap();
        let found = frames(&[text.as_bytes(), packet.as_bytes(), text.as_bytes()].concat());
        let corrupt = found.iter().any(|frame| matches!(frame, Owned::Corrupt(..)));
        let packets = found.iter().filter(|frame| matches!(frame, Owned::Packet(..))).count();
        prop_assert!(!corrupt && packets == 1, "{:?}", found);
    }

    #[test]
    fn a_failure_behind_prose_is_told_with_any_bit_wrong(
        text in prose(), failure in any::<Index>(), bit in any::<Index>()
    ) {
        let failures = failures();
        let mut damaged = failure.get(&failures).as_bytes().to_vec();
        let bit = bit.index(8 * damaged.len());
        damaged[bit / 8] ^= 1 << (bit % 8);
        let stream = [text.as_bytes(), &damaged].concat();
        prop_assert!(is_told(&stream), "bit {} behind {:?}", bit, text);
        prop_assert_eq!(frames_of(&stream, 0..=stream.len()), frames(&stream));
    }
}
