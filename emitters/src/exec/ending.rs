//! What an attempt comes to: a status and its reason.

use std::io;

use process::Outcome;
use subunit::Status;

use super::attempt::{Cause, End, Ran};

/// What the options say about outcomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) skip_codes: &'a [u8],
    pub(super) expect_failure: bool,
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) status: Status,
    /// Why; of all but a success.
    pub(super) reason: Option<String>,
    /// A tag that tells this ending from others of the status.
    pub(super) tag: Option<&'static str>,
    /// Whether another attempt may pass.
    pub(super) may_pass_again: bool,
}

impl Rules<'_> {
    pub(super) fn judge(&self, ran: &Ran) -> Ending {
        let outcome = match &ran.end {
            End::Ended(outcome) => outcome,
            End::NotStarted(error) => return Ending::new(Status::Fail, not_started(error)),
        };
        let reason = reason(outcome);
        match (ran.cause, outcome) {
            (Some(Cause::TimedOut(limit)), _) => Ending {
                may_pass_again: !outcome.is_abandoned(),
                ..Ending::new(Status::Fail, format!("timed out after {limit:?}, then {reason}"))
            },
            (Some(Cause::Interrupted), _) => Ending {
                tag: Some("interrupted"),
                ..Ending::new(Status::Fail, format!("interrupted, then {reason}"))
            },
            (None, Outcome::Exited(code)) => self.judge_exit(*code, reason),
            (None, _) => Ending { may_pass_again: true, ..Ending::new(Status::Fail, reason) },
        }
    }

    fn judge_exit(&self, code: i32, reason: String) -> Ending {
        if self.skip_codes.iter().any(|skip| i32::from(*skip) == code) {
            return Ending::new(Status::Skip, reason);
        }
        match (code, self.expect_failure) {
            (0, false) => Ending { reason: None, ..Ending::new(Status::Success, reason) },
            (0, true) => Ending::new(Status::UxSuccess, format!("{reason}, but it was expected to fail")),
            (_, true) => Ending::new(Status::XFail, format!("{reason}, as was expected")),
            (_, false) => Ending { may_pass_again: true, ..Ending::new(Status::Fail, reason) },
        }
    }
}

impl Ending {
    fn new(status: Status, reason: String) -> Self {
        Ending { status, reason: Some(reason), tag: None, may_pass_again: false }
    }
}

fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exited(code) => format!("exit status {code}"),
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
    use std::time::Duration;

    use super::*;

    const PLAIN: Rules<'_> = Rules { skip_codes: &[], expect_failure: false };
    const SKIPS: Rules<'_> = Rules { skip_codes: &[77, 99], expect_failure: false };
    const EXPECTS: Rules<'_> = Rules { skip_codes: &[77], expect_failure: true };
    const TIMED_OUT: Option<Cause> = Some(Cause::TimedOut(Duration::from_millis(1500)));
    const KILLED: Outcome = Outcome::Signalled { signal: 9, core: false };

    fn check(rules: Rules<'_>, cause: Option<Cause>, outcome: Outcome, status: Status, reason: &str) {
        let ran = Ran { cause, ..Ran::of(End::Ended(outcome)) };
        let ending = rules.judge(&ran);
        assert_eq!((ending.status, ending.reason.as_deref().unwrap_or_default()), (status, reason));
    }

    #[test]
    fn the_exit_status_decides() {
        check(PLAIN, None, Outcome::Exited(0), Status::Success, "");
        check(PLAIN, None, Outcome::Exited(3), Status::Fail, "exit status 3");
        check(PLAIN, None, Outcome::Exited(77), Status::Fail, "exit status 77");
        check(SKIPS, None, Outcome::Exited(77), Status::Skip, "exit status 77");
        check(SKIPS, None, Outcome::Exited(99), Status::Skip, "exit status 99");
        check(PLAIN, None, KILLED, Status::Fail, "killed by signal 9 (SIGKILL)");
    }

    #[test]
    fn only_an_exit_status_is_an_expected_failure() {
        check(EXPECTS, None, Outcome::Exited(1), Status::XFail, "exit status 1, as was expected");
        check(EXPECTS, None, Outcome::Exited(77), Status::Skip, "exit status 77");
        check(
            EXPECTS,
            None,
            Outcome::Exited(0),
            Status::UxSuccess,
            "exit status 0, but it was expected to fail",
        );
        check(EXPECTS, None, KILLED, Status::Fail, "killed by signal 9 (SIGKILL)");
        check(
            EXPECTS,
            TIMED_OUT,
            Outcome::Exited(1),
            Status::Fail,
            "timed out after 1.5s, then exit status 1",
        );
    }

    #[test]
    fn what_was_ended_failed_however_it_ended() {
        check(SKIPS, TIMED_OUT, Outcome::Exited(0), Status::Fail, "timed out after 1.5s, then exit status 0");
        check(
            SKIPS,
            TIMED_OUT,
            Outcome::Exited(77),
            Status::Fail,
            "timed out after 1.5s, then exit status 77",
        );
        let interrupted = "interrupted, then killed by signal 9 (SIGKILL)";
        check(PLAIN, Some(Cause::Interrupted), KILLED, Status::Fail, interrupted);
    }

    #[test]
    fn what_cannot_be_run_has_the_exit_status_of_shells() {
        let check = |code, expected: &str| {
            let ending = EXPECTS.judge(&Ran::of(End::NotStarted(io::Error::from_raw_os_error(code))));
            assert_eq!((ending.status, ending.may_pass_again), (Status::Fail, false));
            assert_eq!(ending.reason.unwrap(), expected);
        };
        check(2, "exit status 127: cannot be run: No such file or directory (os error 2)");
        check(13, "exit status 126: cannot be run: Permission denied (os error 13)");
    }

    #[test]
    fn only_failures_that_may_not_last_are_tried_again() {
        let check = |rules: Rules<'_>, cause, outcome, expected| {
            assert_eq!(rules.judge(&Ran { cause, ..Ran::of(End::Ended(outcome)) }).may_pass_again, expected);
        };
        check(PLAIN, None, Outcome::Exited(1), true);
        check(PLAIN, None, KILLED, true);
        check(PLAIN, TIMED_OUT, KILLED, true);
        check(PLAIN, None, Outcome::Exited(0), false);
        check(PLAIN, Some(Cause::Interrupted), KILLED, false);
        check(EXPECTS, None, Outcome::Exited(0), false);
        check(PLAIN, TIMED_OUT, Outcome::Abandoned(process::ProcState::of(u32::MAX)), false);
    }
}
