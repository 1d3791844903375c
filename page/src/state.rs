//! What became of a test, as the page says it.

use streamresult::{Outcome, Record};

/// What became of a test: its outcome, and of those that passed whether they did so at once. Closed: these are all.
///
/// They are in the order in which people want to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    Fail,
    UxSuccess,
    Unfinished,
    Flaky,
    Skip,
    XFail,
    Pass,
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
        match record.outcome() {
            Outcome::Exists => State::Exists,
            Outcome::Success if record.is_flaky() => State::Flaky,
            Outcome::Success => State::Pass,
            Outcome::UxSuccess => State::UxSuccess,
            Outcome::Skip => State::Skip,
            Outcome::Fail => State::Fail,
            Outcome::XFail => State::XFail,
            Outcome::Unfinished => State::Unfinished,
        }
    }

    /// The word for it, which queries know, too.
    pub(crate) fn word(self) -> &'static str {
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

    /// Its class of style.
    pub(crate) fn class(self) -> &'static str {
        match self {
            State::Fail | State::UxSuccess => "fail",
            State::Unfinished => "hung",
            State::Skip | State::Exists => "skp",
            other => other.word(),
        }
    }

    /// Its sign.
    pub(crate) fn icon(self) -> &'static str {
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
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, State::Fail | State::UxSuccess | State::Unfinished)
    }
}
