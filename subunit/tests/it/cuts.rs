//! However the input is cut, the frames are the same, and every byte is in exactly one.

use proptest::collection::vec;
use proptest::prelude::*;
use subunit::strategy::{Piece, pieces};

use crate::frames::{Owned, frames, frames_of};

fn bytes_of(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_cut_gives_the_same_frames(pieces in pieces(), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
        let input = bytes_of(&pieces);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(frames_of(&input, ends), frames(&input));
    }

    #[test]
    fn one_byte_at_a_time_gives_the_same_frames(pieces in pieces()) {
        let input = bytes_of(&pieces);
        prop_assert_eq!(frames_of(&input, 0..=input.len()), frames(&input));
    }

    #[test]
    fn every_intact_packet_is_found(pieces in pieces()) {
        let found: Vec<_> = frames(&bytes_of(&pieces))
            .into_iter()
            .filter_map(|frame| match frame {
                Owned::Packet(_, bytes) => Some(bytes),
                _ => None,
            })
            .collect();
        let intact: Vec<_> = pieces.iter().filter(|piece| matches!(piece, Piece::Packet(_))).collect();
        // Text may hold a packet too, if hardly ever; no intact one may be missing.
        let mut found = found.iter();
        for packet in intact {
            prop_assert!(found.any(|bytes| bytes == packet.as_bytes()), "{:?} is lost", packet);
        }
    }

    #[test]
    fn a_stream_cut_off_anywhere_keeps_what_came_before(pieces in pieces(), cut in any::<prop::sample::Index>()) {
        let input = bytes_of(&pieces);
        let end = cut.index(input.len() + 1);
        let whole = frames(&input);
        let cut_off = frames(&input[..end]);
        let packets_before = |frames: &[Owned]| -> Vec<Owned> {
            frames
                .iter()
                .filter(|frame| {
                    matches!(frame, Owned::Packet(at, bytes) if *at + bytes.len() as u64 <= end as u64)
                })
                .cloned()
                .collect()
        };
        let kept = packets_before(&whole);
        let found = packets_before(&cut_off);
        prop_assert!(kept.iter().all(|packet| found.contains(packet)));
    }
}
