//! The accounting: what an event means for the test it is about.
//!
//! [`Records`](crate::Records), [`Summary`](crate::Summary) and [`Held`](crate::Held) all ask here, so they
//! cannot differ.

use std::borrow::Cow;
use std::fmt;

use subunit::Status;

use crate::Outcome;
use crate::look::checked;

/// The test id of the events that stand for bytes that could not be read. They fail: whatever else has this id is a
/// test like any other, see [`is_damage`].
pub const DAMAGE_ID: &str = "subunit.parser";

/// Whether a test with this id and outcome is none, but stands for bytes that could not be read.
#[inline]
#[must_use]
pub fn is_damage(test_id: &[u8], outcome: Outcome) -> bool {
    outcome == Outcome::Fail && test_id == DAMAGE_ID.as_bytes()
}

/// The tag of a test that passed only when it was tried again.
pub const FLAKY_TAG: &str = "flaky";

/// What the tag begins with that says which attempt of a test it was; a number follows.
const ATTEMPT: &str = "attempt-";

/// The tag of a test's attempt; the first one has the number 1.
///
/// ```
/// assert_eq!(streamresult::attempt_tag(2), "attempt-2");
/// ```
#[must_use]
pub fn attempt_tag(number: impl fmt::Display) -> String {
    format!("{ATTEMPT}{number}")
}

/// What the tag begins with that says which of several workers ran a test; a number follows.
const WORKER: &str = "worker-";

/// Where a test ran, as people see it: its route, and behind it the worker that its tags name. Empty where nothing is
/// known.
///
/// ```
/// use streamresult::place_of;
///
/// assert_eq!(place_of(Some("ash"), ["slow", "worker-1"]), "ash/worker-1");
/// assert_eq!(place_of(None, ["worker-12"]), "worker-12");
/// assert_eq!(place_of(Some("ash/0"), ["worker-"]), "ash/0");
/// assert_eq!(place_of(None, []), "");
/// ```
#[must_use]
pub fn place_of<'t>(route_code: Option<&'t str>, tags: impl IntoIterator<Item = &'t str>) -> Cow<'t, str> {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let worker = tags.into_iter().find(|tag| tag.strip_prefix(WORKER).is_some_and(is_number));
    match (route_code, worker) {
        (Some(route), Some(worker)) => Cow::Owned(format!("{route}/{worker}")),
        (route, worker) => Cow::Borrowed(route.or(worker).unwrap_or_default()),
    }
}

/// Whether a tag says of a test that passed that it failed before.
#[inline]
pub(crate) fn is_of_flaky(tag: &[u8]) -> bool {
    tag == FLAKY_TAG.as_bytes() || tag.strip_prefix(ATTEMPT.as_bytes()).is_some_and(is_of_retry)
}

/// Whether an attempt's number is not that of the first.
#[cold]
fn is_of_retry(number: &[u8]) -> bool {
    checked(number).parse::<u32>().is_ok_and(|number| number > 1)
}

/// What is known of a test before an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// It has no record in the making.
    Closed,
    /// Files or tags came, no `inprogress`.
    Open,
    /// An `inprogress` came.
    Begun,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It joins the test's record, which begins with it where there was none.
    Joins,
    /// It joins the test's record and ends it.
    Ends,
    /// It is a record of its own: a test that is running was announced again.
    Announces,
    /// It belongs to a test that has finished.
    Late,
}

/// What an event with this status does to a test of which this is known. `has_finished` tells whether a test
/// with its key finished lately; it is asked only when that matters.
#[inline]
pub(crate) fn effect(before: Before, status: Option<Status>, has_finished: impl FnOnce() -> bool) -> Effect {
    match (before, status) {
        (Before::Begun, Some(Status::Exists)) => Effect::Announces,
        (_, Some(Status::InProgress)) => Effect::Joins,
        (_, Some(_)) => Effect::Ends,
        (Before::Closed, None) if has_finished() => Effect::Late,
        (_, None) => Effect::Joins,
    }
}

/// Whether a test with this id can have late attachments. Damage cannot: each is a record of its own, and
/// all have the same id.
#[inline]
pub(crate) fn may_be_late(test_id: &[u8]) -> bool {
    test_id != DAMAGE_ID.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: Before, status: Option<Status>, has_finished: bool, expected: Effect) {
        assert_eq!(effect(before, status, || has_finished), expected);
    }

    #[test]
    fn a_file_of_a_finished_test_is_late() {
        check(Before::Closed, None, true, Effect::Late);
        check(Before::Closed, None, false, Effect::Joins);
        check(Before::Open, None, true, Effect::Joins);
    }

    #[test]
    fn a_status_of_a_finished_test_is_another_record() {
        check(Before::Closed, Some(Status::InProgress), true, Effect::Joins);
        check(Before::Closed, Some(Status::Fail), true, Effect::Ends);
    }

    #[test]
    fn announcing_a_running_test_does_not_end_it() {
        check(Before::Begun, Some(Status::Exists), false, Effect::Announces);
        check(Before::Open, Some(Status::Exists), false, Effect::Ends);
        check(Before::Closed, Some(Status::Exists), true, Effect::Ends);
    }
}
