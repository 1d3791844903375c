//! Which of the listed tests are run, and in what order.

use std::collections::HashSet;
use std::fs;
use std::hash::BuildHasher as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cli::query::{LastTime, Query, of_tests};
use fancy_regex::Regex;
use repository::{Repository, RunId};
use runner::suite::{Listing, Tests, owner};

use super::part::Part;
use super::sample::Sample;

/// How many runs are looked at for what a test did when it last ran.
const RUNS: usize = 20;

/// Which tests are run.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Which tests, in what order")]
pub(super) struct ChoiceArgs {
    /// Run only the tests that are failing by earlier runs
    #[arg(long, conflicts_with = "command")]
    failing: bool,
    /// Run only the tests that this query means, by their ids and by what they did when they last ran, such as
    /// 'is:fail -boot >10s': see `subunit help selectors`
    #[arg(
        long,
        value_name = "QUERY",
        value_parser = of_tests,
        allow_hyphen_values = true,
        conflicts_with = "command"
    )]
    only: Option<Query>,
    /// Run only the tests whose ids are in this file, one per line
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    load_list: Option<PathBuf>,
    /// Do not run the tests in whose ids this regular expression is found; may be repeated
    #[arg(long, visible_alias = "exclude-regex", value_name = "REGEX", conflicts_with = "command")]
    exclude: Vec<String>,
    /// Run them in a random order; the same SEED gives the same order of the same tests
    #[arg(
        long,
        value_name = "SEED",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "command"
    )]
    random: Option<Option<u64>>,
    /// Run those first that are failing by earlier runs
    #[arg(long, conflicts_with = "command")]
    failing_first: bool,
    /// Run only N of them, chosen at random; the same SEED gives the same ones of the same tests
    #[arg(long, value_name = "N[:SEED]", conflicts_with = "command")]
    sample: Option<Sample>,
}

/// The tests that are run.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) ids: Vec<String>,
    /// Whether these are all tests there are.
    pub(super) is_all: bool,
    /// Those that are run before the others.
    pub(super) first: HashSet<String>,
    /// What there is to say about it.
    notes: Vec<String>,
    /// The ids of a list that somebody made of which there are no tests.
    missing: Option<HashSet<String>>,
}

impl ChoiceArgs {
    /// Whether they are run in the order in which they were chosen, not the longest first.
    pub(super) fn keeps_order(&self) -> bool {
        self.random.is_some()
    }

    /// Whether not all tests are wanted.
    fn is_given(&self, filters: &[String]) -> bool {
        !filters.is_empty()
            || !self.exclude.is_empty()
            || self.failing
            || self.only.is_some()
            || self.load_list.is_some()
            || self.sample.is_some()
    }

    /// Chooses among what was listed, and says what there is to say about it.
    pub(super) fn of_parts<'r>(
        &self,
        parts: &[Part<'_>],
        tasks: &Chosen,
        filters: &[String],
        repository: &impl Fn() -> anyhow::Result<&'r Repository>,
    ) -> anyhow::Result<(Vec<Chosen>, Vec<String>)> {
        let choose = |part: &Part<'_>| self.of_listing(&part.listing, filters, repository);
        let mut chosen: Vec<Chosen> = parts.iter().map(choose).collect::<anyhow::Result<_>>()?;
        let mut notes: Vec<String> = chosen.iter().flat_map(|chosen| chosen.notes.iter().cloned()).collect();
        notes.dedup();
        notes.extend(self.sample.as_ref().and_then(|sample| sample.take(&mut chosen)));
        // What neither a suite nor a task is.
        let missing = chosen.iter().chain([tasks]).filter_map(|chosen| chosen.missing.clone());
        let missing = missing.reduce(|one, other| one.intersection(&other).cloned().collect());
        let first = missing.as_ref().and_then(|missing| missing.iter().min());
        if let (Some(first), Some(list), Some(missing)) = (first, &self.load_list, &missing) {
            let (list, count) = (list.display(), missing.len());
            notes.push(format!(
                "{list}: {count} of its ids are not run, since no such test is chosen: {first:?} and so on"
            ));
        }
        Ok((chosen, notes))
    }

    /// Chooses among what was listed.
    fn of_listing<'r>(
        &self,
        listing: &Listing,
        filters: &[String],
        repository: &impl Fn() -> anyhow::Result<&'r Repository>,
    ) -> anyhow::Result<Chosen> {
        match listing {
            Listing::Tests(tests) => self.choose(tests, filters, repository),
            Listing::Unknown if self.is_given(filters) => {
                bail!(
                    "no tests can be chosen: the configuration does not say how to list them (test_list_option)"
                )
            }
            _ => Ok(Chosen::default()),
        }
    }

    /// Chooses among these tests.
    pub(super) fn choose<'r>(
        &self,
        tests: &Tests,
        filters: &[String],
        repository: &impl Fn() -> anyhow::Result<&'r Repository>,
    ) -> anyhow::Result<Chosen> {
        let (mut ids, mut notes) = (tests.ids(), Vec::new());
        let (all, mut missing) = (ids.len(), None);
        let (filters, excluded) = (patterns(filters)?, patterns(&self.exclude)?);
        if !filters.is_empty() {
            retain(&mut ids, |id| is_found(&filters, id))?;
        }
        retain(&mut ids, |id| Ok(!is_found(&excluded, id)?))?;
        if let Some(path) = &self.load_list {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            missing = Some(only(tests, &mut ids, text.lines().filter(|line| !line.is_empty())));
        }
        if self.failing {
            let failing = repository()?.failing()?;
            only(tests, &mut ids, failing.tests.iter().map(|test| test.test_id.as_str()));
        }
        if let Some(query) = &self.only {
            meant(&mut ids, query, repository()?)?;
        }
        let is_all = ids.len() == all;
        if let Some(seed) = self.random {
            let seed = seed.unwrap_or_else(any_seed);
            notes.push(format!("in random order: --random={seed} gives it again"));
            shuffle(&mut ids, seed);
        }
        let mut first = HashSet::new();
        if self.failing_first {
            let failing = repository()?.failing()?;
            let mut own = ids.clone();
            only(tests, &mut own, failing.tests.iter().map(|test| test.test_id.as_str()));
            first.extend(own);
        }
        Ok(Chosen { ids, is_all, first, notes, missing })
    }
}

/// Keeps the tests that a query means, by what they did when they last ran.
fn meant(ids: &mut Vec<String>, query: &Query, repository: &Repository) -> anyhow::Result<()> {
    let past = repository.past(RunId(u32::MAX), RUNS)?;
    ids.retain(|id| {
        let mut times = past.get(id).iter();
        let (last, before) = (times.next(), times.next());
        let last = LastTime {
            outcome: last.map(|last| (last.outcome, last.flaky)),
            took: last.and_then(|last| last.duration),
            is_new: before.is_some_and(|before| !before.outcome.is_failure()),
        };
        query.matches_before_run(id, &last)
    });
    Ok(())
}

fn patterns(texts: &[String]) -> anyhow::Result<Vec<Regex>> {
    let compile =
        |text: &String| Regex::new(text).with_context(|| format!("{text:?} is no regular expression"));
    texts.iter().map(compile).collect()
}

fn is_found(patterns: &[Regex], id: &str) -> anyhow::Result<bool> {
    for pattern in patterns {
        if pattern.is_match(id).with_context(|| format!("{:?} takes too long", pattern.as_str()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn retain(ids: &mut Vec<String>, mut keep: impl FnMut(&str) -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let mut kept = Vec::with_capacity(ids.len());
    for id in std::mem::take(ids) {
        if keep(&id)? {
            kept.push(id);
        }
    }
    *ids = kept;
    Ok(())
}

/// Keeps only these, and those that hold them; says which are not there.
fn only<'w>(tests: &Tests, ids: &mut Vec<String>, wanted: impl Iterator<Item = &'w str>) -> HashSet<String> {
    let mut wanted: HashSet<&str> = wanted.collect();
    let known: HashSet<String> = ids.iter().cloned().collect();
    let mut holders = HashSet::new();
    wanted.retain(|id| match owner(id, tests.subtests.as_deref(), |id| known.contains(id)) {
        Some(holder) => {
            holders.insert(holder);
            false
        }
        None => true,
    });
    ids.retain(|id| holders.contains(id.as_str()));
    wanted.into_iter().map(str::to_owned).collect()
}

/// Some seed, short enough to be typed.
pub(super) fn any_seed() -> u64 {
    foldhash::quality::RandomState::default().hash_one(0) % 100_000
}

/// The order of Fisher and Yates, by numbers that are the same for the same seed.
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let below = u64::try_from(last).unwrap_or(u64::MAX) + 1;
        items.swap(last, usize::try_from((state >> 33) % below).unwrap_or(last));
    }
}
