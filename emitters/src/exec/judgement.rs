//! The judgement on an attempt: a status and its reason.

use formats::human::show_duration;
use std::io;
use std::time::Duration;

use process::{Cause, Exit};
use subunit::Status;

use super::attempt::AttemptEnd;

/// What the options say about outcomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) skip_codes: &'a [u8],
    pub(super) expect_failure: bool,
    pub(super) timeout: Option<Duration>,
}

/// The judgement on an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) status: Status,
    /// Why, except for a success.
    pub(super) reason: Option<String>,
    /// A tag that tells this ending from others of the status.
    pub(super) tag: Option<&'static str>,
    /// Whether another attempt may pass.
    pub(super) may_pass_again: bool,
}

impl Rules<'_> {
    pub(super) fn judge(&self, ran: &AttemptEnd) -> Judgement {
        let ending = match ran {
            AttemptEnd::Ended(ending) => ending,
            AttemptEnd::NotStarted(error) => return Judgement::new(Status::Fail, not_started(error)),
        };
        let (outcome, reason) = (&ending.exit, reason(&ending.exit));
        match (ending.cause, outcome) {
            (Cause::Interrupted, _) => Judgement {
                tag: Some("interrupted"),
                ..Judgement::new(Status::Fail, format!("interrupted, then {reason}"))
            },
            (Cause::TimedOut | Cause::Stopped, _) => {
                let limit = show_duration(self.timeout.unwrap_or_default());
                Judgement {
                    may_pass_again: !outcome.is_abandoned(),
                    ..Judgement::new(Status::Fail, format!("timed out after {limit}, then {reason}"))
                }
            }
            (Cause::Itself, Exit::Exited(code)) => self.judge_exit(*code, reason),
            (Cause::Itself, _) => Judgement { may_pass_again: true, ..Judgement::new(Status::Fail, reason) },
        }
    }

    fn judge_exit(&self, code: i32, reason: String) -> Judgement {
        if self.skip_codes.iter().any(|skip| i32::from(*skip) == code) {
            return Judgement::new(Status::Skip, reason);
        }
        match (code, self.expect_failure) {
            (0, false) => Judgement { reason: None, ..Judgement::new(Status::Success, reason) },
            (0, true) => Judgement::new(Status::UxSuccess, format!("{reason}, but it was expected to fail")),
            (_, true) => Judgement::new(Status::XFail, format!("{reason}, as was expected")),
            (_, false) => Judgement { may_pass_again: true, ..Judgement::new(Status::Fail, reason) },
        }
    }
}

impl Judgement {
    fn new(status: Status, reason: String) -> Self {
        Judgement { status, reason: Some(reason), tag: None, may_pass_again: false }
    }
}

fn reason(outcome: &Exit) -> String {
    match outcome {
        Exit::Exited(code) => format!("exit status {code}"),
        other => other.to_string(),
    }
}

/// With the exit status that shells have for it.
fn not_started(error: &io::Error) -> String {
    let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    format!("exit status {code}: cannot be run: {error}")
}

#[cfg(test)]
mod tests {
    use process::Ending;

    use super::*;

    const PLAIN: Rules<'_> =
        Rules { skip_codes: &[], expect_failure: false, timeout: Some(Duration::from_millis(1500)) };
    const SKIPS: Rules<'_> = Rules { skip_codes: &[77, 99], ..PLAIN };
    const EXPECTS: Rules<'_> = Rules { skip_codes: &[77], expect_failure: true, ..PLAIN };
    const KILLED: Exit = Exit::Signalled { signal: 9, core: false };

    fn ran(cause: Cause, outcome: Exit) -> AttemptEnd {
        AttemptEnd::Ended(Ending::new(outcome, cause))
    }

    fn check(rules: Rules<'_>, cause: Cause, outcome: Exit, status: Status, reason: &str) {
        let ending = rules.judge(&ran(cause, outcome));
        assert_eq!((ending.status, ending.reason.as_deref().unwrap_or_default()), (status, reason));
    }

    #[test]
    fn the_exit_status_decides() {
        check(PLAIN, Cause::Itself, Exit::Exited(0), Status::Success, "");
        check(PLAIN, Cause::Itself, Exit::Exited(3), Status::Fail, "exit status 3");
        check(PLAIN, Cause::Itself, Exit::Exited(77), Status::Fail, "exit status 77");
        check(SKIPS, Cause::Itself, Exit::Exited(77), Status::Skip, "exit status 77");
        check(SKIPS, Cause::Itself, Exit::Exited(99), Status::Skip, "exit status 99");
        check(PLAIN, Cause::Itself, KILLED, Status::Fail, "killed by signal 9 (SIGKILL)");
    }

    #[test]
    fn only_an_exit_status_is_an_expected_failure() {
        check(EXPECTS, Cause::Itself, Exit::Exited(1), Status::XFail, "exit status 1, as was expected");
        check(EXPECTS, Cause::Itself, Exit::Exited(77), Status::Skip, "exit status 77");
        check(
            EXPECTS,
            Cause::Itself,
            Exit::Exited(0),
            Status::UxSuccess,
            "exit status 0, but it was expected to fail",
        );
        check(EXPECTS, Cause::Itself, KILLED, Status::Fail, "killed by signal 9 (SIGKILL)");
        check(
            EXPECTS,
            Cause::TimedOut,
            Exit::Exited(1),
            Status::Fail,
            "timed out after 1.5 s, then exit status 1",
        );
    }

    #[test]
    fn what_was_ended_failed_however_it_ended() {
        check(
            SKIPS,
            Cause::TimedOut,
            Exit::Exited(0),
            Status::Fail,
            "timed out after 1.5 s, then exit status 0",
        );
        check(
            SKIPS,
            Cause::TimedOut,
            Exit::Exited(77),
            Status::Fail,
            "timed out after 1.5 s, then exit status 77",
        );
        let interrupted = "interrupted, then killed by signal 9 (SIGKILL)";
        check(PLAIN, Cause::Interrupted, KILLED, Status::Fail, interrupted);
    }

    #[test]
    fn what_cannot_be_run_has_the_exit_status_of_shells() {
        let check = |code, expected: &str| {
            let ending = EXPECTS.judge(&AttemptEnd::NotStarted(io::Error::from_raw_os_error(code)));
            assert_eq!((ending.status, ending.may_pass_again), (Status::Fail, false));
            assert_eq!(ending.reason.unwrap(), expected);
        };
        check(2, "exit status 127: cannot be run: No such file or directory (os error 2)");
        check(13, "exit status 126: cannot be run: Permission denied (os error 13)");
    }

    #[test]
    fn only_failures_that_may_not_last_are_tried_again() {
        let check = |rules: Rules<'_>, cause, outcome, expected| {
            assert_eq!(rules.judge(&ran(cause, outcome)).may_pass_again, expected);
        };
        check(PLAIN, Cause::Itself, Exit::Exited(1), true);
        check(PLAIN, Cause::Itself, KILLED, true);
        check(PLAIN, Cause::TimedOut, KILLED, true);
        check(PLAIN, Cause::Itself, Exit::Exited(0), false);
        check(PLAIN, Cause::Interrupted, KILLED, false);
        check(EXPECTS, Cause::Itself, Exit::Exited(0), false);
        check(PLAIN, Cause::TimedOut, Exit::Abandoned(process::ProcState::of(u32::MAX)), false);
    }
}
