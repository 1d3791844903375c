//! Known outages: failures that are expected for a while.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, Utc};
use globset::{Glob, GlobMatcher};

/// `ID=REASON[,until=DATE]`: these tests are expected to fail, through that day.
#[derive(Clone, Debug)]
pub struct ExpectedFailure {
    tests: GlobMatcher,
    /// Why.
    pub reason: String,
    until: Option<NaiveDate>,
}

impl ExpectedFailure {
    /// Reads the argument.
    ///
    /// # Errors
    ///
    /// When the id, the reason or the date is missing or wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (id, rest) = text.split_once('=').ok_or_else(|| format!("`{text}` is not ID=REASON"))?;
        let (reason, until) = match rest.rsplit_once(",until=") {
            Some((reason, date)) => {
                let date = NaiveDate::parse_from_str(date, "%Y-%m-%d");
                (reason, Some(date.map_err(|_| format!("`{rest}` does not end in a date like 2026-01-31"))?))
            }
            None => (rest, None),
        };
        if id.is_empty() || reason.is_empty() {
            return Err(format!("`{text}` has no id or no reason"));
        }
        let tests = Glob::new(id).map_err(|error| error.to_string())?.compile_matcher();
        Ok(ExpectedFailure { tests, reason: reason.to_owned(), until })
    }

    /// Whether this test is expected to fail at this time.
    #[must_use]
    pub fn holds(&self, test_id: &str, now: SystemTime) -> bool {
        let today = DateTime::<Utc>::from(now).date_naive();
        self.tests.is_match(test_id) && self.until.is_none_or(|until| today <= until)
    }

    /// Whether this is about a test of that id, today or not.
    #[must_use]
    pub fn names(&self, test_id: &str) -> bool {
        self.tests.is_match(test_id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn check(text: &str, id: &str, day: u64, expected: bool) {
        let now = UNIX_EPOCH + Duration::from_secs(day * 86_400 + 80_000);
        assert_eq!(ExpectedFailure::parse(text).unwrap().holds(id, now), expected, "{text}");
    }

    #[test]
    fn an_outage_is_known_through_its_last_day() {
        check("eos.user.space=quota", "eos.user.space", 9, true);
        check("eos.user.*=moving, until further notice", "eos.user.space", 9, true);
        check("eos.user.*=moving", "eos.home.space", 9, false);
        check("x=y,until=1970-01-10", "x", 9, true);
        check("x=y,until=1970-01-10", "x", 10, false);
    }

    #[test]
    fn what_says_too_little_is_refused() {
        for wrong in ["x", "=y", "x=", "x=y,until=soon", "x=,until=1970-01-10", "[=y"] {
            assert!(ExpectedFailure::parse(wrong).is_err(), "{wrong}");
        }
    }
}
