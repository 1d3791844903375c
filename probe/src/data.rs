//! Test data: made as it is needed, known again from its seed.

use subunit::part_mut;

/// Makes bytes that neither compress nor repeat, from a seed, in constant memory (xoshiro256++).
///
/// ```
/// use probe::Generator;
///
/// let (mut one, mut other) = ([0; 100], [0; 100]);
/// Generator::new(7).fill(&mut one);
/// Generator::new(7).fill(&mut other);
/// assert_eq!(one, other);
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    state: [u64; 4],
}

impl Generator {
    /// The bytes of this seed, from the first.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Similar seeds are spread by splitmix64, as the generator's authors advise.
        let mut spread = seed;
        let state = [(); 4].map(|()| {
            spread = spread.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (spread ^ (spread >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        });
        Generator { state }
    }

    /// The next bytes. Ask for multiples of eight: the rest of a number that is not used up is dropped.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            for (byte, made) in chunk.iter_mut().zip(number) {
                *byte = made;
            }
        }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }
}

/// A buffer whose bytes begin at a multiple of 4096, as unbuffered reads want them.
#[derive(Debug)]
pub struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    const ALIGNMENT: usize = 4096;

    /// A buffer of `len` zero bytes, rounded up to the alignment.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let len = len.next_multiple_of(Self::ALIGNMENT);
        let bytes = vec![0; len + Self::ALIGNMENT];
        let start = bytes.as_ptr().addr().wrapping_neg() % Self::ALIGNMENT;
        Aligned { bytes, start, len }
    }

    /// The bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        part_mut(&mut self.bytes, self.start..self.start + self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_come_in_pieces_as_at_once() {
        let (mut whole, mut pieces) = ([0; 64], [0; 64]);
        Generator::new(1).fill(&mut whole);
        let mut generator = Generator::new(1);
        pieces.chunks_mut(16).for_each(|piece| generator.fill(piece));
        assert_eq!(whole, pieces);
    }

    #[test]
    fn the_bytes_are_those_of_the_published_generator() {
        // From the reference implementation with the state 1, 2, 3, 4.
        let mut generator = Generator { state: [1, 2, 3, 4] };
        assert_eq!([generator.next(), generator.next()], [41_943_041, 58_720_359]);
    }

    #[test]
    fn buffers_are_aligned() {
        for len in [1, 4096, 5000] {
            let mut buffer = Aligned::new(len);
            assert_eq!(buffer.bytes().as_ptr().addr() % 4096, 0);
            assert_eq!(buffer.bytes().len(), len.next_multiple_of(4096));
        }
    }
}
