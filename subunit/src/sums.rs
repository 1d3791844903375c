//! Checksums: of bytes, and of overlapping stretches in constant time each after one pass over the bytes.

#[cfg(feature = "std")]
use std::sync::LazyLock;

use alloc::boxed::Box;
use alloc::vec;

use crc32fast::Hasher;

use crate::part::part;
use crate::wire::MAX_PACKET;

/// A hasher that knows what the processor can do: finding that out costs more than a small packet's checksum.
#[cfg(feature = "std")]
static FRESH: LazyLock<Hasher> = LazyLock::new(Hasher::new);

/// Of nothing so far.
#[inline]
fn fresh() -> Hasher {
    #[cfg(feature = "std")]
    return FRESH.clone();
    #[cfg(not(feature = "std"))]
    Hasher::new()
}

/// The checksum of these bytes.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = fresh();
    hasher.update(bytes);
    hasher.finalize()
}

/// The checksum of the bytes of both, one after the other.
pub(crate) fn hash_of_two(first: &[u8], second: &[u8]) -> u32 {
    let mut hasher = fresh();
    hasher.update(first);
    hasher.update(second);
    hasher.finalize()
}

/// Whether two checksums differ by this where one bit does of `count` bytes that `after` bytes come after, the
/// checksum's among them.
pub(crate) fn is_one_bit(difference: u32, count: usize, after: usize) -> bool {
    let last = shift_within(ONE, after);
    core::iter::successors(Some(last), |power| Some(times_x(*power)))
        .take(8 * count)
        .any(|power| power == difference)
}

/// The checksum of a stretch of which more comes: what was summed is not summed again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ahead {
    /// Where in the stream the stretch begins.
    position: u64,
    done: usize,
    hasher: Hasher,
}

impl Ahead {
    /// The checksum of `bytes`, which stand at `position` in the stream.
    pub(crate) fn hash(&mut self, position: u64, bytes: &[u8]) -> u32 {
        if self.position != position || self.done > bytes.len() {
            *self = Ahead { position, done: 0, hasher: fresh() };
        }
        self.hasher.update(part(bytes, self.done..));
        self.done = bytes.len();
        self.hasher.clone().finalize()
    }
}

/// The bytes between two kept checksums.
const STEP: usize = 1024;
/// How many bytes are covered at most: the longest packet may begin anywhere in the first half.
const WINDOW: usize = 8 << 20;

/// Checksums of the bytes from `base` to every [`STEP`]th byte after it.
///
/// After damage every signature is a candidate, and a hostile stream can hold one every few bytes, each
/// claiming megabytes. The checksum of bytes *a* to *b* follows from those of the starts up to *a* and up
/// to *b*, so each byte is read once however many claims it is in.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    /// Where the stream position of the first checksum is.
    base: u64,
    /// How many of the checksums are known; the first is that of no byte.
    known: usize,
    kept: Box<[u32]>,
}

impl Sums {
    pub(crate) fn new() -> Self {
        Sums { base: 0, known: 0, kept: vec![0; WINDOW / STEP + 1].into_boxed_slice() }
    }

    /// Whether the byte at this stream position has been read.
    pub(crate) fn covers(&self, position: u64) -> bool {
        let end = self.base + (self.known.saturating_sub(1) * STEP) as u64;
        self.known > 0 && (self.base..end).contains(&position)
    }

    /// The checksum of `bytes`, which stand at `position` in the stream and are at least two steps long.
    pub(crate) fn hash(&mut self, position: u64, bytes: &[u8]) -> u32 {
        let end = position + bytes.len() as u64;
        if !self.covers(position) || end - self.base > WINDOW as u64 {
            self.base = position;
            self.known = 1;
        }
        self.extend(position, bytes);
        let start = (position - self.base) as usize;
        let (first, last) = (start.div_ceil(STEP), (start + bytes.len()) / STEP);
        let kept = |index: usize| {
            debug_assert!(index < self.known, "the bytes were read");
            self.kept.get(index).copied().unwrap_or_default()
        };
        let at = |index: usize| index * STEP - start;
        let head = hash(part(bytes, ..at(first)));
        let tail = part(bytes, at(last)..);
        let mut to_end = Hasher::new_with_initial(kept(last));
        to_end.update(tail);
        shift_within(head ^ kept(first), bytes.len() - at(first)) ^ to_end.finalize()
    }

    /// Reads on to the last step within `bytes`, of which those before the last known step were read before.
    fn extend(&mut self, position: u64, bytes: &[u8]) {
        let start = (position - self.base) as usize;
        let from = (self.known - 1) * STEP;
        // None are when those before were followed by more.
        let unread = bytes.get(from.saturating_sub(start)..).unwrap_or_default();
        for chunk in unread.chunks_exact(STEP) {
            let Some([before, next]) = self.kept.get_mut(self.known - 1..=self.known) else {
                return debug_assert!(false, "the bytes fit in the window");
            };
            let mut hasher = Hasher::new_with_initial(*before);
            hasher.update(chunk);
            *next = hasher.finalize();
            self.known += 1;
        }
    }
}

/// What a checksum contributes to that of its bytes followed by `len` others, at most a packet's: a fifth of
/// the time that [`shift`] takes, which is most of what a candidate costs on hostile input.
fn shift_within(sum: u32, len: usize) -> u32 {
    debug_assert!(len <= MAX_PACKET, "the bytes are at most a packet's");
    let steps = STEPS.get(len / STEP).copied().unwrap_or_default();
    let bytes = BYTES.get(len % STEP).copied().unwrap_or_default();
    multiply(multiply(sum, steps), bytes)
}

/// The polynomial of the checksum without its highest term. In these numbers the highest bit is x⁰.
const POLYNOMIAL: u32 = 0xEDB8_8320;
const ONE: u32 = 1 << 31;
/// The powers of x by which 0, 1, 2… bytes shift a checksum.
static BYTES: [u32; STEP] = powers(times_x_to_the_8th(ONE));
/// The powers of x by which 0, 1, 2… steps of bytes shift a checksum.
static STEPS: [u32; MAX_PACKET / STEP + 1] =
    powers(times_x_to_the_8th(powers::<STEP>(times_x_to_the_8th(ONE))[STEP - 1]));

/// The powers of `base`.
const fn powers<const N: usize>(base: u32) -> [u32; N] {
    let mut powers = [ONE; N];
    let mut at = 1;
    while at < N {
        powers[at] = multiply(powers[at - 1], base);
        at += 1;
    }
    powers
}

const fn times_x_to_the_8th(mut value: u32) -> u32 {
    let mut bit = 0;
    while bit < 8 {
        value = times_x(value);
        bit += 1;
    }
    value
}

#[inline]
const fn times_x(value: u32) -> u32 {
    (value >> 1) ^ (POLYNOMIAL * (value & 1))
}

/// The product of two polynomials, modulo that of the checksum.
#[inline]
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 32 {
        product ^= b * (a >> (31 - bit) & 1);
        b = times_x(b);
        bit += 1;
    }
    product
}

/// What a checksum contributes to that of its bytes followed by `len` others.
pub(crate) fn shift(sum: u32, len: u64) -> u32 {
    let mut hasher = Hasher::new_with_initial_len(sum, 0);
    hasher.combine(&Hasher::new_with_initial_len(0, len));
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn every_stretch_has_the_checksum_of_its_bytes() {
        let bytes = noise(40_000);
        let mut sums = Sums::new();
        for start in [0, 1, 1023, 1024, 1025, 5000, 30_000] {
            for len in [2048, 2049, 3071, 9000, 10_000] {
                let stretch = &bytes[start..start + len];
                let offset = 77 + start as u64;
                assert_eq!(sums.hash(offset, stretch), crc32fast::hash(stretch), "{start}+{len}");
            }
        }
    }

    #[test]
    fn the_window_moves_with_the_stream() {
        let bytes = noise(20 << 20);
        let mut sums = Sums::new();
        for start in [0, 1 << 20, 7 << 20, 8 << 20, 16 << 20] {
            let stretch = &bytes[start..start + (3 << 20)];
            assert_eq!(sums.hash(start as u64, stretch), crc32fast::hash(stretch), "{start}");
            assert!(sums.covers(start as u64));
        }
    }

    #[test]
    fn a_bit_that_differs_is_known_by_the_checksums() {
        let bytes = noise(300);
        for at in [0, 1, 150, 299] {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let difference = hash(&bytes) ^ hash(&changed);
                let after = bytes.len() - 1 - at + 4;
                assert!(is_one_bit(difference, 1, after), "bit {bit} of byte {at}");
                assert!(is_one_bit(difference, 4, after - 2));
                assert!(!is_one_bit(difference, 4, after + 1) && !is_one_bit(difference ^ 1, 1, after));
            }
        }
        assert_eq!(hash_of_two(&bytes[..7], &bytes[7..]), hash(&bytes));
    }

    #[test]
    fn both_ways_to_shift_agree() {
        for len in [0, 1, 7, 1023, 1024, 1025, 70_000, MAX_PACKET] {
            for sum in [0, 1, 0x8000_0000, 0xDEAD_BEEF] {
                assert_eq!(shift_within(sum, len), shift(sum, len as u64), "{sum:x} by {len}");
            }
        }
    }
}
