//! From a configuration file to the arguments of a check.

use std::ffi::OsString;

use anyhow::{Context as _, bail, ensure};
use clap::ArgMatches;
use clap::parser::ValueSource;
use probe::{Arguments, Asked, Check, Plan, Planner, Selection, parsed};

use super::{Config, TargetConfig, find};

/// A target of a file, as the check's command line would have it.
#[derive(Clone, Debug)]
pub struct Expanded<C> {
    /// The arguments.
    pub check: C,
    /// The target's name.
    pub name: String,
    /// The targets that it builds on.
    pub after: Vec<String>,
}

/// The planner of checks whose targets may stand in a configuration file: they are those of the arguments, else
/// those of the file, else what the check finds.
#[derive(Clone, Copy, Debug)]
pub struct Configured;

impl Planner for Configured {
    fn plan<C: Check>(check: &C, args: &[OsString]) -> anyhow::Result<Plan> {
        let Some(targets) = expand(check, args)? else { return Arguments::plan(check, args) };
        // What the command line selects is selected among the tests of all targets.
        let also = check.shared().selection()?;
        let mut plan = plan_of(&targets, &also)?;
        if let Some(wider) = plan.widened(&also) {
            plan = plan_of(&targets, &wider)?;
        }
        plan.ensure_selected(&also)?;
        Ok(plan)
    }
}

fn plan_of<C: Check>(targets: &[Expanded<C>], also: &Selection) -> anyhow::Result<Plan> {
    let mut plan = Plan::new();
    for Expanded { check, name, after } in targets {
        plan.add(check, also, after).with_context(|| format!("target {name}"))?;
    }
    Ok(plan)
}

/// The targets of the configuration file that holds for this command line; `None` when none does: a target is
/// named, or there is no file.
///
/// # Errors
///
/// When the file is wrong, or has no target for this check though it was named.
pub fn expand<C: Check>(check: &C, args: &[OsString]) -> anyhow::Result<Option<Vec<Expanded<C>>>> {
    let named = check.shared().config.as_deref();
    ensure!(
        named.is_none() || !check.is_named(),
        "--config names the targets; a target on the command line as well is one too many"
    );
    let Some(path) = named.map(ToOwned::to_owned).or_else(|| if check.is_named() { None } else { find() })
    else {
        return Ok(None);
    };
    let config = Config::read(&path)?;
    let (here, elsewhere): (Vec<_>, Vec<_>) = config.of(C::NAME).partition(|target| target.is_here());
    let targets = here.into_iter().map(|target| expand_target(target, &config, args));
    let targets: Vec<_> = targets.collect::<Result<_, _>>()?;
    match (targets.is_empty(), named) {
        (true, _) if !elsewhere.is_empty() => bail!(
            "all targets with check = \"{}\" in {} are looked at from elsewhere (`on`), which check-all does",
            C::NAME,
            path.display()
        ),
        (true, Some(path)) => bail!("{} has no target with check = \"{}\"", path.display(), C::NAME),
        (true, None) => Ok(None),
        (false, _) => Ok(Some(targets)),
    }
}

/// A target with what the command line `args` says as well; its patterns are not among that, since they choose
/// among the tests of all targets.
///
/// # Errors
///
/// When the target's options are wrong.
pub fn expand_target<C: Check>(
    target: &TargetConfig,
    config: &Config,
    args: &[OsString],
) -> anyhow::Result<Expanded<C>> {
    arguments(target, config, args).map_err(|error| config.blame(target, &C::command(), C::METRICS, error))
}

fn arguments<C: Check>(
    target: &TargetConfig,
    config: &Config,
    args: &[OsString],
) -> anyhow::Result<Expanded<C>> {
    let command = C::command();
    let program = OsString::from(command.get_name());
    let own = target.arguments(&config.defaults, &command)?;
    // Some options are of use with a state file only, which the command line names.
    let state = OsString::from("--state-file=none");
    let alone: C = parse([program.clone(), state].into_iter().chain(own.iter().cloned()))?;
    ensure!(alone.is_named(), "it does not say what to check");
    let given = args.iter().skip(1).cloned();
    let mut check: C = parse([program].into_iter().chain(own).chain(given))?;
    let shared = check.shared_mut();
    match asked_by_line::<C>(args) {
        Some((asked, true)) => shared.asked = asked,
        Some((asked, false)) => shared.asked.ranges = asked.ranges,
        None => {}
    }
    shared.only.clone_from(&alone.shared().only);
    shared.skip.clone_from(&alone.shared().skip);
    shared.load_list = None;
    shared.config = None;
    Ok(Expanded { check, name: target.name.clone(), after: target.after.clone() })
}

/// What the command line alone asks for, and whether it says how deep to look: a file that names a command or a folder
/// for when it is needed does not mean that now, and one with ranges never does.
fn asked_by_line<C: Check>(args: &[OsString]) -> Option<(Asked, bool)> {
    let command = C::command().args_override_self(true).ignore_errors(true);
    let matches: ArgMatches = command.clone().try_get_matches_from(args).ok()?;
    let says_kind = matches.value_source("probe") == Some(ValueSource::CommandLine);
    Some((Asked::of(&command, &matches), says_kind))
}

/// Reads a command line in which later options replace earlier ones.
fn parse<C: Check>(args: impl Iterator<Item = OsString>) -> anyhow::Result<C> {
    let read = || {
        let command = C::command().args_override_self(true);
        let matches = command.clone().try_get_matches_from(args)?;
        parsed::<C>(&command, &matches)
    };
    // The first line says it; usage and hints are those of a command line that nobody has typed.
    read().map_err(|error: clap::Error| {
        let text = error.render().to_string();
        let line = text.lines().next().unwrap_or_default();
        anyhow::anyhow!("{}", line.trim_start_matches("error: "))
    })
}
