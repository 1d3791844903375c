//! What happened on the side, and should be told.

use std::fmt;

use crate::run_id::RunId;

/// Something that was put right or worked around without being asked. Open: there may be more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The index was missing parts or damaged, and was made anew from the runs.
    IndexRebuilt {
        /// What was wrong.
        why: String,
    },
    /// The index cannot be written: it was made in memory, and the next command has to do that again.
    IndexNotWritten {
        /// Why not.
        why: String,
    },
    /// The writer of a run was killed; what came before is there.
    Recovered {
        /// The run.
        run: RunId,
        /// How many bytes came.
        bytes: u64,
        /// How many of them, at the end, are no whole packet.
        tail: u64,
    },
    /// The stored stream of a run cannot be read to its end any more.
    StreamDamaged(RunId),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::IndexRebuilt { why } => write!(formatter, "the index was made anew ({why})"),
            Note::IndexNotWritten { why } => {
                write!(formatter, "the index could not be written, and was made in memory ({why})")
            }
            Note::Recovered { run, bytes, tail } => write!(
                formatter,
                "run {run} is incomplete: its writer was killed after {bytes} bytes, \
                 of which the last {tail} are no whole packet"
            ),
            Note::StreamDamaged(run) => {
                write!(formatter, "the stream of run {run} is damaged and cannot be read to its end")
            }
        }
    }
}
