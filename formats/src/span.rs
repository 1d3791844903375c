//! From when to when.

use std::time::Duration;

use streamresult::Record;
use subunit::Timestamp;

/// From the first of some times to the last.
///
/// ```
/// use std::time::Duration;
/// use formats::span::Span;
/// use subunit::Timestamp;
///
/// let at = |seconds| Timestamp::from_seconds(seconds);
/// let mut span = Span::default();
/// assert_eq!(span.length(), None);
/// [at(5), at(3), at(4)].into_iter().for_each(|time| span.add(time));
/// assert_eq!((span.first(), span.length()), (Some(at(3)), Some(Duration::from_secs(2))));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span(Option<(Timestamp, Timestamp)>);

impl Span {
    /// Adds a time.
    #[inline]
    pub fn add(&mut self, time: Timestamp) {
        let (first, last) = self.0.unwrap_or((time, time));
        self.0 = Some((first.min(time), last.max(time)));
    }

    /// Adds the first and the last time of a test.
    #[inline]
    pub fn add_record<V>(&mut self, record: &Record<'_, V>) {
        record.first().into_iter().chain(record.last()).for_each(|time| self.add(time));
    }

    /// The one that holds both.
    #[must_use]
    pub fn and(mut self, other: Span) -> Span {
        other.first().into_iter().chain(other.last()).for_each(|time| self.add(time));
        self
    }

    /// The first time; `None` where there is none.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.0.map(|(first, _)| first)
    }

    /// The last time; `None` where there is none.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.0.map(|(_, last)| last)
    }

    /// How long it is; `None` where there is no time.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.0.map(|(first, last)| last.saturating_since(first))
    }
}
