//! Parts of slices that cannot be missing, unless there is a fault in the code that asks for them.

use std::slice::SliceIndex;

/// The elements in a range that lies within the slice.
///
/// A range that does not is a fault of the caller's: a debug build panics, so that tests find it; a release goes on
/// with none, since nothing may panic on input.
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

/// As [`part()`], to be changed.
#[inline]
#[must_use]
#[track_caller]
pub fn part_mut<T, R: SliceIndex<[T], Output = [T]>>(slice: &mut [T], range: R) -> &mut [T] {
    let part = slice.get_mut(range);
    debug_assert!(part.is_some(), "the range lies within the slice");
    part.unwrap_or_default()
}
