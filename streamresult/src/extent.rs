//! Where something stands in a stream.

/// A stretch of a stream, in bytes from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Where it begins.
    pub start: u64,
    /// Where it ends: the first byte after it.
    pub end: u64,
}

impl Extent {
    /// Its length in bytes.
    #[must_use]
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// From the beginning of this one to the end of another that comes after it.
    #[must_use]
    pub fn to(self, later: Extent) -> Extent {
        if self.is_empty() { later } else { Extent { start: self.start, end: later.end } }
    }
}
