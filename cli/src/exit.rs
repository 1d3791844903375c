//! Exit codes: one table for all commands.

use std::process::ExitCode;

use process::{Interrupt, Signal};
use streamresult::{RunVerdict, Summary};

/// How a command ended: its exit code, by name.
///
/// Several may apply at once: [`and`](Verdict::and) keeps the gravest.
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
    /// One verdict for each code, in order: the lines of the table.
    pub(crate) const TABLE: [Verdict; 10] = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Error,
        Verdict::Incomplete,
        Verdict::Nothing,
        Verdict::Outstanding,
        Verdict::HungUp,
        Verdict::Interrupted,
        Verdict::ClosedPipe,
        Verdict::Terminated,
    ];

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

    /// The verdict of a process that a signal has asked to end, once one has come.
    #[must_use]
    pub fn caught(interrupt: &Interrupt) -> Option<Verdict> {
        interrupt.signal().map(|signal| match signal {
            Signal::TERM => Verdict::Terminated,
            Signal::HUP => Verdict::HungUp,
            _ => Verdict::Interrupted,
        })
    }

    /// What it tells users, unless a command has its own words for it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Verdict::Passed | Verdict::Warned => "the run succeeded",
            Verdict::Failed => {
                "the run failed: a test failed, passed though it was expected to fail, or never finished, or the \
                 stream is damaged"
            }
            Verdict::Error => {
                "it could not be done: wrong arguments, or a file that cannot be read or written"
            }
            Verdict::Incomplete => "the run is incomplete, though nothing in it failed",
            Verdict::Nothing => "no test ran (--allow-empty makes it 0)",
            Verdict::Outstanding => {
                "all that ran passed, but tests that failed in earlier runs are still failing"
            }
            Verdict::HungUp => "hung up (SIGHUP): what came in before was used",
            Verdict::Interrupted => "interrupted (SIGINT): what came in before was used",
            Verdict::ClosedPipe => "the reader of the output went away",
            Verdict::Terminated => "terminated (SIGTERM): what came in before was used",
        }
    }

    /// Whether every command may end like this.
    pub(crate) const fn is_of_all(self) -> bool {
        matches!(
            self,
            Verdict::Error
                | Verdict::HungUp
                | Verdict::Interrupted
                | Verdict::ClosedPipe
                | Verdict::Terminated
        )
    }

    /// The graver of the two.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        self.min(other)
    }

    /// Whether it says how the run went, rather than that the command was stopped or failed.
    #[must_use]
    pub fn is_of_run(self) -> bool {
        self >= Verdict::Failed
    }
}

impl From<&Summary> for Verdict {
    /// How a run of this accounting went.
    fn from(summary: &Summary) -> Self {
        match summary.verdict() {
            RunVerdict::Failed => Verdict::Failed,
            RunVerdict::Nothing => Verdict::Nothing,
            RunVerdict::Passed => Verdict::Passed,
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
    /// The table that our commands share: [`Verdict::code`].
    #[default]
    House,
    /// The table of monitoring plugins: 0 fine, 1 warning, 2 critical, 3 unknown. What could not be done or was
    /// stopped is unknown, and said on stdout, where monitoring looks for it.
    Plugin,
}

impl Codes {
    /// What the codes of [`Codes::Plugin`] say, in a line.
    pub const OF_PLUGINS: &str = "0 ok, 1 warning, 2 critical, 3 unknown";

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
        let rank = |verdict: Verdict| order.iter().position(|code| *code == verdict.code());
        for one in Verdict::TABLE {
            for other in Verdict::TABLE {
                let expected = if rank(one) < rank(other) { one } else { other };
                assert_eq!(one.and(other), expected);
            }
        }
    }

    #[test]
    fn the_table_has_each_code_once_in_order() {
        let codes = Verdict::TABLE.map(Verdict::code);
        assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
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
        for (word, verdict) in
            [("ok", Verdict::Passed), ("warning", Verdict::Warned), ("critical", Verdict::Failed)]
        {
            let told = format!("{} {word},", Codes::Plugin.code(verdict));
            assert!(Codes::OF_PLUGINS.contains(&told), "{told}");
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
