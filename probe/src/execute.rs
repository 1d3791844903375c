//! From the arguments of a check to its output: the command.

use std::ffi::OsString;

use cli::{Codes, Streams, Verdict};

use super::render::{Rendering, render};
use super::state;
use super::{Check, Explained, Planner, ProbeArgs, ResultFormat, RunOptions, StateFile, run};

/// Runs a check, with the targets that `P` plans for its arguments. `args` is the command line that these arguments
/// come from, the program's name first.
///
/// # Errors
///
/// When the arguments are wrong, or what the plan is made of, or when the output cannot be written.
pub fn execute<C: Check, P: Planner>(
    check: &C,
    args: &[OsString],
    streams: Streams<'_>,
) -> anyhow::Result<Verdict> {
    let shared = check.shared();
    if let Some(task) = &shared.internal_task {
        let done = state::help(task).unwrap_or_else(|| check.help(task));
        return done.map(|()| Verdict::Passed);
    }
    if shared.explain {
        let explained = Explained { command: C::command(), aspects: C::aspects(), metrics: C::METRICS };
        return explain(&[explained], shared, streams);
    }
    let mut plan = P::plan(check, args)?;
    for note in plan.notes() {
        writeln!(streams.errors, "check-{}: {note}", C::NAME)?;
    }
    let mut state = None;
    if let Some(path) = shared.state_file.as_ref().filter(|_| !shared.list && !shared.dry_run) {
        let (opened, warnings) = StateFile::open_apart(C::NAME, path, &streams.interrupt);
        for warning in warnings {
            writeln!(streams.errors, "check-{}: {warning}", C::NAME)?;
        }
        state = Some(opened);
    }
    let interrupt = streams.interrupt.clone();
    let options = RunOptions {
        list: shared.list,
        dry_run: shared.dry_run,
        plan_timeout: shared.plan_timeout(),
        route_code: shared.route_code(),
        state: state.as_mut(),
        interrupt: &interrupt,
    };
    let rendering = Rendering::new(C::NAME, shared, args, &streams.terminal);
    let verdict = render(&rendering, streams.output, |result| run(&mut plan, options, result));
    if let Some(Err(warning)) = state.map(|state| state.save()) {
        writeln!(streams.errors, "check-{}: {warning}", C::NAME)?;
    }
    verdict
}

/// Writes what checks declare, in the format that the arguments ask for.
///
/// # Errors
///
/// When it cannot be written.
pub fn explain(all: &[Explained], shared: &ProbeArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
    let texts: Vec<_> = match shared.format {
        Some(ResultFormat::Json) => all.iter().map(Explained::json).collect(),
        _ => all.iter().map(Explained::text).collect(),
    };
    let between = if shared.format == Some(ResultFormat::Json) { "" } else { "\n" };
    streams.output.write_all(texts.join(between).as_bytes())?;
    Ok(Verdict::Passed)
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
