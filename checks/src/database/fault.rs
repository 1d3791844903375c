//! What can be wrong with a database that is asked.

use std::fmt;
use std::io::{self, Write};

use probe::{Finding, Level, helper::value};
use process::helper::{Reporter, Stop};

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

/// The name of a value: it was locked.
pub(super) const LOCKED: &str = "locked";

/// Does a step that may end in a fault, and reports the fault.
pub(super) fn step<T>(
    reporter: &mut Reporter<impl Write>,
    operation: &str,
    action: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Stop> {
    let done = reporter.step(operation, || Ok(action()))?;
    done.or_else(|fault| give_up(reporter, &fault))
}

/// Tells a fault, and goes no further.
pub(super) fn give_up<T>(reporter: &mut Reporter<impl Write>, fault: &Fault) -> Result<T, Stop> {
    match fault.kind {
        Kind::Broken => reporter.value(value::BROKEN, fault)?,
        Kind::Locked => {
            reporter.value(LOCKED, fault)?;
            reporter.value(value::UNKNOWN, fault)?;
        }
        Kind::Late | Kind::Unknown => reporter.value(value::UNKNOWN, fault)?,
    }
    Err(Stop::Failed(io::Error::other(fault.message.clone())))
}

/// Tells a finding to the parent, which makes the same of it.
pub(super) fn tell(reporter: &mut Reporter<impl Write>, finding: &Finding) -> Result<(), Stop> {
    for metric in &finding.metrics {
        reporter.value(value::METRIC, format_args!("{} {}", metric.name, metric.value))?;
    }
    for attachment in &finding.attachments {
        for line in String::from_utf8_lossy(&attachment.bytes).lines() {
            reporter.value(value::EVIDENCE, format_args!("{} {line}", attachment.name))?;
        }
    }
    let name = match &finding.level {
        Level::Fine => value::SUMMARY,
        Level::Warning(_) => value::WARNING,
        Level::Broken(_) => value::BROKEN,
        Level::Unknown(_) | Level::Interrupted(_) => value::UNKNOWN,
        Level::Skipped(_) => value::SKIP,
    };
    let text = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
    reporter.value(name, text)
}
