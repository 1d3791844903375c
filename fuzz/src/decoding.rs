//! The laws of the decoder.

use subunit::{Packet, PacketBuf, RoutePrefix, SIGNATURE};

use crate::dice::Dice;
use crate::frames::{Kind, Stretch, frames, frames_by_codec, frames_given_up, frames_of, frames_read};
use crate::records::accountings_agree;
use crate::recovery::no_packet_is_lost;

/// Inputs up to this length also come one byte at a time.
const SHORT: usize = 512;
/// Inputs up to this length are also cut at every single place.
const TINY: usize = 32;

/// Any bytes are frames: each byte is in exactly one, at its offset, and no intact packet is in what is left.
///
/// # Panics
///
/// When the law does not hold.
pub fn decode_raw(data: &[u8]) {
    let whole = frames(data);
    no_packet_is_lost(data, &whole);
    frames_given_up(data, &some_cuts(data, &mut Dice::of(data), 6));
    if Packet::parse(data).is_ok() {
        assert_eq!(whole, [Stretch { offset: 0, kind: Kind::Packet, bytes: data.to_vec() }]);
    }
}

/// However the input is cut, whoever reads it, the frames are the same.
///
/// # Panics
///
/// When the law does not hold.
pub fn cuts(data: &[u8]) {
    let whole = frames(data);
    let mut dice = Dice::of(data);
    check_cut(data, &some_cuts(data, &mut dice, 6), &whole);
    let few = [some_cuts(data, &mut dice, 1), cuts_in_headers(data, &mut dice)];
    let each = if data.len() <= SHORT { Vec::from_iter(0..=data.len()) } else { Vec::new() };
    let single = (0..=data.len()).filter(|_| data.len() <= TINY).map(|cut| vec![cut]);
    for ends in few.into_iter().chain([each]).chain(single) {
        assert_eq!(frames_of(data, &ends), whole, "cut at {ends:?}");
    }
}

/// The laws of the decoder, and those of packets on each that it finds: for inputs whose checksums were made
/// right by [`repair`](crate::repair()).
///
/// # Panics
///
/// When one of them does not hold.
pub fn structured(data: &[u8]) {
    decode_raw(data);
    cuts(data);
    for stretch in frames(data).iter().filter(|stretch| stretch.kind == Kind::Packet) {
        match Packet::parse(&stretch.bytes) {
            Ok(packet) => packet_is_kept(&packet),
            Err(error) => panic!("a packet was found that is none: {error}"),
        }
    }
    accountings_agree(data);
}

/// What a packet says is the same after it was encoded anew (its numbers may get shorter) or rerouted.
fn packet_is_kept(packet: &Packet<'_>) {
    let event = packet.event();
    let again = PacketBuf::encode(&event).map(|again| {
        assert_eq!(again.event(), event);
        assert!(again.as_bytes().len() <= packet.as_bytes().len());
    });
    assert_eq!(again, Ok(()), "what was read can be written");
    let Ok(mut prefix) = RoutePrefix::new("worker-1") else { return };
    let Ok(parts) = prefix.parts(packet).map(|parts| parts.concat()) else { return };
    let rerouted = Packet::parse(&parts).map(|packet| packet.event());
    assert_eq!(rerouted, Ok(prefix.event(&event)));
}

fn check_cut(data: &[u8], ends: &[usize], whole: &[Stretch]) {
    assert_eq!(frames_of(data, ends), whole, "cut at {ends:?}");
    assert_eq!(frames_read(data, ends), whole, "read in pieces that end at {ends:?}");
    assert_eq!(frames_by_codec(data, ends), whole, "through the codec, cut at {ends:?}");
}

/// This many cuts anywhere.
fn some_cuts(data: &[u8], dice: &mut Dice, count: usize) -> Vec<usize> {
    let mut ends: Vec<_> = (0..count).map(|_| dice.below(data.len() + 1)).collect();
    ends.sort_unstable();
    ends
}

/// Cuts next to signatures and a few bytes after, where the decoder has to wait.
fn cuts_in_headers(data: &[u8], dice: &mut Dice) -> Vec<usize> {
    let signatures = data.iter().enumerate().filter(|(_, byte)| **byte == SIGNATURE).map(|(at, _)| at);
    let mut ends: Vec<_> = signatures.map(|at| (at + dice.below(9)).min(data.len())).collect();
    ends.sort_unstable();
    ends
}
