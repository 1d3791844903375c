//! Adds tags to events and takes tags from them.

use std::io;

use subunit::{Event, Packet, Tags};

use crate::{Extent, StreamResult};

/// Adds tags to every event and takes others away; made by [`tagged`](crate::StreamResultExt::tagged).
#[derive(Clone, Debug)]
pub struct Tagged<R> {
    inner: R,
    tags: TagChange,
}

impl<R> Tagged<R> {
    pub(crate) fn new(inner: R, tags: TagChange) -> Self {
        Tagged { inner, tags }
    }

    /// Where the events go.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Where the events go.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Where the events go.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: StreamResult> StreamResult for Tagged<R> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn at(&mut self, extent: Extent) {
        self.inner.at(extent);
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        match self.tags.apply(event.tags) {
            None => self.inner.status(event),
            Some(tags) => self.inner.status(&Event { tags: tags_or_absent(&tags), ..*event }),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        match self.tags.apply(packet.tags()) {
            None => self.inner.packet(packet),
            Some(tags) => self.inner.status(&Event { tags: tags_or_absent(&tags), ..packet.event() }),
        }
    }

    fn outlives_errors(&self) -> bool {
        self.inner.outlives_errors()
    }

    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.inner.stop_run()
    }
}

/// The tags of this list; none at all are absent, not a set that would clear those of the test.
fn tags_or_absent<'a>(list: &'a [&'a str]) -> Tags<'a> {
    if list.is_empty() { Tags::default() } else { Tags::from(list) }
}

/// Tags to add and to take away.
///
/// What is in both is taken away. The order of an event's own tags stays, new ones follow in the order
/// given. It can be used without [`Tagged`], where events are not pushed:
///
/// ```
/// use streamresult::TagChange;
/// use subunit::Tags;
///
/// let change = TagChange::new(["slow"], ["network"]);
/// assert_eq!(change.apply(Tags::from(&["network", "arm64"])), Some(vec!["arm64", "slow"]));
/// assert_eq!(change.apply(Tags::from(&["slow"])), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct TagChange {
    add: Vec<String>,
    discard: Vec<String>,
}

impl TagChange {
    /// Adds the first tags and takes the second ones away.
    pub fn new<A, D>(add: A, discard: D) -> Self
    where
        A: IntoIterator<Item: Into<String>>,
        D: IntoIterator<Item: Into<String>>,
    {
        let discard: Vec<String> = discard.into_iter().map(Into::into).collect();
        let mut wanted: Vec<String> = Vec::new();
        for tag in add.into_iter().map(Into::into) {
            if !discard.contains(&tag) && !wanted.contains(&tag) {
                wanted.push(tag);
            }
        }
        TagChange { add: wanted, discard }
    }

    /// The tags after the change, or `None` where it changes nothing (and nothing is allocated). An empty
    /// list is for an event whose last tag went: its tags become absent.
    #[must_use]
    pub fn apply<'a>(&'a self, tags: Tags<'a>) -> Option<Vec<&'a str>> {
        let discarded = |tag: &str| self.discard.iter().any(|other| other == tag);
        let changes = self.add.iter().any(|tag| !tags.contains(tag)) || tags.iter().any(discarded);
        if !changes {
            return None;
        }
        let mut list: Vec<&str> = tags.iter().filter(|tag| !discarded(tag)).collect();
        for tag in &self.add {
            if !list.contains(&tag.as_str()) {
                list.push(tag);
            }
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(add: &[&str], discard: &[&str], tags: Tags<'_>, expected: Option<&[&str]>) {
        let change = TagChange::new(add.iter().copied(), discard.iter().copied());
        assert_eq!(change.apply(tags).as_deref(), expected);
    }

    #[test]
    fn adds_and_discards_and_discard_wins() {
        check(&["b"], &[], Tags::from(&["a"]), Some(&["a", "b"]));
        check(&["b", "b"], &[], Tags::default(), Some(&["b"]));
        check(&[], &["a"], Tags::from(&["a", "b", "a"]), Some(&["b"]));
        check(&["a"], &["a"], Tags::from(&["a"]), Some(&[]));
    }

    #[test]
    fn tags_that_stay_as_they_are_are_no_change() {
        check(&["a"], &["x"], Tags::from(&["a", "a"]), None);
        check(&[], &["x"], Tags::default(), None);
        check(&["a"], &["a"], Tags::from(&[]), None);
    }

    #[test]
    fn the_last_tag_taken_away_leaves_them_absent() {
        let mut absent = None;
        let change = TagChange::new([""; 0], ["a"]);
        let inner = crate::from_fn(|event| {
            absent = Some(event.tags.is_absent());
            Ok(())
        });
        let mut tagged = Tagged::new(inner, change);
        tagged.status(&Event { tags: Tags::from(&["a"]), ..Event::default() }).unwrap();
        drop(tagged);
        assert_eq!(absent, Some(true));
    }
}
