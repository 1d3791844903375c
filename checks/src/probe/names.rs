//! Names that tell one host, and one run, from another.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The host's name up to its first dot, with only letters, digits, `-` and `_` in it.
#[must_use]
pub fn host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let short = name.split('.').next().unwrap_or_default();
    short
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect()
}

/// A number that no other run has.
#[must_use]
pub fn nonce() -> u64 {
    // The standard library seeds its hash maps from the system's random numbers.
    RandomState::new().build_hasher().finish()
}
