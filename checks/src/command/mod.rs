//! `check-command`: every monitoring plugin is a check.

mod args;
mod output;
mod plugin;
mod target;

use std::path::Path;

use probe::{
    AnyTarget, Aspect, AspectFacts, Check, MetricKind, MetricUnit, ProbeArgs, ProbeKind, target_names,
};

pub use args::CheckCommand;
pub use output::{Datum, PluginOutput};

use target::CommandTarget;

/// The one thing that is looked at.
const ASPECTS: &[Aspect<CommandTarget>] =
    &[Aspect::new(&["result"], ProbeKind::Startup, "runs the plugin", CommandTarget::run)];

/// What a plugin took; its own numbers are known when they are seen.
const METRICS: &[MetricKind] = &[MetricKind::new("elapsed_seconds", MetricUnit::Seconds)];

impl Check for CheckCommand {
    const NAME: &'static str = "command";
    const METRICS: &'static [MetricKind] = METRICS;

    fn aspects() -> Vec<AspectFacts> {
        AspectFacts::of(ASPECTS)
    }

    fn shared(&self) -> &ProbeArgs {
        &self.probe
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.probe
    }

    fn is_named(&self) -> bool {
        !self.plugin.is_empty() || !self.words.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        let words = if self.plugin.is_empty() { &self.words } else { &self.plugin };
        let Some((program, arguments)) = words.split_first() else { return Ok(Vec::new()) };
        let short = Path::new(program).file_stem().unwrap_or_default().to_string_lossy();
        let names = target_names(&self.probe.name, &[(&short, &program.to_string_lossy())])?;
        let target = |name| {
            let arguments = arguments.to_vec();
            CommandTarget { name, program: program.clone(), arguments, grace: self.grace }
        };
        Ok(AnyTarget::all(names.into_iter().map(target), ASPECTS))
    }

    fn nothing() -> &'static str {
        "no plugin given; name the one to run, for example: check-command -- check_load -w 5,4,3 -c 10,8,6"
    }
}
