//! Parts of slices that can only be missing if the code that asks for them is wrong.

use std::slice::SliceIndex;

/// The elements in a range that lies within the slice.
///
/// Any other range is the caller's mistake: a debug build panics, so that tests find it; a release build goes on with
/// no elements, since nothing may panic on input.
///
/// ```
/// assert_eq!(subunit::part(b"\x03foo\x08", 1..4), b"foo");
/// ```
#[inline]
#[must_use]
#[track_caller]
pub fn part<T, R: SliceIndex<[T], Output = [T]>>(slice: &[T], range: R) -> &[T] {
    let part = slice.get(range);
    debug_assert!(part.is_some(), "the range lies within the {} elements", slice.len());
    part.unwrap_or_default()
}

/// Like [`part()`], but mutable.
#[inline]
#[must_use]
#[track_caller]
pub fn part_mut<T, R: SliceIndex<[T], Output = [T]>>(slice: &mut [T], range: R) -> &mut [T] {
    let part = slice.get_mut(range);
    debug_assert!(part.is_some(), "the range lies within the slice");
    part.unwrap_or_default()
}

/// The first elements, this many of them, and those after them.
///
/// Like [`part()`] for two parts at once; where the slice is too short, a release build returns all of it and nothing.
#[inline]
#[must_use]
#[track_caller]
pub fn split_part<T>(slice: &[T], len: usize) -> (&[T], &[T]) {
    let parts = slice.split_at_checked(len);
    debug_assert!(parts.is_some(), "the first {len} of {} elements", slice.len());
    parts.unwrap_or((slice, &[]))
}
