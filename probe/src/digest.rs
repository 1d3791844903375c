//! Checksums that storage systems use, behind one interface.

use adler2::Adler32;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::Xxh3Default;

/// A checksum's algorithm. Open: storage systems keep inventing them.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, the one that nobody can forge.
    #[default]
    Sha256,
    /// Adler-32, which EOS and XRootD keep by default.
    Adler32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// MD5, for servers that keep it.
    Md5,
    /// XXH3 with 64 bits, the fastest.
    Xxh3,
}

impl Algorithm {
    /// The name as it is given on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Adler32 => "adler32",
            Algorithm::Crc32c => "crc32c",
            Algorithm::Md5 => "md5",
            Algorithm::Xxh3 => "xxh3",
        }
    }
}

/// Computes a checksum.
///
/// ```
/// use probe::{Algorithm, Digest};
///
/// let mut digest = Digest::new(Algorithm::Adler32);
/// digest.update(b"Wikipedia");
/// assert_eq!(digest.finish(), "11e60398");
/// ```
pub struct Digest(State);

enum State {
    Sha256(Box<Sha256>),
    Adler32(Adler32),
    Crc32c(u32),
    Md5(Box<Md5>),
    Xxh3(Box<Xxh3Default>),
}

impl Digest {
    /// Of no bytes yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Digest(match algorithm {
            Algorithm::Sha256 => State::Sha256(Box::default()),
            Algorithm::Adler32 => State::Adler32(Adler32::new()),
            Algorithm::Crc32c => State::Crc32c(0),
            Algorithm::Md5 => State::Md5(Box::default()),
            Algorithm::Xxh3 => State::Xxh3(Box::new(Xxh3Default::new())),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Adler32(state) => state.write_slice(bytes),
            State::Crc32c(state) => *state = crc32c::crc32c_append(*state, bytes),
            State::Md5(state) => state.update(bytes),
            State::Xxh3(state) => state.update(bytes),
        }
    }

    /// The checksum in hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        match self.0 {
            State::Sha256(state) => hexadecimal(&state.finalize()),
            State::Adler32(state) => format!("{:08x}", state.checksum()),
            State::Crc32c(state) => format!("{state:08x}"),
            State::Md5(state) => hexadecimal(&state.finalize()),
            State::Xxh3(state) => format!("{:016x}", state.digest()),
        }
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Digest")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(algorithm: Algorithm, expected: &str) {
        let mut digest = Digest::new(algorithm);
        digest.update(b"12345");
        digest.update(b"6789");
        assert_eq!(digest.finish(), expected, "{}", algorithm.as_str());
    }

    #[test]
    fn checksums_are_the_published_ones() {
        check(Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
        check(Algorithm::Adler32, "091e01de");
        check(Algorithm::Crc32c, "e3069283");
        check(Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b");
    }

    #[test]
    fn pieces_make_the_same_checksum_as_the_whole() {
        let mut digest = Digest::new(Algorithm::Xxh3);
        digest.update(b"123");
        digest.update(b"456789");
        let whole = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(b"123456789"));
        assert_eq!(digest.finish(), whole);
    }
}
