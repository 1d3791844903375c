//! The tags of one test, in a buffer that is used again.

use std::collections::HashSet;

use subunit::Tags;

use crate::look::{Look, checked};

/// The tags of a test: each once, in order of appearance.
///
/// What a packet said of them is remembered beyond the test: the next test in its place has the same tags, as
/// a rule, and they need not be read again.
#[derive(Debug, Default)]
pub(crate) struct TagSet {
    /// Each tag, and after it a byte that is in no text; then what the packet said.
    bytes: Vec<u8>,
    /// How many bytes that is: none where it was no packet, or there are too many.
    said: u16,
    /// Whether these are the tags of this test.
    holds: bool,
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
    pub(crate) fn note(&mut self, event: &impl Look) {
        if event.has_tags() {
            let said = event.tags_bytes().unwrap_or_default();
            if said.is_empty() || said != self.said() {
                self.set(event.tags(), said);
            }
            self.holds = true;
        }
    }

    /// What the packet said that gave the tags.
    #[inline]
    fn said(&self) -> &[u8] {
        self.bytes.get(self.len()..).unwrap_or_default()
    }

    /// How many bytes the tags take.
    #[inline]
    fn len(&self) -> usize {
        self.bytes.len() - usize::from(self.said)
    }

    fn set(&mut self, tags: Tags<'_>, said: &[u8]) {
        self.bytes.clear();
        self.said = 0;
        self.read(tags);
        if self.bytes.len() + said.len() <= KEPT {
            self.bytes.extend_from_slice(said);
            self.said = said.len() as u16;
        }
    }

    fn read(&mut self, tags: Tags<'_>) {
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
        !self.holds || self.len() == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let pieces = self.holds.then(|| self.pieces());
        pieces.into_iter().flatten().map(checked)
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let ended = self.bytes.get(..self.len()).and_then(<[u8]>::split_last).map(|(_, bytes)| bytes);
        ended.into_iter().flat_map(|bytes| bytes.split(|byte| *byte == END))
    }

    /// Has no tags from here on, but keeps the buffer.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.holds = false;
        if self.bytes.capacity() > KEPT {
            (self.bytes, self.said) = (Vec::new(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use subunit::{Event, PacketBuf};

    use super::*;

    fn check_tags(set: &TagSet, expected: &[&str]) {
        assert_eq!(set.iter().collect::<Vec<_>>(), expected);
        assert_eq!(set.is_empty(), expected.is_empty());
    }

    /// The tags of an event, of its packet, and of a packet after the same of another test.
    fn check(tags: &[&str], expected: &[&str]) {
        let event = |tags| Event { tags, ..Event::default() };
        let (before, event) = (event(Tags::from(&["before"])), event(Tags::from(tags)));
        let packet = PacketBuf::encode(&event).unwrap();
        let mut set = TagSet::default();
        for _ in 0..2 {
            set.note(&before);
            set.note(&event);
            check_tags(&set, expected);
            set.note(&packet.packet());
            check_tags(&set, expected);
            set.note(&Event::default());
            set.clear();
            check_tags(&set, &[]);
            set.note(&packet.packet());
            check_tags(&set, expected);
        }
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
