//! Numbers of bytes.

use super::amount::Scale;
use super::error::{Fault, Kind, ValueError};

const K: u64 = 1_000;
const KI: u64 = 1_024;

/// In bytes.
const SCALE: Scale = Scale {
    units: &[
        ("B", 1),
        ("kB", K),
        ("k", K),
        ("MB", K * K),
        ("M", K * K),
        ("GB", K * K * K),
        ("G", K * K * K),
        ("TB", K * K * K * K),
        ("T", K * K * K * K),
        ("PB", K * K * K * K * K),
        ("KiB", KI),
        ("MiB", KI * KI),
        ("GiB", KI * KI * KI),
        ("TiB", KI * KI * KI * KI),
        ("PiB", KI * KI * KI * KI * KI),
    ],
    bare: 1,
    sums: false,
};

/// The largest size that [`positive_size`] takes: sums and products of such numbers stay numbers.
const LARGEST: u64 = 1_000_000_000_000_000;

/// Reads a size: `10MB` (10⁶ bytes), `1.5MiB`, `500M`, `4096`.
///
/// ```
/// assert_eq!(cli::value::size("1.5MiB"), Ok(1_572_864));
/// assert_eq!(cli::value::size("10MB"), Ok(10_000_000));
/// ```
///
/// # Errors
///
/// When it is not one. What is less than a byte is cut off.
pub fn size(text: &str) -> Result<u64, ValueError> {
    count(text).map_err(|fault| fault.of(Kind::Size, text))
}

/// Reads a [`size`] from 1 B to 1000 TB: how much to write, or to take in.
///
/// # Errors
///
/// When it is not one.
pub fn positive_size(text: &str) -> Result<u64, ValueError> {
    let in_bounds = |bytes: u64| match bytes {
        0 => Err(Fault::Zero),
        1..=LARGEST => Ok(bytes),
        _ => Err(Fault::TooLarge),
    };
    count(text).and_then(in_bounds).map_err(|fault| fault.of(Kind::Size, text))
}

/// Reads a number of bytes, with or without a unit, which may be below zero.
///
/// # Errors
///
/// When it is not one.
pub fn bytes(text: &str) -> Result<f64, ValueError> {
    SCALE.measure(text).map_err(|fault| fault.of(Kind::Size, text))
}

fn count(text: &str) -> Result<u64, Fault> {
    u64::try_from(SCALE.count(text)?).map_err(|_| Fault::TooLarge)
}
