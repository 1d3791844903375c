//! What a check is: its name, its metrics, and the targets of its arguments.

use std::ffi::OsStr;

use anyhow::bail;
use clap::Parser;

use super::{AnyTarget, AspectFacts, MetricKind, ProbeArgs};

/// A check: what its arguments are, and what it makes of them.
///
/// See the [module](super) for a whole one.
pub trait Check: Parser {
    /// The first part of its test ids, and what `check =` says in configuration files.
    const NAME: &'static str;
    /// What it measures.
    const METRICS: &'static [MetricKind];

    /// Variables of the environment that hold secrets of its, which it asks for itself.
    const VARIABLES: &'static [&'static str] = &[];
    /// Whether it is about what the session of a user sees, and can be run in the session's container.
    const OF_SESSIONS: bool = false;

    /// What it looks at, in this order.
    fn aspects() -> Vec<AspectFacts>;

    /// The arguments that all checks have.
    fn shared(&self) -> &ProbeArgs;

    /// The same, to be changed by what a configuration file says.
    fn shared_mut(&mut self) -> &mut ProbeArgs;

    /// Whether the arguments name what to check. Otherwise whoever makes the plan says it, as a configuration file
    /// does.
    fn is_named(&self) -> bool;

    /// What to check: what is named, else what can be found on this host.
    ///
    /// # Errors
    ///
    /// When the arguments contradict each other.
    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>>;

    /// The error when the arguments name no target and none can be found: what is missing, and an example.
    fn nothing() -> &'static str;

    /// Does the task of a [`Helper`](super::Helper), in the process that it has started.
    ///
    /// # Errors
    ///
    /// When there is no such task.
    fn help(&self, task: &OsStr) -> anyhow::Result<()> {
        bail!("there is no task {}", task.display())
    }
}
