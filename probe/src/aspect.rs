//! What is looked at: an aspect of a target, with the function that looks.

use super::{Finding, Limits, ProbeKind};

/// Something that is looked at: one test of each target, with the function that does it.
///
/// ```
/// use probe::{Aspect, Finding, ProbeKind};
///
/// struct Door {
///     is_open: bool,
/// }
///
/// const READY: Aspect<Door> = Aspect::new(
///     &["ready", "old_name"],
///     ProbeKind::Readiness,
///     "asks whether it is ready",
///     |door: &mut Door, _| match door.is_open {
///         true => Finding::fine("it is open".to_owned()),
///         false => Finding::broken("it is closed".to_owned()),
///     },
/// )
/// .after(&["alive"]);
/// assert_eq!(READY.facts.name(), "ready");
/// ```
pub struct Aspect<T> {
    /// What it is, whoever looks.
    pub facts: AspectFacts,
    look: fn(&mut T, Limits<'_>) -> Finding,
    applies: fn(&T) -> bool,
    is_usual: fn(&T) -> bool,
}

/// What an aspect is, apart from how it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AspectFacts {
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

impl AspectFacts {
    /// Those of a table.
    #[must_use]
    pub fn of<T>(table: &[Aspect<T>]) -> Vec<Self> {
        table.iter().map(|aspect| aspect.facts).collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

impl<T> Aspect<T> {
    /// An aspect that builds on no other one, and that all targets have.
    #[must_use]
    pub const fn new(
        names: &'static [&'static str],
        kind: ProbeKind,
        about: &'static str,
        look: fn(&mut T, Limits<'_>) -> Finding,
    ) -> Self {
        let facts = AspectFacts { names, kind, after: &[], about, on_request: false };
        Aspect { facts, look, applies: |_| true, is_usual: |_| true }
    }

    /// The same, which makes sense only when these aspects did not fail.
    #[must_use]
    pub const fn after(mut self, after: &'static [&'static str]) -> Self {
        self.facts.after = after;
        self
    }

    /// The same, looked at only when it is asked for by name.
    #[must_use]
    pub const fn on_request(mut self) -> Self {
        self.facts.on_request = true;
        self
    }

    /// The same, which only the targets have of which this is true.
    #[must_use]
    pub const fn when(mut self, applies: fn(&T) -> bool) -> Self {
        self.applies = applies;
        self
    }

    /// The same, looked at only when it is asked for by name where this is not true of the target: it cannot be told
    /// there, and nobody has asked.
    #[must_use]
    pub const fn usual_when(mut self, is_usual: fn(&T) -> bool) -> Self {
        self.is_usual = is_usual;
        self
    }

    /// What it is for a target.
    #[must_use]
    pub fn facts_of(&self, target: &T) -> AspectFacts {
        AspectFacts { on_request: self.facts.on_request || !(self.is_usual)(target), ..self.facts }
    }

    /// The same aspect of another kind of target, all of which have it.
    #[must_use]
    pub const fn of<U>(&self, look: fn(&mut U, Limits<'_>) -> Finding) -> Aspect<U> {
        Aspect { facts: self.facts, look, applies: |_| true, is_usual: |_| true }
    }

    /// Whether a target has it.
    #[must_use]
    pub fn applies_to(&self, target: &T) -> bool {
        (self.applies)(target)
    }

    /// Looks at it, within the limits.
    pub fn look(&self, target: &mut T, limits: Limits<'_>) -> Finding {
        (self.look)(target, limits)
    }
}

impl<T> std::fmt::Debug for Aspect<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.facts.fmt(formatter)
    }
}
