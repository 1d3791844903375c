//! What is checked, and how it is looked at aspect by aspect.

use std::fmt;

use super::{Aspect, AspectFacts, Finding, Limits, Secret};

/// Something that is checked: a mount, a hub, a database, with what was found out about it so far.
pub trait Target: Send {
    /// Its name in the test ids.
    fn name(&self) -> &str;

    /// What it is, for people: the path, the URL.
    fn shown(&self) -> String;

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

/// A target with the aspects that it has, whatever its kind.
pub struct AnyTarget(Box<dyn Looked>);

impl AnyTarget {
    /// A target, whose aspects are looked at in this order.
    #[must_use]
    pub fn new<T: Target + 'static>(target: T, aspects: &'static [Aspect<T>]) -> Self {
        AnyTarget(Box::new(Pair { target, aspects }))
    }

    /// The same of several targets.
    pub fn all<T: Target + 'static>(
        targets: impl IntoIterator<Item = T>,
        aspects: &'static [Aspect<T>],
    ) -> Vec<Self> {
        targets.into_iter().map(|target| AnyTarget::new(target, aspects)).collect()
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &dyn Target {
        self.0.target()
    }

    /// The aspects that it has, with their numbers.
    #[must_use]
    pub fn aspects(&self) -> Vec<(usize, AspectFacts)> {
        self.0.aspects()
    }

    /// Looks at the aspect of this number, within the limits.
    pub fn look(&mut self, aspect: usize, limits: Limits<'_>) -> Finding {
        self.0.look(aspect, limits)
    }

    /// Removes what is left of what it made; see [`Target::finish`].
    pub fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.0.finish(limits)
    }
}

impl fmt::Debug for AnyTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AnyTarget").field(&self.target().name()).finish()
    }
}

/// A target whose type is no longer known.
trait Looked: Send {
    fn target(&self) -> &dyn Target;
    fn aspects(&self) -> Vec<(usize, AspectFacts)>;
    fn look(&mut self, aspect: usize, limits: Limits<'_>) -> Finding;
    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding>;
}

struct Pair<T: 'static> {
    target: T,
    aspects: &'static [Aspect<T>],
}

impl<T: Target + 'static> Looked for Pair<T> {
    fn target(&self) -> &dyn Target {
        &self.target
    }

    fn aspects(&self) -> Vec<(usize, AspectFacts)> {
        let all = self.aspects.iter().enumerate().filter(|(_, aspect)| aspect.applies_to(&self.target));
        all.map(|(number, aspect)| (number, aspect.facts_of(&self.target))).collect()
    }

    fn look(&mut self, aspect: usize, limits: Limits<'_>) -> Finding {
        match self.aspects.get(aspect) {
            Some(aspect) => aspect.look(&mut self.target, limits),
            None => Finding::unknown("there is no such aspect".to_owned()),
        }
    }

    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.target.finish(limits)
    }
}
