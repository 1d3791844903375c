//! A target as it will be checked: its tests, and the command line of the process that does it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches};
use cli::{OptionFacts, OptionValue, suggest};
use probe::{ExpectedFailure, Plan, Planned, ProbeArgs, Selection};
use subunit::part;
use transport::Site;

use super::args::{Given, option, values};
use super::registry::{CHECKS, Entry, TargetFacts};
use super::remote::RemoteArgs;
use crate::config::{Config, TargetConfig};

/// How much earlier than its process a check has to end by itself, so that it can say what hangs.
const MARGIN: Duration = Duration::from_millis(500);

/// A target as it will be checked.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) entry: &'static Entry,
    /// Its tests; none when nothing of it is selected.
    pub(super) tests: Vec<Planned>,
    /// Why it cannot be looked at.
    pub(super) broken: Option<String>,
    /// The units that it builds on.
    pub(super) after: Vec<usize>,
    /// Where it is looked at from.
    pub(super) site: Site,
    /// Two of the same place are not checked at the same time: they would find each other's locks.
    pub(super) place: Option<String>,
    /// How long all its tests may take, with the way to where they are run.
    pub(super) time: Duration,
    /// The state file, where one is kept for a check that is run elsewhere.
    pub(super) state: Option<PathBuf>,
    /// The options of its check.
    pub(super) options: Vec<Setting>,
}

/// All units of a configuration, and the plan that their tests are from.
#[derive(Debug)]
pub(super) struct Units {
    pub(super) units: Vec<Unit>,
    pub(super) plan: Plan,
}

impl Units {
    /// Of the targets of a configuration that the arguments choose.
    ///
    /// # Errors
    ///
    /// When the configuration or the arguments are wrong.
    pub(super) fn new(
        config: &Config,
        shared: &ProbeArgs,
        remote: &RemoteArgs,
        given: &Given,
    ) -> anyhow::Result<Self> {
        let also = shared.selection()?;
        ensure_measured(config, given)?;
        let mut units = Units::chosen_by(&also, config, shared, remote, given)?;
        if let Some(wider) = units.plan.widened(&also) {
            units = Units::chosen_by(&wider, config, shared, remote, given)?;
        }
        if units.units.iter().all(|unit| unit.broken.is_none()) {
            units.plan.ensure_selected(&also)?;
        }
        Ok(units)
    }

    fn chosen_by(
        also: &Selection,
        config: &Config,
        shared: &ProbeArgs,
        remote: &RemoteArgs,
        given: &Given,
    ) -> anyhow::Result<Self> {
        let mut units = Units { units: Vec::new(), plan: Plan::new() };
        let targets = chosen(config, &shared.name)?;
        remote.ensure_used(&targets, config)?;
        for target in targets {
            let sites = remote.sites(target, config)?;
            let unit = units.unit(target, config, shared, given, also)?;
            let at = |site| units.at(&unit, target, site, remote);
            let all: Vec<_> = sites.into_iter().map(at).collect();
            units.units.extend(all);
        }
        ensure!(!units.units.is_empty(), "{} has no targets", config.path.display());
        Ok(units)
    }

    fn unit(
        &mut self,
        target: &TargetConfig,
        config: &Config,
        shared: &ProbeArgs,
        given: &Given,
        also: &Selection,
    ) -> anyhow::Result<Unit> {
        let entry = entry_of(target, config)?;
        let args = arguments(target, entry, shared, given);
        let begin = self.plan.tests().len();
        let TargetFacts { time, broken } = (entry.plan)(target, config, &args, also, &mut self.plan)?;
        let tests = part(self.plan.tests(), begin..).to_vec();
        let effective = Effective::new(target, config, entry, &args)?;
        Ok(Unit {
            name: target.name.clone(),
            entry,
            broken,
            after: Vec::new(),
            site: Site::Here,
            state: None,
            place: effective.place(entry),
            options: effective.settings(&tests),
            tests,
            time,
        })
    }

    /// The same, looked at from there: after those it builds on as seen from there, else from wherever.
    fn at(&self, unit: &Unit, target: &TargetConfig, site: Site, remote: &RemoteArgs) -> Unit {
        let before = |name: &String| {
            let all = || self.units.iter().enumerate().filter(move |(_, other)| other.name == *name);
            let same: Vec<_> =
                all().filter(|(_, other)| other.site == site).map(|(index, _)| index).collect();
            if same.is_empty() { all().map(|(index, _)| index).collect() } else { same }
        };
        let after = target.after.iter().flat_map(before).collect();
        let mut unit = Unit { after, ..unit.clone() };
        if let Some(name) = site.name() {
            unit.time = unit.time.saturating_add(remote.way());
            unit.state = unit.take_state(&name);
        }
        Unit { site, ..unit }
    }
}

impl Unit {
    /// The ids of its tests.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.tests.iter().map(|test| test.id.clone()).collect()
    }

    /// Takes the state's file out of the options: there is one for each place.
    fn take_state(&mut self, place: &str) -> Option<PathBuf> {
        let is_it = |setting: &Setting| setting.facts.value == OptionValue::State;
        let setting = self.options.iter().position(is_it).map(|index| self.options.remove(index))?;
        let mut path = setting.value?;
        path.push(format!(".{place}"));
        Some(PathBuf::from(path))
    }

    /// What its check is started with that has so long, and reads the tests to run from its input.
    pub(super) fn settings(&self, left: Duration) -> Vec<Setting> {
        // It has to end by itself, even where its time is short.
        let own = left.saturating_sub(MARGIN).max(left / 2);
        let time = format!("{}ms", own.as_millis().max(1));
        let fixed =
            [("format", "subunit"), ("route", ""), ("color", "never"), ("plan-timeout", time.as_str())];
        let fixed = fixed.into_iter().map(|(long, value)| Setting::of_run(long, value));
        self.options.iter().cloned().chain(fixed).collect()
    }
}

/// The targets of these names, all when there are none.
pub(super) fn chosen<'a>(config: &'a Config, names: &[String]) -> anyhow::Result<Vec<&'a TargetConfig>> {
    let all = || config.targets.iter().map(|target| target.name.as_str());
    if let Some(name) = names.iter().find(|name| !all().any(|other| other == *name)) {
        bail!("{} has no target {name}{}", config.path.display(), suggest(name, all()));
    }
    let is_chosen = |target: &&TargetConfig| names.is_empty() || names.contains(&target.name);
    Ok(config.targets.iter().filter(is_chosen).collect())
}

/// The check of a target.
pub(super) fn entry_of(target: &TargetConfig, config: &Config) -> anyhow::Result<&'static Entry> {
    Entry::of(&target.check).ok_or_else(|| {
        let suggestion = suggest(&target.check, CHECKS.iter().map(|entry| entry.name));
        let (place, check) = (config.place(target, "check"), &target.check);
        anyhow!("{place}: there is no check `{check}`{suggestion}")
    })
}

/// Whether each range of the command line is of a number that some check measures.
fn ensure_measured(config: &Config, given: &Given) -> anyhow::Result<()> {
    for (_, range) in &given.ranges {
        let of = |target: &TargetConfig| Entry::of(&target.check).map(|entry| entry.takes(range));
        let taken: Vec<_> = config.targets.iter().filter_map(of).collect();
        if let (false, Some(Err(error))) = (taken.iter().any(Result::is_ok), taken.first()) {
            bail!("{error}");
        }
    }
    Ok(())
}

/// What a target's check would be called with, had the command line been its own; the program's name first.
pub(super) fn arguments(
    target: &TargetConfig,
    entry: &Entry,
    shared: &ProbeArgs,
    given: &Given,
) -> Vec<OsString> {
    let mut args = vec![OsString::from(format!("check-{}", entry.name))];
    args.extend(given.options.iter().cloned());
    let ranges = given.ranges.iter().filter(|(_, range)| entry.takes(range).is_ok());
    args.extend(ranges.map(|(id, range)| OsString::from(format!("--{id}={range}"))));
    if let Some(path) = &shared.state_file {
        let mut own = path.clone().into_os_string();
        own.push(format!(".{}", target.name));
        args.push(option("state-file", &own));
    }
    args
}

/// An option as the process that checks gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Its long name.
    pub(super) long: String,
    /// None of a flag.
    pub(super) value: Option<OsString>,
    /// What it says of itself.
    pub(super) facts: OptionFacts,
}

impl Setting {
    fn of_run(long: &str, value: &str) -> Self {
        Setting { long: long.to_owned(), value: Some(value.into()), facts: OptionFacts::RUN }
    }

    /// The word of a command line that says so.
    pub(super) fn word(&self) -> OsString {
        match &self.value {
            Some(value) => option(&self.long, value),
            None => OsString::from(format!("--{}", self.long)),
        }
    }
}

/// An option in force for a target.
#[derive(Clone, Debug)]
pub(super) struct OptionInForce {
    /// Its values; a flag has none.
    pub(super) values: Vec<OsString>,
    /// Whether it was given or is the usual one.
    pub(super) source: ValueSource,
    /// What it says of itself.
    pub(super) facts: OptionFacts,
}

/// All options in force for a target.
#[derive(Debug)]
pub(super) struct Effective {
    command: clap::Command,
    matches: ArgMatches,
}

impl Effective {
    /// What the file says of the target, and these arguments.
    pub(super) fn new(
        target: &TargetConfig,
        config: &Config,
        entry: &Entry,
        args: &[OsString],
    ) -> anyhow::Result<Self> {
        let mut command = (entry.command)().args_override_self(true);
        command.build();
        let own = target.arguments(&config.defaults, &command)?;
        let (program, given) = args.split_first().context("a program has a name")?;
        let all = std::iter::once(program).chain(&own).chain(given);
        let matches = command.clone().try_get_matches_from(all)?;
        Ok(Effective { command, matches })
    }

    /// The options that hold, by their long names.
    pub(super) fn options(&self) -> BTreeMap<String, OptionInForce> {
        let mut all = BTreeMap::new();
        for argument in self.command.get_arguments() {
            let id = argument.get_id().as_str();
            let source = self.matches.value_source(id);
            let (Some(long), Some(source)) = (argument.get_long(), source) else { continue };
            let facts = OptionFacts::of(argument);
            let takes_values = argument.get_action().takes_values();
            if takes_values {
                let values = values(&self.matches, id).collect();
                all.insert(long.to_owned(), OptionInForce { values, source, facts });
            } else if matches!(argument.get_action(), ArgAction::SetTrue) && self.matches.get_flag(id) {
                all.insert(long.to_owned(), OptionInForce { values: Vec::new(), source, facts });
            }
        }
        all
    }

    /// What was given, for the process that checks; known outages are those of its tests.
    fn settings(&self, tests: &[Planned]) -> Vec<Setting> {
        let concerns = |value: &OsString| {
            let known = ExpectedFailure::parse(&value.to_string_lossy());
            known.is_ok_and(|known| tests.iter().any(|test| known.names(&test.id)))
        };
        let mut settings = Vec::new();
        for (long, OptionInForce { values, source, facts }) in self.options() {
            if source == ValueSource::DefaultValue {
                continue;
            }
            let setting = |value| Setting { long: long.clone(), value, facts };
            if values.is_empty() {
                settings.push(setting(None));
            }
            let is_of_tests = |value: &OsString| facts.value != OptionValue::Test || concerns(value);
            settings.extend(values.into_iter().filter(is_of_tests).map(|value| setting(Some(value))));
        }
        settings
    }

    /// What is looked at, as far as it is a place that two processes lock.
    fn place(&self, entry: &Entry) -> Option<String> {
        let is_place = |held: &OptionInForce| held.facts.value == OptionValue::Place;
        let path: PathBuf = self.options().into_values().find(is_place)?.values.first()?.into();
        let path: PathBuf = path.components().collect();
        Some(format!("{} {}", entry.name, OsStr::new(&path).display()))
    }
}
