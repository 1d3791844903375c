//! What `check-all` knows of each check, without its type.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use probe::{AspectFacts, Check, MetricKind, Plan, Selection, Thresholds};

use crate::Run;
use crate::config::{Config, Expanded, TargetConfig, expand_target};

pub(super) use crate::CHECKS;

/// A check, without its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// What it looks at.
    pub(super) aspects: fn() -> Vec<AspectFacts>,
    pub(super) metrics: &'static [MetricKind],
    /// Variables of the environment that it asks for itself.
    pub(super) variables: &'static [&'static str],
    /// Whether it is about what a session sees.
    pub(super) of_sessions: bool,
    /// Its command line.
    pub(super) command: fn() -> clap::Command,
    /// The whole of its command, with these arguments, its name first.
    pub(super) main: fn(&[OsString]) -> ExitCode,
    /// Adds a target's tests to a plan.
    pub(super) plan:
        fn(&TargetConfig, &Config, &[OsString], &Selection, &mut Plan) -> anyhow::Result<TargetFacts>,
}

/// What is known of a target before it is looked at.
#[derive(Clone, Debug)]
pub(super) struct TargetFacts {
    /// How long all its tests together may take.
    pub(super) time: Duration,
    /// Why it cannot be looked at, though its configuration is sound: a file with a token cannot be read, say.
    pub(super) broken: Option<String>,
}

impl Entry {
    /// The check of this name.
    pub(super) fn of(name: &str) -> Option<&'static Entry> {
        CHECKS.iter().find(|entry| entry.name == name)
    }

    /// Whether a threshold is of a number that this check measures.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(super) fn takes(&self, threshold: &str) -> Result<(), String> {
        Thresholds::parse(self.metrics, &[threshold.to_owned()], &[]).map(|_| ())
    }
}

/// The entry of a check.
pub(crate) const fn entry<C: Check>() -> Entry {
    Entry {
        name: C::NAME,
        aspects: C::aspects,
        metrics: C::METRICS,
        variables: C::VARIABLES,
        of_sessions: C::OF_SESSIONS,
        command: C::command,
        main: cli::main_of::<Run<C>>,
        plan: plan::<C>,
    }
}

fn plan<C: Check>(
    target: &TargetConfig,
    config: &Config,
    args: &[OsString],
    also: &Selection,
    plan: &mut Plan,
) -> anyhow::Result<TargetFacts> {
    let Expanded { check, .. } = expand_target::<C>(target, config, args)?;
    let shared = check.shared();
    let blame = |error| config.blame(target, &C::command(), C::METRICS, error);
    // Wrong thresholds and patterns are mistakes of the file; what only this host lacks now is a finding.
    shared.thresholds(C::METRICS).map_err(blame)?;
    shared.selection().map_err(blame)?;
    let time = shared.plan_timeout();
    if let Err(error) = check.targets() {
        return Ok(TargetFacts { time, broken: Some(process::chain(error.as_ref())) });
    }
    plan.add(&check, also, &[]).map_err(blame)?;
    Ok(TargetFacts { time, broken: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_known_by_their_names() {
        let names: Vec<_> = CHECKS.iter().map(|entry| entry.name).collect();
        assert!(names.is_sorted());
        for name in names {
            assert_eq!((Entry::of(name).unwrap().command)().get_name(), format!("check-{name}"));
        }
        assert!(Entry::of("all").is_none());
    }
}
