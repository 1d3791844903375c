//! Ranges that were given for numbers: what measures them is looked at, and what nobody measures is told.

use super::{AspectFacts, Check, MetricKind, Planned, ProbeArgs};

/// The aspects of a target that are looked at when nobody names any: those of the kind of probe, those that options
/// were given for, and those that measure what ranges were given for, with what these build on.
pub(super) fn usual(
    aspects: &[(usize, AspectFacts)],
    shared: &ProbeArgs,
    kinds: &'static [MetricKind],
) -> Vec<&'static str> {
    let all = || aspects.iter().map(|(_, facts)| facts);
    let is_usual = |facts: &&AspectFacts| {
        (facts.kind <= shared.probe && !facts.on_request) || shared.asked.names(facts.name())
    };
    let mut usual: Vec<_> = all().filter(is_usual).map(AspectFacts::name).collect();
    for (_, metric) in &shared.asked.ranges {
        let Some(kind) = kinds.iter().find(|kind| kind.has(metric)) else { continue };
        if kind.aspects.is_empty() || usual.iter().any(|aspect| kind.is_of(aspect)) {
            continue;
        }
        let rank = |facts: &AspectFacts| (facts.on_request, facts.kind);
        let of = || all().filter(|facts| kind.is_of(facts.name()));
        let least = of().map(rank).min();
        for facts in of().filter(|facts| Some(rank(facts)) == least) {
            usual.push(facts.name());
            usual.extend(facts.after);
        }
    }
    usual
}

/// Notes with the last test of a target that may measure a number for which a range was given that by then it is
/// measured. What tells of the time since the last run is not, the first time.
pub(super) fn note_due(tests: &mut [Planned]) {
    let Some(first) = tests.first() else { return };
    let mut given: Vec<_> = first.settings.thresholds.given().collect();
    given.sort_by_key(|(name, _)| *name);
    given.dedup_by_key(|(name, _)| *name);
    let due = given.into_iter().filter(|(name, kind)| !kind.is_change(name));
    let due: Vec<_> = due.map(|(name, kind)| (name.to_owned(), kind)).collect();
    for (name, kind) in due {
        let ids = tests.iter().filter(|test| kind.is_of(test.aspect)).map(|test| test.id.clone()).collect();
        if let Some(last) = tests.iter_mut().rev().find(|test| kind.is_of(test.aspect)) {
            last.due.push((name, ids));
        }
    }
}

/// That nothing has measured what a range was given for.
pub(super) fn missing(names: &[&str]) -> String {
    let hint = if names.iter().any(|name| name.ends_with("_p99")) {
        " (it takes a hundred samples: --samples)"
    } else {
        ""
    };
    format!("nothing has measured {}{hint}, for which a range was given", names.join(" and "))
}

/// A number that the command line gives a range for.
pub(super) struct Wanted {
    option: String,
    metric: String,
    pub(super) aspects: &'static [&'static str],
    /// Whether a test that was chosen may measure it.
    is_met: bool,
    /// Whether tests were left out by name: then one range may be meant for another.
    is_narrow: bool,
}

impl Wanted {
    /// Those of a check, of which these tests were chosen. Whoever lists the tests knows what is left out.
    pub(super) fn of<C: Check>(shared: &ProbeArgs, chosen: &[Planned], is_narrow: bool) -> Vec<Self> {
        let ranges = shared.asked.ranges.iter().filter(|_| shared.load_list.is_none());
        let wanted = ranges.filter_map(|(option, metric)| {
            let kind = C::METRICS.iter().find(|kind| kind.has(metric))?;
            let is_met = chosen.iter().any(|test| kind.is_of(test.aspect));
            let (option, metric) = (option.clone(), metric.clone());
            Some(Wanted { option, metric, aspects: kind.aspects, is_met, is_narrow })
        });
        wanted.collect()
    }

    /// Those of these that no test of any target measures.
    pub(super) fn unmet(all: &[Self]) -> impl Iterator<Item = &Self> {
        let is_met = |one: &Self| all.iter().any(|other| other.is_met && other.metric == one.metric);
        all.iter().filter(move |one| !is_met(one) && !one.aspects.is_empty())
    }

    /// Whether it is wrong, and not just of no use with the tests that were chosen.
    pub(super) fn is_wrong(&self) -> bool {
        !self.is_narrow
    }

    /// What is wrong with it; `need` says what it takes for the targets to have such an aspect.
    pub(super) fn why(&self, need: Option<String>) -> String {
        let Wanted { option, metric, aspects, .. } = self;
        let way = need.unwrap_or_else(|| {
            let only: Vec<_> = aspects.iter().map(|aspect| format!("--only {aspect}")).collect();
            format!("nothing that is selected measures it; {} does", only.join(" or "))
        });
        format!("{option} {metric} is for {}: {way}", aspects.join(" and "))
    }
}
