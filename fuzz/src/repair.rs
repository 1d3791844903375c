//! Makes packets of bytes that nearly are.
//!
//! A fuzzer does not guess a checksum. After each of its changes headers and checksums are put right, so that
//! what it tries gets as far as the fields, and past them.

use subunit::SIGNATURE;

use crate::dice::Dice;

/// A header, whose length may take three bytes.
const HEADER: usize = 6;
const CHECKSUM: usize = 4;

/// Puts right the packets of a stream, in place: at each signature (at the start, where there is none) the
/// version, a length that fits, and the checksum. One in eight stays as it is.
pub fn repair(data: &mut [u8], seed: u32) {
    let mut dice = Dice::new(seed.into());
    if let (None, Some(first)) = (next_signature(data, 0), data.first_mut()) {
        *first = SIGNATURE;
    }
    let mut at = 0;
    while let Some(start) = next_signature(data, at) {
        let rest = &mut data[start..];
        let skip = rest.len() < HEADER + CHECKSUM || dice.below(8) == 0;
        at = start + if skip { 1 } else { repair_one(rest) };
    }
}

fn next_signature(data: &[u8], from: usize) -> Option<usize> {
    data[from..].iter().position(|byte| *byte == SIGNATURE).map(|at| from + at)
}

/// Makes the first bytes a packet, as far as header and checksum go; gives its length.
fn repair_one(data: &mut [u8]) -> usize {
    data[1] = 0x20 | data[1] & 0x0F;
    data[2] &= !0x08;
    if data[3] >= 0xC0 {
        data[3] &= 0x3F;
    }
    let width = usize::from(data[3] >> 6) + 1;
    let mut len = claim(data).unwrap_or_default();
    if !(3 + width + CHECKSUM..=data.len()).contains(&len) {
        len = data.len().min((1 << (8 * width - 2)) - 1);
        set_claim(data, width, len);
    }
    let sum = crc32fast::hash(&data[..len - CHECKSUM]);
    data[len - CHECKSUM..len].copy_from_slice(&sum.to_be_bytes());
    len
}

/// How long a packet says that it is which begins here, if the header is there.
pub(crate) fn claim(data: &[u8]) -> Option<usize> {
    let width = usize::from(data.get(3)? >> 6) + 1;
    let number = data.get(3..3 + width)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    Some(number & ((1 << (8 * width - 2)) - 1))
}

fn set_claim(data: &mut [u8], width: usize, len: usize) {
    let number = ((width - 1) << (8 * width - 2) | len) as u32;
    data[3..3 + width].copy_from_slice(&number.to_be_bytes()[4 - width..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use subunit::Packet;

    fn check(mut data: Vec<u8>, expected: usize) {
        let len = repair_one(&mut data);
        assert_eq!((len, claim(&data)), (expected, Some(expected)));
        // The fields may still be wrong, but not what is looked at before and after them.
        let _ = Packet::parse(&data[..len]).map_err(|error| {
            let name = format!("{:?}", error.kind());
            assert!(!name.starts_with("Checksum") && error.offset() > 3, "{error}");
        });
    }

    #[test]
    fn header_and_checksum_are_put_right() {
        check(b"\xb3\x00\x08\x0a......".to_vec(), 10);
        check(b"\xb3\x00\x08\xff......".to_vec(), 10);
        check(b"\xb3\x00\x08\x09......".to_vec(), 9);
        check(b"\xb3\x00\x08\x40\x0c.......".to_vec(), 12);
        check([b"\xb3\x00\x08\x80\xff\xff", &[b'.'; 300][..]].concat(), 306);
        check([b"\xb3\x00\x08\x01\xff\xff", &[b'.'; 300][..]].concat(), 63);
    }
}
