//! How runs are numbered and named.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a run, from 1 on. No number is used twice, not even after the run was pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u32);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// How people name a run: `42`, `-1` (the latest), `-2` (the one before), `latest`, `latest-failing`.
///
/// ```
/// use repository::{RunId, RunRef};
///
/// assert_eq!("42".parse(), Ok(RunRef::Id(RunId(42))));
/// assert_eq!("-2".parse(), Ok(RunRef::Back(2)));
/// assert_eq!("latest-failing".parse(), Ok(RunRef::LatestFailing));
/// assert!("yesterday".parse::<RunRef>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunRef {
    /// The run of this number.
    Id(RunId),
    /// Counted back from the latest, which is 1. Runs that are under way do not count.
    Back(u32),
    /// The latest run that failed.
    LatestFailing,
}

impl RunRef {
    /// The latest run that is not under way.
    pub const LATEST: RunRef = RunRef::Back(1);
}

impl From<RunId> for RunRef {
    fn from(id: RunId) -> Self {
        RunRef::Id(id)
    }
}

impl FromStr for RunRef {
    type Err = UnknownRun;

    /// Reads the name of a run.
    ///
    /// # Errors
    ///
    /// When it is not one.
    fn from_str(name: &str) -> Result<Self, UnknownRun> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or(UnknownRun);
        match name {
            "latest" => Ok(RunRef::LATEST),
            "latest-failing" => Ok(RunRef::LatestFailing),
            _ => match name.strip_prefix('-') {
                Some(back) => number(back).map(RunRef::Back),
                None => number(name).map(|number| RunRef::Id(RunId(number))),
            },
        }
    }
}

/// A name that cannot be a run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRun;

impl fmt::Display for UnknownRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a run: name a number, -1 for the latest, `latest` or `latest-failing`")
    }
}

impl std::error::Error for UnknownRun {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<RunRef>) {
        assert_eq!(name.parse().ok(), expected, "{name}");
    }

    #[test]
    fn runs_are_named_by_number_or_from_the_end() {
        check("1", Some(RunRef::Id(RunId(1))));
        check("000042", Some(RunRef::Id(RunId(42))));
        check("-1", Some(RunRef::LATEST));
        check("latest", Some(RunRef::LATEST));
        check("latest-failing", Some(RunRef::LatestFailing));
    }

    #[test]
    fn anything_else_is_no_run() {
        for name in ["", "0", "-0", "-", "--1", "1.5", "99999999999", "Latest"] {
            check(name, None);
        }
    }
}
