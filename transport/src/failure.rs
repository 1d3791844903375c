//! Why a place cannot be reached.

use std::fmt;

/// Why a place cannot be reached, or something cannot be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeFailure {
    /// A signal asked us to end.
    Interrupted,
    /// It did not work.
    Failed {
        /// Why, in a sentence.
        reason: String,
        /// What the transport's program wrote to stderr.
        stderr: String,
    },
}

impl NodeFailure {
    /// It did not work, for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        NodeFailure::Failed { reason: reason.into(), stderr: String::new() }
    }

    /// The same, with what it is about before the reason.
    #[must_use]
    pub fn about(self, what: impl fmt::Display) -> Self {
        match self {
            NodeFailure::Interrupted => NodeFailure::Interrupted,
            NodeFailure::Failed { reason, stderr } => {
                NodeFailure::Failed { reason: format!("{what}: {reason}"), stderr }
            }
        }
    }
}

impl fmt::Display for NodeFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeFailure::Interrupted => formatter.write_str("a signal came"),
            NodeFailure::Failed { reason, .. } => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for NodeFailure {}
