//! Points in time until which to wait.

use std::time::{Duration, Instant};

/// A point on the monotonic clock until which to wait; or no such point, to wait for ever.
///
/// ```
/// use std::time::Duration;
/// use process::Deadline;
///
/// let plan = Deadline::after(Duration::from_secs(45));
/// let check = plan.earlier(Deadline::after(Duration::from_secs(20)));
/// assert!(!check.has_passed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Wait for ever.
    pub const NEVER: Deadline = Deadline(None);

    /// This long from now; a duration beyond the clock's range is [`Deadline::NEVER`].
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Deadline(Instant::now().checked_add(duration))
    }

    /// A deadline that has just passed: do not wait at all.
    #[must_use]
    pub fn now() -> Self {
        Deadline(Some(Instant::now()))
    }

    /// The earlier of the two.
    #[must_use]
    pub fn earlier(self, other: Deadline) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(two)) => Deadline(Some(one.min(two))),
            (one, two) => Deadline(one.or(two)),
        }
    }

    /// The time left, zero when it has passed; `None` is for ever.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Whether the time is up.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Deadline(Some(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_deadline_holds() {
        let (soon, late) = (Deadline::after(Duration::ZERO), Deadline::after(Duration::from_secs(60)));
        assert_eq!(soon.earlier(late), soon);
        assert_eq!(late.earlier(soon), soon);
        assert_eq!(Deadline::NEVER.earlier(late), late);
        assert!(soon.has_passed() && !late.has_passed() && !Deadline::NEVER.has_passed());
    }

    #[test]
    fn durations_beyond_the_clock_never_pass() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    }
}
