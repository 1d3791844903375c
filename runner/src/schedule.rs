//! What runs when: a state machine that neither reads, writes nor waits.
//!
//! A unit is waiting, running or done. It may begin when all that it comes after is done and there is room for it:
//! among all that run, at its node, and at what it has for itself alone. Units are taken in their order, so the same
//! reports lead to the same decisions.

use std::time::Duration;

use crate::Order;

/// Something that is run, as far as it matters when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its name, for people.
    pub name: String,
    /// The units that must be done before it begins, by their numbers, which are smaller than its own.
    pub after: Vec<usize>,
    /// The node that it runs at; `None` is this machine.
    pub node: Option<String>,
    /// What it has for itself alone, at its node.
    pub exclusive: Option<String>,
    /// How long it may take.
    pub time: Duration,
}

/// How much runs at the same time, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Units, all together.
    pub units: usize,
    /// Units at one node other than this machine.
    pub per_node: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Done,
}

/// Decides which unit may begin.
///
/// ```
/// use runner::{Capacity, Order, Schedule, Unit};
///
/// let units = vec![Unit::default(), Unit { after: vec![0], ..Unit::default() }];
/// let mut schedule = Schedule::new(units, Capacity { units: 4, per_node: 4 });
/// assert_eq!(schedule.next(), Some(0));
/// schedule.begin(0);
/// assert_eq!(schedule.next(), None);
/// schedule.end(0);
/// assert_eq!(schedule.next(), Some(1));
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    units: Vec<Unit>,
    stages: Vec<Stage>,
    capacity: Capacity,
}

impl Schedule {
    /// Of these units, of which none has begun.
    #[must_use]
    pub fn new(units: Vec<Unit>, capacity: Capacity) -> Self {
        let stages = vec![Stage::Waiting; units.len()];
        Schedule { units, stages, capacity }
    }

    /// How long all of it may take: as long as the longest chain of units that wait for each other, and longer where
    /// not all others fit in at once.
    #[must_use]
    pub fn time(&self) -> Duration {
        let mut chains: Vec<Duration> = Vec::new();
        for unit in &self.units {
            let before = unit.after.iter().filter_map(|number| chains.get(*number)).max();
            chains.push(unit.time.saturating_add(before.copied().unwrap_or_default()));
        }
        let longest = self.units.iter().map(|unit| unit.time).max().unwrap_or_default();
        let waves = self.units.len().saturating_sub(1) / self.capacity.units.max(1);
        let waiting = longest.saturating_mul(u32::try_from(waves).unwrap_or(u32::MAX));
        chains.into_iter().max().unwrap_or_default().saturating_add(waiting)
    }

    fn set(&mut self, number: usize, stage: Stage) {
        if let Some(own) = self.stages.get_mut(number) {
            *own = stage;
        }
    }

    fn is(&self, number: usize, stage: Stage) -> bool {
        self.stages.get(number).is_some_and(|own| *own == stage)
    }

    fn may_begin(&self, number: usize) -> bool {
        let Some(unit) = self.units.get(number) else { return false };
        self.is(number, Stage::Waiting)
            && unit.after.iter().all(|before| self.is(*before, Stage::Done))
            && self.running().count() < self.capacity.units
            && !self.is_taken(unit)
            && !self.is_crowded(unit)
    }

    fn running(&self) -> impl Iterator<Item = &Unit> {
        let all = self.units.iter().zip(&self.stages);
        all.filter(|(_, stage)| **stage == Stage::Running).map(|(unit, _)| unit)
    }

    /// Whether another one has what this one must have for itself.
    fn is_taken(&self, unit: &Unit) -> bool {
        let has_it = |other: &Unit| other.exclusive == unit.exclusive && other.node == unit.node;
        unit.exclusive.is_some() && self.running().any(has_it)
    }

    /// Whether its node has as many as it may.
    fn is_crowded(&self, unit: &Unit) -> bool {
        unit.node.is_some()
            && self.running().filter(|other| other.node == unit.node).count() >= self.capacity.per_node
    }
}

impl Order for Schedule {
    fn next(&self) -> Option<usize> {
        (0..self.units.len()).find(|number| self.may_begin(*number))
    }

    fn begin(&mut self, number: usize) {
        self.set(number, Stage::Running);
    }

    fn end(&mut self, number: usize) {
        self.set(number, Stage::Done);
    }

    fn name(&self, number: usize) -> String {
        self.units.get(number).map(|unit| unit.name.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(after: &[usize], node: &str, exclusive: &str) -> Unit {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Unit {
            after: after.to_vec(),
            node: some(node),
            exclusive: some(exclusive),
            time: Duration::from_secs(1),
            ..Unit::default()
        }
    }

    /// What begins together, again and again when all of that has ended.
    fn check(units: Vec<Unit>, capacity: (usize, usize), expected: &[&[usize]]) {
        let mut schedule = Schedule::new(units, Capacity { units: capacity.0, per_node: capacity.1 });
        let mut waves = Vec::new();
        while schedule.next().is_some() {
            let mut wave = Vec::new();
            while let Some(number) = schedule.next() {
                schedule.begin(number);
                wave.push(number);
            }
            wave.iter().for_each(|number| schedule.end(*number));
            waves.push(wave);
        }
        assert_eq!(waves, expected);
        assert!(schedule.running().next().is_none());
    }

    #[test]
    fn units_come_after_those_they_build_on() {
        check(vec![unit(&[], "", ""), unit(&[0], "", ""), unit(&[], "", "")], (9, 9), &[&[0, 2], &[1]]);
        check(
            vec![unit(&[], "", ""), unit(&[0], "", ""), unit(&[0, 1], "", "")],
            (9, 9),
            &[&[0], &[1], &[2]],
        );
    }

    #[test]
    fn no_more_run_than_there_is_room_for() {
        let units = || vec![unit(&[], "", ""); 5];
        check(units(), (2, 9), &[&[0, 1], &[2, 3], &[4]]);
        check(units(), (5, 1), &[&[0, 1, 2, 3, 4]]);
        let far = vec![unit(&[], "a", ""), unit(&[], "a", ""), unit(&[], "b", ""), unit(&[], "", "")];
        check(far, (9, 1), &[&[0, 2, 3], &[1]]);
    }

    #[test]
    fn what_is_for_one_alone_is_had_by_one_at_a_time() {
        let units = vec![unit(&[], "", "x"), unit(&[], "", "x"), unit(&[], "a", "x"), unit(&[], "", "y")];
        check(units, (9, 9), &[&[0, 2, 3], &[1]]);
    }

    #[test]
    fn the_time_is_that_of_the_longest_way_through() {
        let time = |units: Vec<Unit>, room| {
            Schedule::new(units, Capacity { units: room, per_node: 9 }).time().as_secs()
        };
        assert_eq!(time(Vec::new(), 1), 0);
        assert_eq!(time(vec![unit(&[], "", ""); 4], 4), 1);
        assert_eq!(time(vec![unit(&[], "", ""); 4], 1), 4);
        assert_eq!(time(vec![unit(&[], "", ""), unit(&[0], "", ""), unit(&[1], "", "")], 4), 3);
    }
}
