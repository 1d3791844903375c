//! What can be wrong with a database that is asked.

use std::fmt;
use std::io;

use probe::{Finding, Level};
use process::helper::Stop;

use super::fact::{DatabaseFact, Fact, Reporter};

/// Why a question to a database has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) message: String,
}

/// What that says of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is broken, or not what it should be.
    Broken,
    /// Others have it locked.
    Locked,
    /// The time that the question may take was up.
    Late,
    /// Nothing: the check was not let in, say.
    Unknown,
}

impl Fault {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Fault { kind, message: message.into() }
    }

    pub(super) fn broken(message: impl Into<String>) -> Self {
        Fault::new(Kind::Broken, message)
    }

    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Fault::new(Kind::Unknown, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Does a step that may end in a fault, and reports the fault.
pub(super) fn step<T>(
    reporter: &mut Reporter,
    operation: &str,
    action: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Stop> {
    let done = reporter.step(operation, || Ok(action()))?;
    done.or_else(|fault| give_up(reporter, &fault))
}

/// Tells a fault, and goes no further.
pub(super) fn give_up<T>(reporter: &mut Reporter, fault: &Fault) -> Result<T, Stop> {
    match fault.kind {
        Kind::Broken => reporter.tell(Fact::Broken(fault.to_string()))?,
        Kind::Locked => {
            reporter.tell(Fact::Own(DatabaseFact::Locked))?;
            reporter.tell(Fact::Unknown(fault.to_string()))?;
        }
        Kind::Late | Kind::Unknown => reporter.tell(Fact::Unknown(fault.to_string()))?,
    }
    Err(Stop::Failed(io::Error::other(fault.message.clone())))
}

/// Tells a finding to the parent, which makes the same of it.
pub(super) fn tell(reporter: &mut Reporter, finding: &Finding) -> Result<(), Stop> {
    for metric in &finding.metrics {
        reporter.tell(Fact::metric(&metric.name, metric.value))?;
    }
    for attachment in &finding.attachments {
        for line in String::from_utf8_lossy(&attachment.bytes).lines() {
            reporter.tell(Fact::evidence(&attachment.name, line.to_owned()))?;
        }
    }
    reporter.tell(match finding.level.clone() {
        Level::Fine => Fact::Summary(finding.summary.clone().unwrap_or_default()),
        Level::Warning(reason) => Fact::Warning(reason),
        Level::Broken(reason) => Fact::Broken(reason),
        Level::Unknown(reason) | Level::Interrupted(reason) => Fact::Unknown(reason),
        Level::Skipped(reason) => Fact::Skip(reason),
    })
}
