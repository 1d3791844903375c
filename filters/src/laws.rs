//! The laws of filters: what changes nothing gives the same bytes, and text and damage stay where they are.

use std::time::Duration;

use cli::{Command, Terminal, Verdict, run_on, run_with, value};
use formats::human::{Age, Bytes, show_duration};
use proptest::prelude::{ProptestConfig, Strategy, proptest};
use subunit::strategy::{Piece, pieces, timestamp};
use subunit::{Event, PacketBuf};

use crate::filter::Filter;
use crate::from_json::FromJson;
use crate::from_v1::FromV1;
use crate::ls::Ls;
use crate::mux::Mux;
use crate::tags::TagStream;
use crate::timestamp::TimestampStream;

fn check_identity<C: Command>(args: &[&str], stream: &[u8]) {
    let outcome = run_with::<C>(args, stream);
    assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
    let (found, expected) = (outcome.output.escape_ascii(), stream.escape_ascii());
    assert!(outcome.output == stream, "{args:?}\n found {found}\n    of {expected}");
}

/// Whether a command writes nothing where stdout is a terminal, and says what to do.
fn check_refused<C: Command>(args: &[&str]) {
    let terminal = Terminal { output: true, ..Terminal::default() };
    let outcome = run_on::<C>(args, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b", terminal);
    assert_eq!((outcome.verdict, outcome.output()), (Verdict::Error, ""), "{args:?}");
    assert!(outcome.errors().contains("stdout is a terminal"), "{}", outcome.errors());
}

#[test]
fn no_packet_goes_to_a_terminal() {
    check_refused::<Filter>(&[]);
    check_refused::<TagStream>(&["x"]);
    check_refused::<TimestampStream>(&[]);
    check_refused::<FromJson>(&[]);
    check_refused::<FromV1>(&[]);
    check_refused::<Mux>(&[]);
    check_refused::<Ls>(&["-f"]);
}

/// Streams in which every packet has a time.
fn timed() -> impl Strategy<Value = Vec<u8>> {
    (pieces(), timestamp()).prop_map(|(pieces, time)| {
        pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Packet(packet) => {
                    let event = packet.event();
                    let timestamp = event.timestamp.or(Some(time));
                    PacketBuf::encode(&Event { timestamp, ..event }).unwrap().as_bytes().to_vec()
                }
                // What is found in these may be a packet that was never meant, and has no time.
                Piece::Text(_) | Piece::Damaged(_) => b"text\n\xb3\x29\x01\x0c\x03fo".to_vec(),
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_keeps_all_changes_nothing(pieces in pieces()) {
        let stream: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
        check_identity::<Filter>(&["--success", "--xfail"], &stream);
        check_identity::<Filter>(&["--id", ""], &stream);
        check_identity::<TagStream>(&[], &stream);
        check_identity::<TagStream>(&["-no such tag"], &stream);
    }

    #[test]
    fn what_is_shown_to_people_can_be_given_again(nanoseconds: u64, scale in 0..64, size: u64) {
        let (length, size) = (Duration::from_nanos(nanoseconds >> scale), size >> scale);
        let shown = value::duration(&Age(length).to_string()).unwrap();
        assert!(shown <= length && (length - shown) * 24 <= length.max(Duration::from_secs(24)), "{length:?}");
        let shown = value::duration(&show_duration(length)).unwrap().as_secs_f64();
        let rounding = (length.as_secs_f64() / 10.0).max(5.1e-7);
        assert!((shown - length.as_secs_f64()).abs() <= rounding, "{length:?}");
        let shown = value::size(&Bytes(size).to_string()).unwrap();
        assert!(shown.abs_diff(size) <= size / 18, "{size}");
    }

    #[test]
    fn times_that_are_there_stay(stream in timed()) {
        check_identity::<TimestampStream>(&[], &stream);
        check_identity::<TimestampStream>(&["--offset", "0"], &stream);
    }

    #[test]
    fn what_is_held_comes_out_whole(pieces in pieces()) {
        let packets = |stream: &[u8]| {
            let mut reader = subunit::io::Reader::new(stream);
            let mut packets = Vec::new();
            while let Some(frame) = reader.next_frame().unwrap() {
                if let subunit::Frame::Packet(packet) = frame {
                    packets.push(packet.as_bytes().to_vec());
                }
            }
            packets.sort();
            packets
        };
        let of_packets = |piece: &Piece| match piece {
            Piece::Packet(packet) => packet.as_bytes().to_vec(),
            Piece::Text(_) | Piece::Damaged(_) => Vec::new(),
        };
        let stream: Vec<u8> = pieces.iter().flat_map(of_packets).collect();
        let every = "success,uxsuccess,skip,fail,xfail,exists,unfinished";
        for args in [&["--without-tag", "no such tag"][..], &["-sm", "", "--xfail"], &["--status", every]] {
            let outcome = run_with::<Filter>(&[args, &["-s", "--xfail"]].concat(), &stream);
            assert_eq!(packets(&outcome.output), packets(&stream), "{args:?}");
        }
    }
}
