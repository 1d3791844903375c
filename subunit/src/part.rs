//! Parts of slices that can only be missing if the code that asks for them is wrong.

use core::slice::SliceIndex;

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

/// Like [`part()`], of a text; a range that is not between characters is a mistake, too.
///
/// ```
/// assert_eq!(subunit::text_part("héé", 1..3), "é");
/// ```
#[inline]
#[must_use]
#[track_caller]
pub fn text_part<R: SliceIndex<str, Output = str>>(text: &str, range: R) -> &str {
    let part = text.get(range);
    debug_assert!(part.is_some(), "the range lies between characters of {text:?}");
    part.unwrap_or_default()
}

/// Like [`split_part`], of a text.
#[inline]
#[must_use]
#[track_caller]
pub fn split_text(text: &str, len: usize) -> (&str, &str) {
    let parts = text.split_at_checked(len);
    debug_assert!(parts.is_some(), "{len} lies between characters of {text:?}");
    parts.unwrap_or((text, ""))
}

/// The element at an index that lies within the slice; like [`part()`], any other is a mistake.
#[inline]
#[must_use]
#[track_caller]
pub fn element<T: Copy + Default>(slice: &[T], index: usize) -> T {
    let element = slice.get(index);
    debug_assert!(element.is_some(), "{index} lies within the {} elements", slice.len());
    element.copied().unwrap_or_default()
}
