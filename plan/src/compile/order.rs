//! Who builds on whom, by the names in the file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cli::suggest;

use super::{Part, Plan, Written};
use crate::file::At;
use crate::graph::Step;

/// What a suite or task says of its order.
pub(crate) struct Said<'a> {
    /// `task.bounce`, for people.
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) offset: usize,
    pub(crate) after: &'a [At<String>],
    pub(crate) requires: &'a [At<String>],
    pub(crate) produces: &'a [At<String>],
    pub(crate) always: bool,
    /// Its units, by their names.
    pub(crate) units: Vec<(String, Part)>,
}

/// Resolves all names, and refuses what leads nowhere or in a circle.
pub(crate) fn order(written: &Written<'_>, mut all: Vec<Said<'_>>) -> Result<(Vec<Step>, Vec<Part>)> {
    all.sort_by_key(|said| said.offset);
    let mut units: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut producers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut count = 0;
    for said in &all {
        let own: Vec<usize> = (count..count + said.units.len()).collect();
        count += said.units.len();
        for datum in said.produces {
            producers.entry(datum.as_str()).or_default().extend(&own);
        }
        if units.insert(said.name, own).is_some() {
            let what = format!("there are a task and a suite {}: one of them needs another name", said.name);
            return Err(written.source.wrong(said.offset, what));
        }
    }
    let (mut steps, mut parts) = (Vec::new(), Vec::new());
    for said in &all {
        let find = |names: &[At<String>], known: &BTreeMap<&str, Vec<usize>>, lacks: &str| {
            let units = |name: &At<String>| {
                known.get(name.as_str()).cloned().ok_or_else(|| {
                    let guess = suggest(name, known.keys().copied());
                    let (kind, own) = (said.kind, said.name);
                    written
                        .source
                        .wrong(name.offset(), format!("{kind}.{own}: {lacks} {}{guess}", name.as_str()))
                })
            };
            names.iter().map(units).collect::<Result<Vec<Vec<usize>>>>()
        };
        let after = find(said.after, &units, "there is no task or suite")?.concat();
        let data = find(said.requires, &producers, "no task produces")?;
        for (name, part) in &said.units {
            steps.push(Step {
                name: name.clone(),
                after: after.clone(),
                data: said.requires.iter().map(|name| name.to_string()).collect(),
                producers: data.clone(),
                always: said.always,
                alone: matches!(part, Part::Suite(_)),
            });
            parts.push(*part);
        }
    }
    if let Some(circle) = circle(&steps) {
        let names: Vec<&str> =
            circle.iter().filter_map(|unit| Some(steps.get(*unit)?.name.as_str())).collect();
        let first = circle.first().copied().unwrap_or_default();
        let offset = all.iter().find(|said| units.get(said.name).is_some_and(|own| own.contains(&first)));
        let what = format!("none of these can begin, since each waits for the next: {}", names.join(", "));
        return Err(written.source.wrong(offset.map(|said| said.offset).unwrap_or_default(), what));
    }
    Ok((steps, parts))
}

/// All that a unit waits for.
fn grounds(step: &Step) -> impl Iterator<Item = usize> {
    step.after.iter().copied().chain(step.producers.iter().flatten().copied())
}

/// Units that wait for each other, beginning and ending with the same one.
fn circle(steps: &[Step]) -> Option<Vec<usize>> {
    let mut sound = BTreeSet::new();
    (0..steps.len()).find_map(|unit| walk(steps, unit, &mut Vec::new(), &mut sound))
}

fn walk(
    steps: &[Step],
    unit: usize,
    way: &mut Vec<usize>,
    sound: &mut BTreeSet<usize>,
) -> Option<Vec<usize>> {
    if sound.contains(&unit) {
        return None;
    }
    if let Some(at) = way.iter().position(|other| *other == unit) {
        let mut circle = way.split_off(at);
        circle.push(unit);
        return Some(circle);
    }
    way.push(unit);
    let found = steps.get(unit).and_then(|step| grounds(step).find_map(|next| walk(steps, next, way, sound)));
    way.pop();
    sound.insert(unit);
    found
}

/// The units that are chosen by these, with all that they need, and what cleans up after them.
pub(super) fn chosen(plan: &Plan, first: &[usize]) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    let mut waiting = first.to_vec();
    while let Some(unit) = waiting.pop() {
        if chosen.insert(unit) {
            waiting.extend(plan.steps.get(unit).into_iter().flat_map(grounds));
        }
    }
    let cleans = |step: &Step| step.always && step.after.iter().any(|before| chosen.contains(before));
    let cleaning: Vec<usize> =
        plan.steps.iter().enumerate().filter(|(_, step)| cleans(step)).map(|(unit, _)| unit).collect();
    chosen.extend(cleaning);
    chosen
}
