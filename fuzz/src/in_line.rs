//! The law of damage behind text: no bit and no cut turns a failure into text, and text is not damage.

use arbitrary::{Arbitrary as _, Unstructured};
use subunit::{Event, PacketBuf, Status};

use crate::frames::{Kind, frames};

/// A failing packet behind text without a newline, of which one bit is wrong or the end is missing, leaves damage; the
/// text alone leaves none, if a program may have printed it.
///
/// # Panics
///
/// When the law does not hold.
pub fn in_line(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let drawn = <(u16, bool, bool, u8)>::arbitrary(&mut data);
    let (Ok((place, is_cut, runnable, id)), Ok(text)) = (drawn, <&str>::arbitrary_take_rest(data)) else {
        return;
    };
    let id = "x".repeat(usize::from(id));
    let Ok(packet) = PacketBuf::encode(&Event { runnable, ..Event::status(&id, Status::Fail) }) else {
        return;
    };
    let mut packet = packet.as_bytes().to_vec();
    if is_cut {
        packet.truncate(2 + usize::from(place) % (packet.len() - 2));
    } else {
        let bit = usize::from(place) % (8 * packet.len());
        packet[bit / 8] ^= 1 << (bit % 8);
    }
    let is_told =
        |stream: &[u8]| frames(stream).iter().any(|stretch| matches!(stretch.kind, Kind::Corrupt(_)));
    assert!(is_told(&[text.as_bytes(), &packet].concat()), "{packet:x?} behind {text:?} is text");
    assert!(!is_printed(text) || !is_told(text.as_bytes()), "{text:?} is damage");
}

/// Whether the text is without control characters that no program prints. With them it may be a packet without its
/// signature, down to the checksum: the fuzzer makes such ones.
fn is_printed(text: &str) -> bool {
    text.chars().all(|character| {
        !character.is_ascii_control() || "\x07\x08\t\n\x0b\x0c\r\x1b\x7f".contains(character)
    })
}
