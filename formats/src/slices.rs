//! Parts of slices whose bounds were worked out before.
//!
//! A library that never panics on input has to say what it does where such a bound is wrong. These give nothing, or
//! all of it, to whoever runs the program, and stop whoever develops it: a wrong bound is a bug of ours, never of the
//! input.

/// The first bytes, this many of them.
#[inline]
pub(crate) fn first(bytes: &[u8], len: usize) -> &[u8] {
    debug_assert!(len <= bytes.len(), "the first {len} of {} bytes", bytes.len());
    bytes.get(..len).unwrap_or_default()
}

/// What is left without this many bytes at the start.
#[inline]
pub(crate) fn after(bytes: &[u8], len: usize) -> &[u8] {
    debug_assert!(len <= bytes.len(), "what is behind the first {len} of {} bytes", bytes.len());
    bytes.get(len..).unwrap_or_default()
}

/// The first bytes, this many of them, and what is left; all of them where there are not as many.
#[inline]
pub(crate) fn split(bytes: &[u8], len: usize) -> (&[u8], &[u8]) {
    debug_assert!(len <= bytes.len(), "the first {len} of {} bytes, and others", bytes.len());
    bytes.split_at_checked(len).unwrap_or((bytes, &[]))
}
