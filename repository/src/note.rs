//! What happened besides, and should be reported.

use std::fmt;

use crate::run_id::RunId;

/// Something that was repaired or worked around without being asked. Open: there may be more.
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
        /// How many of them, at the end, are not a whole packet.
        tail: u64,
    },
    /// The stored stream of a run cannot be read to its end any more.
    StreamDamaged(RunId),
    /// What was recorded about a run, besides its stream, is lost or damaged.
    RecordLost(RunId),
    /// Files of a run are damaged, and nothing is left that says what failed in it.
    FailuresLost(RunId),
    /// After a run was stored, streams were removed that are beyond the limits that were set.
    Pruned {
        /// Of how many runs.
        runs: usize,
        /// How many bytes they took.
        bytes: u64,
    },
    /// After a run was stored, what is beyond the limits that were set could not be removed.
    NotPruned {
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::IndexRebuilt { why } => write!(formatter, "the index was made anew ({why})"),
            Note::IndexNotWritten { why } => {
                write!(formatter, "the index could not be written, and was made in memory ({why})")
            }
            Note::Recovered { run, bytes, tail } => {
                write!(formatter, "run {run} is incomplete: its writer was killed after {bytes} bytes")?;
                match tail {
                    0 => Ok(()),
                    tail => write!(formatter, ", of which the last {tail} are not a whole packet"),
                }
            }
            Note::StreamDamaged(run) => {
                write!(formatter, "the stream of run {run} is damaged and cannot be read to its end")
            }
            Note::RecordLost(run) => write!(
                formatter,
                "the file run.json of run {run} is lost or damaged: how the run ended is not known any more"
            ),
            Note::FailuresLost(run) => {
                write!(formatter, "files of run {run} are damaged: what failed in it is not known any more")
            }
            Note::Pruned { runs, bytes } => {
                let streams = if *runs == 1 { "stream" } else { "streams" };
                write!(formatter, "{runs} {streams} beyond the limits removed, {bytes} bytes")
            }
            Note::NotPruned { why } => write!(formatter, "what is beyond the limits was not removed: {why}"),
        }
    }
}
