//! Exit codes: one table for all commands.

use std::process::ExitCode;

use process::{Interrupt, Signal};
use streamresult::Summary;

/// How a command ended: its exit code, by name.
///
/// Several may hold at once: [`and`](Verdict::and) keeps the gravest.
///
/// ```
/// use cli::Verdict;
///
/// assert_eq!(Verdict::Nothing.and(Verdict::Failed), Verdict::Failed);
/// assert_eq!(Verdict::Failed.code(), 1);
/// ```
// From the gravest to the mildest: `Ord` says which one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// 2: the command could not do it: arguments, configuration, input or output. Nothing is lost silently.
    Error,
    /// 130: interrupted (SIGINT); what came in before was used.
    Interrupted,
    /// 143: terminated (SIGTERM); what came in before was used.
    Terminated,
    /// 129: the terminal or the connection went away (SIGHUP); what came in before was used.
    HungUp,
    /// 141: the reader of our output went away; 0 would claim that tests passed that nobody read.
    ClosedPipe,
    /// 1: done, and the run failed: a failure, an unexpected success, an unfinished test, or damage.
    Failed,
    /// 3: the run is incomplete though nothing in it failed: a killed writer, a missing shard.
    Incomplete,
    /// 4: nothing ran, or nothing matched.
    Nothing,
    /// 5: all that ran passed, but failures of earlier runs are outstanding.
    Outstanding,
    /// 0: done, and the run succeeded, but there were warnings.
    Warned,
    /// 0: done, and the run succeeded.
    Passed,
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Verdict::Passed | Verdict::Warned => 0,
            Verdict::Failed => 1,
            Verdict::Error => 2,
            Verdict::Incomplete => 3,
            Verdict::Nothing => 4,
            Verdict::Outstanding => 5,
            Verdict::HungUp => 129,
            Verdict::Interrupted => 130,
            Verdict::ClosedPipe => 141,
            Verdict::Terminated => 143,
        }
    }

    /// That of a process which a signal has asked to end, once one came.
    #[must_use]
    pub fn caught(interrupt: &Interrupt) -> Option<Verdict> {
        interrupt.signal().map(|signal| match signal {
            Signal::TERM => Verdict::Terminated,
            Signal::HUP => Verdict::HungUp,
            _ => Verdict::Interrupted,
        })
    }

    /// The graver of the two.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        self.min(other)
    }

    /// Whether it says how the run went, and not that the command was stopped or could not do it.
    #[must_use]
    pub fn is_of_run(self) -> bool {
        self >= Verdict::Failed
    }
}

impl From<&Summary> for Verdict {
    /// How a run of this accounting went.
    fn from(summary: &Summary) -> Self {
        if !summary.is_success() {
            Verdict::Failed
        } else if !summary.ran() {
            Verdict::Nothing
        } else {
            Verdict::Passed
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        ExitCode::from(verdict.code())
    }
}

/// A table of exit codes. Closed: the two that callers of our commands know.
///
/// ```
/// use cli::{Codes, Verdict};
///
/// assert_eq!(Codes::House.code(Verdict::Failed), 1);
/// assert_eq!(Codes::Plugin.code(Verdict::Failed), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codes {
    /// The table of all commands: [`Verdict::code`].
    #[default]
    House,
    /// That of the monitoring plugins: 0 fine, 1 warning, 2 critical, 3 unknown. What could not be done or was
    /// stopped is unknown, and said on stdout, where monitoring looks for it.
    Plugin,
}

impl Codes {
    /// The exit code of a verdict.
    #[must_use]
    pub const fn code(self, verdict: Verdict) -> u8 {
        match (self, verdict) {
            (Codes::House, verdict) => verdict.code(),
            (Codes::Plugin, Verdict::Passed) => 0,
            (Codes::Plugin, Verdict::Warned) => 1,
            (Codes::Plugin, Verdict::Failed) => 2,
            (Codes::Plugin, _) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_of_several_wins() {
        let order = [2, 130, 143, 129, 141, 1, 3, 4, 5, 0];
        let all = [
            Verdict::Passed,
            Verdict::Failed,
            Verdict::Error,
            Verdict::Incomplete,
            Verdict::Nothing,
            Verdict::Outstanding,
            Verdict::Interrupted,
            Verdict::Terminated,
            Verdict::HungUp,
            Verdict::ClosedPipe,
        ];
        let rank = |verdict: Verdict| order.iter().position(|code| *code == verdict.code());
        for one in all {
            for other in all {
                let expected = if rank(one) < rank(other) { one } else { other };
                assert_eq!(one.and(other), expected);
            }
        }
    }

    #[test]
    fn monitoring_plugins_have_four_codes() {
        let check = |verdict, expected| assert_eq!(Codes::Plugin.code(verdict), expected, "{verdict:?}");
        check(Verdict::Passed, 0);
        check(Verdict::Warned, 1);
        check(Verdict::Failed, 2);
        for other in [Verdict::Error, Verdict::Interrupted, Verdict::Incomplete, Verdict::Nothing] {
            check(other, 3);
        }
        assert_eq!(Codes::House.code(Verdict::Warned), 0);
        assert_eq!(Verdict::Warned.and(Verdict::Passed), Verdict::Warned);
    }

    #[test]
    fn an_error_says_nothing_of_the_run() {
        assert!(Verdict::Passed.is_of_run() && Verdict::Nothing.is_of_run());
        assert!(!Verdict::Error.is_of_run() && !Verdict::Interrupted.is_of_run());
    }
}
