//! Checksums: of bytes, and of overlapping stretches in constant time each after one pass over the bytes.

use std::sync::LazyLock;

use crc32fast::Hasher;

/// A hasher that knows what the processor can do: finding that out costs more than a small packet's checksum.
static FRESH: LazyLock<Hasher> = LazyLock::new(Hasher::new);

/// The checksum of these bytes.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = FRESH.clone();
    hasher.update(bytes);
    hasher.finalize()
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
        let kept = |index: usize| self.kept.get(index).copied().unwrap_or_default();
        let at = |index: usize| index * STEP - start;
        let head = hash(bytes.get(..at(first)).unwrap_or_default());
        let tail = bytes.get(at(last)..).unwrap_or_default();
        let mut to_end = Hasher::new_with_initial(kept(last));
        to_end.update(tail);
        shift(head ^ kept(first), (bytes.len() - at(first)) as u64) ^ to_end.finalize()
    }

    /// Reads on to the last step within `bytes`, of which those before the last known step were read before.
    fn extend(&mut self, position: u64, bytes: &[u8]) {
        let start = (position - self.base) as usize;
        let from = (self.known - 1) * STEP;
        let unread = bytes.get(from.saturating_sub(start)..).unwrap_or_default();
        for chunk in unread.chunks_exact(STEP) {
            let [.., before] = self.kept.get(..self.known).unwrap_or_default() else { return };
            let mut hasher = Hasher::new_with_initial(*before);
            hasher.update(chunk);
            let Some(slot) = self.kept.get_mut(self.known) else { return };
            *slot = hasher.finalize();
            self.known += 1;
        }
    }
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
}
