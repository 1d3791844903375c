//! The tags of an event, read in place.

use core::fmt;

use crate::wire::Cursor;

/// The tags of an event: absent, or a list that may be empty.
///
/// Absent says nothing about the test's tags; present and empty clears them. The order is that of the
/// wire, and a tag given twice stays so: what a packet says is forwarded as it is.
///
/// ```
/// use subunit::Tags;
///
/// let tags = Tags::from(&["slow", "network"]);
/// assert!(tags.contains("slow"));
/// assert_eq!(tags.iter().collect::<Vec<_>>(), ["slow", "network"]);
/// assert!(Tags::default().is_absent());
/// ```
#[derive(Clone, Copy, Default)]
pub struct Tags<'a>(Form<'a>);

#[derive(Clone, Copy, Default)]
enum Form<'a> {
    #[default]
    Absent,
    List(&'a [&'a str]),
    /// The strings as they stand in a packet that was checked, and how many they are.
    Wire(&'a [u8], usize),
}

impl<'a> Tags<'a> {
    /// The tags of a packet: `bytes` holds `count` strings, already checked.
    pub(crate) fn wire(bytes: &'a [u8], count: usize) -> Self {
        Tags(Form::Wire(bytes, count))
    }

    /// The tags that a packet had, from a copy of its [`tags_bytes`](crate::Packet::tags_bytes) and their number.
    /// Of other bytes it makes tags that nobody wrote, or none.
    ///
    /// ```
    /// use subunit::{Event, PacketBuf, Tags};
    ///
    /// let event = Event { tags: Tags::from(&["slow", "arm64"]), ..Event::default() };
    /// let packet = PacketBuf::encode(&event)?;
    /// let kept = packet.packet().tags_bytes().unwrap_or_default().to_vec();
    /// assert_eq!(Tags::kept(&kept, 2), event.tags);
    /// # Ok::<(), subunit::EncodeError>(())
    /// ```
    #[must_use]
    pub fn kept(bytes: &'a [u8], count: usize) -> Self {
        Tags::wire(bytes, count)
    }

    /// Whether the event says nothing about tags.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.0, Form::Absent)
    }

    /// How many tags there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.0 {
            Form::Absent => 0,
            Form::List(list) => list.len(),
            Form::Wire(_, count) => count,
        }
    }

    /// Whether there are no tags, because they are absent or because they are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this tag is among them.
    #[must_use]
    pub fn contains(&self, tag: &str) -> bool {
        self.iter().any(|other| other == tag)
    }

    /// The tags in the order of the wire.
    #[must_use]
    pub fn iter(&self) -> TagIter<'a> {
        match self.0 {
            Form::Absent => TagIter { list: &[], wire: Cursor::new(&[]), left: 0 },
            Form::List(list) => TagIter { list, wire: Cursor::new(&[]), left: list.len() },
            Form::Wire(bytes, count) => TagIter { list: &[], wire: Cursor::new(bytes), left: count },
        }
    }

    /// The tags as bytes, which makes no strings: cheaper where most are only compared.
    pub fn iter_bytes(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let (list, mut wire, count) = match self.0 {
            Form::Absent => (&[][..], Cursor::new(&[]), 0),
            Form::List(list) => (list, Cursor::new(&[]), 0),
            Form::Wire(bytes, count) => (&[][..], Cursor::new(bytes), count),
        };
        list.iter().map(|tag| tag.as_bytes()).chain((0..count).map(move |_| wire.checked_bytes()))
    }

    /// The tags in the form that is written fastest.
    #[inline]
    pub(crate) fn as_written(&self) -> Written<'a> {
        match self.0 {
            Form::Absent => Written::List(&[]),
            Form::List(list) => Written::List(list),
            Form::Wire(bytes, _) => Written::Bytes(bytes),
        }
    }
}

/// Tags to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written<'a> {
    List(&'a [&'a str]),
    /// The strings as they stand in a packet that was checked.
    Bytes(&'a [u8]),
}

impl<'a> From<&'a [&'a str]> for Tags<'a> {
    fn from(list: &'a [&'a str]) -> Self {
        Tags(Form::List(list))
    }
}

impl<'a, const N: usize> From<&'a [&'a str; N]> for Tags<'a> {
    fn from(list: &'a [&'a str; N]) -> Self {
        Tags(Form::List(list))
    }
}

impl<'a> IntoIterator for Tags<'a> {
    type Item = &'a str;
    type IntoIter = TagIter<'a>;

    fn into_iter(self) -> TagIter<'a> {
        self.iter()
    }
}

impl PartialEq for Tags<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_absent() == other.is_absent() && self.iter().eq(other.iter())
    }
}

impl Eq for Tags<'_> {}

impl fmt::Debug for Tags<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() {
            return formatter.write_str("absent");
        }
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Tags<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_absent() { serializer.serialize_none() } else { serializer.collect_seq(self.iter()) }
    }
}

/// The tags one by one; see [`Tags::iter`].
#[derive(Clone, Debug)]
pub struct TagIter<'a> {
    list: &'a [&'a str],
    wire: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for TagIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        match self.list.split_first() {
            Some((tag, rest)) => {
                self.list = rest;
                Some(tag)
            }
            None => Some(self.wire.checked_string()),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for TagIter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_wire_bytes_are_the_same_tags() {
        let wire = Tags::wire(b"\x01a\x00\x02bc", 3);
        assert_eq!(wire, Tags::from(&["a", "", "bc"]));
        assert_eq!(wire.iter().len(), 3);
        assert!(wire.iter_bytes().eq(Tags::from(&["a", "", "bc"]).iter_bytes()));
        assert_eq!(format!("{wire:?}"), r#"["a", "", "bc"]"#);
    }

    #[test]
    fn absent_is_not_empty() {
        assert_ne!(Tags::default(), Tags::from(&[]));
        assert!(Tags::default().is_absent() && Tags::default().is_empty());
        assert!(!Tags::from(&[]).is_absent());
    }
}
