//! How a command at a place ended, as far as that is known.

use process::Exit;

/// How a command at a place ended, as far as that is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeExit {
    /// Its process ended so: it exited, was ended by a signal, or was abandoned.
    Process(Exit),
    /// It could not be started there.
    NotStarted,
    /// The way there broke. Whether the command ended, and how, is not known.
    Lost,
}

/// The exit code of a shell for a command that is not there or cannot be run.
const NOT_STARTED: std::ops::RangeInclusive<i32> = 126..=127;
/// The exit code of ssh, and of [`crate::Role::Carry`], when the way broke.
pub(crate) const LOST: u8 = 255;

impl NodeExit {
    /// What an exit of the process here means that stands for a command elsewhere.
    pub(crate) fn through(exit: &Exit) -> Self {
        match exit {
            Exit::Exited(code) if NOT_STARTED.contains(code) => NodeExit::NotStarted,
            Exit::Exited(code) if *code == i32::from(LOST) => NodeExit::Lost,
            exit => NodeExit::Process(exit.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_way_says_is_not_what_the_command_says() {
        let check = |exit: Exit, expected: Option<NodeExit>| {
            assert_eq!(NodeExit::through(&exit), expected.unwrap_or(NodeExit::Process(exit)));
        };
        check(Exit::Exited(0), None);
        check(Exit::Exited(125), None);
        check(Exit::Exited(126), Some(NodeExit::NotStarted));
        check(Exit::Exited(127), Some(NodeExit::NotStarted));
        check(Exit::Exited(255), Some(NodeExit::Lost));
        check(Exit::Signalled { signal: 9, core: false }, None);
    }
}
