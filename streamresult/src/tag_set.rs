//! The tags of one test, in a buffer that is used again.

use std::collections::HashSet;

use subunit::Tags;

use crate::look::{Look, checked};

/// The tags of a test: each once, in order of appearance.
///
/// Most tags are never looked at, so those of a packet are kept as the packet has them, and read when asked for.
#[derive(Debug, Default)]
pub(crate) struct TagSet {
    bytes: Vec<u8>,
    form: Form,
    /// Whether these are the tags of this test, and not left from the one before in its place.
    holds: bool,
}

/// What the bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Each tag once, and after it a byte that is in no text.
    #[default]
    Ended,
    /// So many tags as they stand in a packet; they are few, but may be there twice.
    Packet(u16),
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
            let tags = event.tags();
            match event.tags_bytes() {
                Some(said) if tags.len() <= FEW => {
                    self.form = Form::Packet(tags.len() as u16);
                    self.bytes.clear();
                    self.bytes.extend_from_slice(said);
                }
                _ => self.read(tags),
            }
            self.holds = true;
        }
    }

    #[cold]
    fn read(&mut self, tags: Tags<'_>) {
        self.form = Form::Ended;
        self.bytes.clear();
        let mut seen = HashSet::new();
        for tag in tags.iter().filter(|tag| seen.insert(*tag)) {
            self.bytes.extend_from_slice(tag.as_bytes());
            self.bytes.push(END);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.holds || self.bytes.is_empty()
    }

    /// Bytes that differ where the tags do.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        if self.holds { &self.bytes } else { &[] }
    }

    /// Whether one of them is so; it is given as bytes, maybe twice.
    #[inline]
    pub(crate) fn any(&self, is_so: impl FnMut(&[u8]) -> bool) -> bool {
        match self.form {
            _ if !self.holds => false,
            Form::Ended => self.bytes.split(|byte| *byte == END).any(is_so),
            Form::Packet(count) => Tags::kept(&self.bytes, usize::from(count)).iter_bytes().any(is_so),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let (ended, tags) = match self.form {
            _ if !self.holds => (&[][..], Tags::default()),
            Form::Ended => (&self.bytes[..], Tags::default()),
            Form::Packet(count) => (&[][..], Tags::kept(&self.bytes, usize::from(count))),
        };
        let ended = ended.split_last().map(|(_, bytes)| bytes.split(|byte| *byte == END).map(checked));
        let is_new =
            move |&(number, tag): &(usize, &str)| !tags.iter().take(number).any(|other| other == tag);
        let of_packet = tags.iter().enumerate().filter(is_new).map(|(_, tag)| tag);
        ended.into_iter().flatten().chain(of_packet)
    }

    /// Has no tags from here on, but keeps the buffer.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.holds = false;
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
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
