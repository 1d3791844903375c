//! How a process ended, in words.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::ProcState;

/// How a process ended, or that it did not.
///
/// ```
/// use process::Exit;
///
/// let exit = Exit::Signalled { signal: 9, core: false };
/// assert_eq!(exit.to_string(), "killed by signal 9 (SIGKILL)");
/// assert_eq!(Exit::Exited(3).to_string(), "exit code 3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this exit code, 0 to 255.
    Exited(i32),
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
        /// Whether it left a core dump.
        core: bool,
    },
    /// It did not end, not even by SIGKILL, and nobody waits for it any longer.
    Abandoned(ProcState),
}

impl Exit {
    /// Whether it ended with exit code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        *self == Exit::Exited(0)
    }

    /// Whether it was left behind alive.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(self, Exit::Abandoned(_))
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match status.signal() {
            Some(signal) => Exit::Signalled { signal, core: status.core_dumped() },
            None => Exit::Exited(status.code().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Exited(code) => write!(formatter, "exit code {code}"),
            Exit::Signalled { signal, core } => {
                write!(formatter, "killed by {}", SignalName(*signal))?;
                formatter.write_str(if *core { ", core dumped" } else { "" })
            }
            Exit::Abandoned(state) => write!(formatter, "abandoned: {}", state.summary()),
        }
    }
}

/// A signal's number, shown with its name where it has one: `signal 15 (SIGTERM)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalName(pub i32);

impl fmt::Display for SignalName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "signal {}", self.0)?;
        match signal_hook::low_level::signal_name(self.0) {
            Some(name) => write!(formatter, " ({name})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wait_status: i32, expected: &str) {
        assert_eq!(Exit::from(ExitStatus::from_raw(wait_status)).to_string(), expected);
    }

    #[test]
    fn says_how_a_process_ended() {
        check(0, "exit code 0");
        check(3 << 8, "exit code 3");
        check(9, "killed by signal 9 (SIGKILL)");
        check(11 | 0x80, "killed by signal 11 (SIGSEGV), core dumped");
        check(40, "killed by signal 40");
    }
}
