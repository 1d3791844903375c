//! How long anybody waits for a child: every such time and size stands here.

use std::time::Duration;

/// Between SIGTERM and SIGKILL, for a command of the user's: it may have much to put away.
pub const GRACE: Duration = Duration::from_secs(5);
/// [`GRACE`], as it is written on a command line.
pub const GRACE_TEXT: &str = "5s";
/// The same for what has nothing to put away, within a check that has a deadline of its own.
pub const SHORT_GRACE: Duration = Duration::from_millis(300);
/// The same for a check that is told to end early: what it made on a slow mount has to be removed.
pub const CLEANING: Duration = Duration::from_secs(6);
/// How long SIGKILL is given: a process may have much memory to give back.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// The same within a check: what it kills has little to give back.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);
/// How long outputs are read after the child's end: others may hold them open, and nobody waits for those.
const DRAIN: Duration = Duration::from_millis(200);
/// How long what a child started may take to end after it.
pub(crate) const LEAK: Duration = Duration::from_millis(100);
/// How often to look for what no descriptor reports: that a group is empty, and exits where there are no pidfds.
pub(crate) const INTERVAL: Duration = Duration::from_millis(10);
/// How much of an output is read at a time: as much as a pipe usually holds.
pub(crate) const BLOCK: usize = 64 * 1024;
/// How often outputs are still read when their time is up: as much as the largest pipe holds. Whoever holds it open
/// may go on writing for ever.
pub(crate) const LAST_TURNS: usize = 32;

/// How long a child that is followed is waited for, at each turn of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Between SIGTERM and SIGKILL, when its time is up.
    pub grace: Duration,
    /// Between SIGTERM and SIGKILL, when somebody wants it to end early.
    pub cleaning: Duration,
    /// Between SIGKILL and giving it up.
    pub patience: Duration,
    /// How long its outputs are read after it ended by itself, while what it left running holds them open.
    pub linger: Duration,
    /// How long whoever reads what we pass on may take for the rest of it; [`Duration::MAX`] is as long as they like.
    pub reader: Duration,
}

impl Timeouts {
    /// For a command of the user's. What it leaves running is not waited for; its reader is, however slow.
    pub const COMMAND: Timeouts =
        Timeouts { grace: GRACE, cleaning: GRACE, patience: PATIENCE, linger: DRAIN, reader: Duration::MAX };

    /// For a command whose output is a stream: what it leaves running may still have something to say.
    pub const PRODUCER: Timeouts = Timeouts { linger: GRACE, ..Timeouts::COMMAND };

    /// For what works within a check: a helper, a client's program, ssh.
    pub const PROBE: Timeouts = Timeouts {
        grace: SHORT_GRACE,
        cleaning: SHORT_GRACE,
        patience: SHORT_PATIENCE,
        linger: DRAIN,
        reader: Duration::from_secs(2),
    };

    /// For a check, which removes what it made when it is told to end early.
    pub const CHECK: Timeouts = Timeouts { cleaning: CLEANING, ..Timeouts::PROBE };

    /// With this time between SIGTERM and SIGKILL, whatever the reason.
    #[must_use]
    pub const fn with_grace(self, grace: Duration) -> Self {
        Timeouts { grace, cleaning: grace, ..self }
    }

    /// Whether what it leaves running may still have something to say.
    pub(crate) fn is_lingering(self) -> bool {
        self.linger > DRAIN
    }

    /// How long outputs are read after the end of one that was made to end.
    pub(crate) fn drain(self, ended_by_itself: bool) -> Duration {
        if ended_by_itself { self.linger } else { self.linger.min(DRAIN) }
    }
}
