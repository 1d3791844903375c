//! The tags of one test, in a buffer that is used again.

use std::collections::HashSet;

use subunit::Tags;

/// The tags of a test: each once, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct TagSet {
    /// Each tag, and after it a byte that is in no text.
    bytes: Vec<u8>,
}

/// Ends a tag: UTF-8 has no such byte.
const END: u8 = 0xFF;
/// Longer buffers are given back.
const KEPT: usize = 256;
/// Beyond this many a list is not searched from its beginning.
const FEW: usize = 16;

impl TagSet {
    /// Takes the tags of an event in the place of all so far, if it says anything of them.
    #[inline]
    pub(crate) fn note(&mut self, tags: Tags<'_>) {
        if !tags.is_absent() {
            self.set(tags);
        }
    }

    fn set(&mut self, tags: Tags<'_>) {
        self.clear();
        if tags.len() <= FEW {
            for tag in tags {
                if self.bytes.is_empty() || !self.pieces().any(|other| other == tag.as_bytes()) {
                    self.push(tag);
                }
            }
        } else {
            let mut seen = HashSet::new();
            tags.iter().filter(|tag| seen.insert(*tag)).for_each(|tag| self.push(tag));
        }
    }

    #[inline]
    fn push(&mut self, tag: &str) {
        self.bytes.reserve(tag.len() + 1);
        self.bytes.extend_from_slice(tag.as_bytes());
        self.bytes.push(END);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.pieces().map(|piece| std::str::from_utf8(piece).unwrap_or_default())
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let ended = self.bytes.split_last().map(|(_, bytes)| bytes);
        ended.into_iter().flat_map(|bytes| bytes.split(|byte| *byte == END))
    }

    /// Forgets the tags, but not the buffer.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &[&str], expected: &[&str]) {
        let mut set = TagSet::default();
        set.set(Tags::from(&["before"]));
        set.set(Tags::from(tags));
        assert_eq!(set.iter().collect::<Vec<_>>(), expected);
        assert_eq!(set.is_empty(), expected.is_empty());
    }

    #[test]
    fn the_last_tags_win_and_each_is_there_once() {
        check(&[], &[]);
        check(&[""], &[""]);
        check(&["b", "", "ä", "b", ""], &["b", "", "ä"]);
        let many: Vec<String> = (0..100).map(|number| format!("tag{}", number % 50)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many, &many[..50]);
    }
}
