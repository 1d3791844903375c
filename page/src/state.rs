//! What became of a test, as the page says it.

use streamresult::{Outcome, Record};

/// What became of a test: its outcome, and of those that passed whether they did so at once. Closed: these are all.
///
/// They are in the order in which people want to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It failed.
    Fail,
    /// It passed, though it was expected to fail.
    UxSuccess,
    /// It did not end.
    Unfinished,
    /// It passed only when it was tried again.
    Flaky,
    /// It was skipped.
    Skip,
    /// It failed as expected.
    XFail,
    /// It passed.
    Pass,
    /// It was only announced.
    Exists,
}

impl State {
    pub(crate) const ALL: [State; 8] = [
        State::Fail,
        State::UxSuccess,
        State::Unfinished,
        State::Flaky,
        State::Skip,
        State::XFail,
        State::Pass,
        State::Exists,
    ];

    pub(crate) fn of(record: &Record<'_>) -> Self {
        State::of_outcome(record.outcome(), record.is_flaky())
    }

    /// The state of a test that ended like this.
    #[must_use]
    pub fn of_outcome(outcome: Outcome, is_flaky: bool) -> Self {
        match outcome {
            Outcome::Exists => State::Exists,
            Outcome::Success if is_flaky => State::Flaky,
            Outcome::Success => State::Pass,
            Outcome::UxSuccess => State::UxSuccess,
            Outcome::Skip => State::Skip,
            Outcome::Fail => State::Fail,
            Outcome::XFail => State::XFail,
            Outcome::Unfinished => State::Unfinished,
        }
    }

    /// The word for it, which queries know, too.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Fail => "fail",
            State::UxSuccess => "uxsuccess",
            State::Unfinished => "unfinished",
            State::Flaky => "flaky",
            State::Skip => "skip",
            State::XFail => "xfail",
            State::Pass => "pass",
            State::Exists => "exists",
        }
    }

    /// What is said of it in a row of outcomes.
    pub(crate) fn past_words(self) -> &'static str {
        match self {
            State::Fail => "failed",
            State::UxSuccess => "passed unexpectedly",
            State::Unfinished => "never finished",
            State::Flaky => "was flaky",
            State::Skip => "was skipped",
            State::XFail => "failed as expected",
            State::Pass => "passed",
            State::Exists => "was announced",
        }
    }

    /// Its letter in the list of all tests.
    pub(crate) fn letter(self) -> char {
        match self {
            State::Exists => 'e',
            State::UxSuccess => 'u',
            other => other.bar().chars().next().unwrap_or('-'),
        }
    }

    /// Its class of style.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            State::Fail | State::UxSuccess => "fail",
            State::Unfinished => "hung",
            State::Skip | State::Exists => "skp",
            other => other.word(),
        }
    }

    /// Its sign.
    #[must_use]
    pub fn icon(self) -> &'static str {
        match self {
            State::UxSuccess => "fail",
            State::Exists => "skip",
            other => other.word(),
        }
    }

    /// Its class in the timeline.
    pub(crate) fn bar(self) -> &'static str {
        match self {
            State::Fail | State::UxSuccess => "f",
            State::Unfinished => "h",
            State::Flaky => "k",
            State::XFail => "x",
            State::Skip | State::Exists => "s",
            State::Pass => "p",
        }
    }

    /// Whether it counts against the run.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, State::Fail | State::UxSuccess | State::Unfinished)
    }
}
