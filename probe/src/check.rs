//! What a check is: aspects, targets, arguments.

use std::ffi::OsStr;

use anyhow::bail;
use clap::Parser;

use super::{Finding, Limits, MetricKind, ProbeArgs, ProbeKind, Secret};

/// Something that can be looked at: one test of each target.
///
/// ```
/// use probe::{Aspect, ProbeKind};
///
/// const READY: Aspect = Aspect::new(&["ready", "old_name"], ProbeKind::Readiness, "asks whether it is ready")
///     .after(&["alive"]);
/// assert_eq!(READY.name(), "ready");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Aspect {
    /// Its name, the last part of test ids, then other names by which it can be selected.
    pub names: &'static [&'static str],
    /// The first kind of probe that looks at it.
    pub kind: ProbeKind,
    /// The aspects of the same target without which it makes no sense.
    pub after: &'static [&'static str],
    /// What is done to look at it, for people.
    pub about: &'static str,
    /// Whether it is looked at only when it is asked for by name: it is a part of another one, say.
    pub on_request: bool,
}

impl Aspect {
    /// An aspect that builds on no other one.
    #[must_use]
    pub const fn new(names: &'static [&'static str], kind: ProbeKind, about: &'static str) -> Self {
        Aspect { names, kind, after: &[], about, on_request: false }
    }

    /// The same, which makes sense only when these aspects did not fail.
    #[must_use]
    pub const fn after(self, after: &'static [&'static str]) -> Self {
        Aspect { after, ..self }
    }

    /// The same, looked at only when it is asked for by name.
    #[must_use]
    pub const fn on_request(self) -> Self {
        Aspect { on_request: true, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

/// Something that is checked: a mount, a hub, a database, with what was found out about it so far.
pub trait Target: Send {
    /// Its name in the test ids.
    fn name(&self) -> &str;

    /// What it is, for people: the path, the URL.
    fn shown(&self) -> String;

    /// Whether the aspect makes sense for this target.
    fn has(&self, aspect: &Aspect) -> bool {
        let _all = aspect;
        true
    }

    /// Looks at one aspect, within the limits. Aspects are looked at in the order of [`Check::ASPECTS`].
    fn look(&mut self, aspect: &Aspect, limits: Limits<'_>) -> Finding;

    /// Removes what is left of what it made, when the last aspect was looked at, also after a signal. A finding
    /// tells that something could not be removed: it becomes the test `CHECK.TARGET.clean-up`.
    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        let _unused = limits;
        None
    }

    /// The tags of all its results, beside those of the arguments.
    fn tags(&self) -> Vec<String> {
        Vec::new()
    }

    /// What must not be shown in any attachment.
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

/// A check: what its arguments are, and what it makes of them.
///
/// See the [module](super) for a whole one.
pub trait Check: Parser {
    /// The first part of its test ids, and what `check =` says in configuration files.
    const NAME: &'static str;
    /// What it looks at, in this order.
    const ASPECTS: &'static [Aspect];
    /// What it measures.
    const METRICS: &'static [MetricKind];

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
    fn targets(&self) -> anyhow::Result<Vec<Box<dyn Target>>>;

    /// What to say where nothing is named and nothing can be found.
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
