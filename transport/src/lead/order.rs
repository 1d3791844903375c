//! What a command that is led is told while it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What whoever leads a command is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// To send this signal to its group.
    Signal(i32),
    /// To end it: by this signal, and by others when the grace is over.
    Stop {
        /// The signal that asks it to end.
        signal: i32,
        /// How long it has.
        grace: Duration,
    },
}

impl Order {
    /// As it is sent: a line.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}
