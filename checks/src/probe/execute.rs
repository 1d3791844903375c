//! From the arguments of a check to its output.

use std::ffi::OsString;

use anyhow::Context as _;
use cli::{Codes, Streams, Verdict};

use super::render::{Rendering, render};
use super::{Check, Plan, RunOptions, Selection, State, run};
use crate::config::{self, Expanded};

/// Runs a check: its targets are those of its arguments, else those of a configuration file, else what it finds.
/// `args` is the command line that these arguments come from, the program's name first.
///
/// # Errors
///
/// When the arguments or the configuration are wrong, or the output cannot be written.
pub fn execute<C: Check>(check: &C, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
    let shared = check.shared();
    if let Some(task) = &shared.internal_task {
        return check.help(task).map(|()| Verdict::Passed);
    }
    let mut plan = plan_of(check, args)?;
    let state = match &shared.state_file {
        Some(path) if !shared.list && !shared.dry_run => {
            let (state, warning) = State::open(path)
                .map_err(|error| anyhow::anyhow!("cannot use the state file {}: {error}", path.display()))?;
            if let Some(warning) = warning {
                writeln!(streams.errors, "check-{}: {warning}", C::NAME)?;
            }
            Some(state)
        }
        _ => None,
    };
    let interrupt = streams.interrupt.clone();
    let options = RunOptions {
        list: shared.list,
        dry_run: shared.dry_run,
        plan_timeout: shared.plan_timeout(),
        route_code: shared.route_code(),
        state,
        interrupt: &interrupt,
    };
    let rendering = Rendering::new(C::NAME, shared, args, &streams.terminal);
    render(&rendering, streams.output, |result| run(&mut plan, options, result))
}

/// The tests of a command line.
fn plan_of<C: Check>(check: &C, args: &[OsString]) -> anyhow::Result<Plan> {
    let mut plan = Plan::new();
    let expanded = config::expand(check, args)?;
    let Some(targets) = expanded else {
        let everything = Selection::default();
        plan.add(check, &everything, &[])?;
        plan.ensure_selected(&everything)?;
        return Ok(plan);
    };
    // What the command line selects is selected among the tests of all targets.
    let also = check.shared().selection()?;
    for Expanded { check, name, after } in targets {
        plan.add(&check, &also, &after).with_context(|| format!("target {name}"))?;
    }
    plan.ensure_selected(&also)?;
    Ok(plan)
}

/// The exit codes of all checks.
const EXITS: &str = cli::help!([
    Passed = "everything that was looked at is fine",
    Failed = "something failed",
    Error = "it could not be done: wrong arguments or configuration, nothing selected, output that cannot be written",
    Nothing = "every test was skipped",
    HungUp = "hung up (SIGHUP): what was begun has failed, and is cleaned up",
    Interrupted = "interrupted (SIGINT): what was begun has failed, and is cleaned up",
    Terminated = "terminated (SIGTERM): what was begun has failed, and is cleaned up",
]);

/// The end of a check's `--help`: examples, then the exit status.
#[must_use]
pub fn help_end(examples: &str) -> String {
    let of_plugins = Codes::OF_PLUGINS;
    format!(
        "Examples:\n{examples}\n\n{EXITS}\nWith --format nagios, or called by a name check_…: {of_plugins}"
    )
}
