//! What runs when: tasks and suites that build on each other, and what becomes of those whose ground gave way.
//!
//! A state machine that neither reads, writes nor waits, as [`runner::Schedule`] is, of which it differs in that it
//! knows how units ended: one is skipped when what it comes after failed, and a datum is had from the first of its
//! producers that passed, in the order of the file.

use runner::Order;

/// A unit of the plan, as far as it matters when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What people call it.
    pub name: String,
    /// The units that have to have passed.
    pub after: Vec<usize>,
    /// The data that it needs.
    pub data: Vec<String>,
    /// Of each of them, the units that make it.
    pub producers: Vec<Vec<usize>>,
    /// Whether it runs whatever became of those.
    pub always: bool,
    /// Whether it is run alone: a suite has workers of its own.
    pub alone: bool,
}

/// How a unit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well; or nobody minds.
    Passed,
    /// Not well.
    Failed,
    /// It was not run, or said that it cannot be.
    Skipped,
    /// It was not run, because this unit did not pass.
    Dependency(usize),
}

/// What is done with a unit that may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It runs; of each datum that it needs, the unit that made it, where there is one.
    Run(Vec<Option<usize>>),
    /// It does not, because this unit, in which it all began, did not pass.
    Skip(usize),
}

/// Decides which unit may begin.
///
/// ```
/// use plan::graph::{Decision, Graph, Outcome, Step};
/// use runner::Order;
///
/// let mut graph = Graph::new(vec![Step::default(), Step { after: vec![0], ..Step::default() }], 4);
/// graph.begin(0);
/// assert_eq!(graph.next(), None);
/// graph.ended(0, Outcome::Failed);
/// graph.end(0);
/// assert_eq!((graph.next(), graph.decide(1)), (Some(1), Decision::Skip(0)));
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    steps: Vec<Step>,
    stages: Vec<Stage>,
    outcomes: Vec<Option<Outcome>>,
    /// How many run at the same time, at most.
    room: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Done,
}

/// What is known of a datum.
enum Datum {
    From(usize),
    Pending,
    /// All that could have made it did not.
    Lost(usize),
    None,
}

impl Graph {
    /// Of these units, of which none has begun.
    #[must_use]
    pub fn new(steps: Vec<Step>, room: usize) -> Self {
        let (stages, outcomes) = (vec![Stage::Waiting; steps.len()], vec![None; steps.len()]);
        Graph { steps, stages, outcomes, room: room.max(1) }
    }

    /// What is to be done with a unit that [may begin](Order::next).
    #[must_use]
    pub fn decide(&self, unit: usize) -> Decision {
        let Some(step) = self.steps.get(unit) else { return Decision::Skip(unit) };
        let data: Vec<Datum> = step.producers.iter().map(|all| self.datum(all)).collect();
        if !step.always {
            let lost = data.iter().find_map(|datum| match datum {
                Datum::Lost(unit) => Some(*unit),
                _ => None,
            });
            let failed = step.after.iter().copied().find(|before| !self.has_passed(*before));
            if let Some(before) = failed.or(lost) {
                return Decision::Skip(self.root(before));
            }
        }
        let from = |datum| if let Datum::From(unit) = datum { Some(unit) } else { None };
        Decision::Run(data.into_iter().map(from).collect())
    }

    /// Notes how a unit ended, before [`Order::end`].
    pub fn ended(&mut self, unit: usize, outcome: Outcome) {
        if let Some(own) = self.outcomes.get_mut(unit) {
            *own = Some(outcome);
        }
    }

    /// How a unit ended, if it has.
    #[must_use]
    pub fn outcome(&self, unit: usize) -> Option<&Outcome> {
        self.outcomes.get(unit)?.as_ref()
    }

    fn has_passed(&self, unit: usize) -> bool {
        self.outcome(unit) == Some(&Outcome::Passed)
    }

    /// In which unit the trouble of this one began.
    fn root(&self, unit: usize) -> usize {
        match self.outcome(unit) {
            Some(Outcome::Dependency(root)) => *root,
            _ => unit,
        }
    }

    fn datum(&self, producers: &[usize]) -> Datum {
        for unit in producers {
            if !self.is(*unit, Stage::Done) {
                return Datum::Pending;
            }
            if self.has_passed(*unit) {
                return Datum::From(*unit);
            }
        }
        producers.first().map_or(Datum::None, |unit| Datum::Lost(*unit))
    }

    fn may_begin(&self, unit: usize) -> bool {
        let Some(step) = self.steps.get(unit) else { return false };
        self.is(unit, Stage::Waiting)
            && self.has_room(step)
            && step.after.iter().all(|before| self.is(*before, Stage::Done))
            && !step.producers.iter().any(|all| matches!(self.datum(all), Datum::Pending))
    }

    fn has_room(&self, step: &Step) -> bool {
        let all = self.steps.iter().zip(&self.stages);
        let running = || all.clone().filter(|(_, stage)| **stage == Stage::Running);
        let is_taken = running().any(|(other, _)| other.alone);
        !is_taken && running().count() < if step.alone { 1 } else { self.room }
    }

    fn is(&self, unit: usize, stage: Stage) -> bool {
        self.stages.get(unit).is_some_and(|own| *own == stage)
    }

    fn set(&mut self, unit: usize, stage: Stage) {
        if let Some(own) = self.stages.get_mut(unit) {
            *own = stage;
        }
    }
}

impl Order for Graph {
    fn next(&self) -> Option<usize> {
        (0..self.steps.len()).find(|unit| self.may_begin(*unit))
    }

    fn begin(&mut self, unit: usize) {
        self.set(unit, Stage::Running);
    }

    fn end(&mut self, unit: usize) {
        self.set(unit, Stage::Done);
    }

    fn name(&self, unit: usize) -> String {
        self.steps.get(unit).map(|step| step.name.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(units: &[usize]) -> Step {
        Step { after: units.to_vec(), ..Step::default() }
    }

    fn needs(producers: &[usize]) -> Step {
        Step { producers: vec![producers.to_vec()], ..Step::default() }
    }

    /// Runs all units, where these fail, and says what became of each, in the order in which they began.
    fn check(steps: Vec<Step>, failing: &[usize], expected: &str) {
        let mut graph = Graph::new(steps, 1);
        let mut said = Vec::new();
        while let Some(unit) = graph.next() {
            let (word, outcome) = match graph.decide(unit) {
                Decision::Skip(root) => (format!("{unit}<{root}"), Outcome::Dependency(root)),
                Decision::Run(_) if failing.contains(&unit) => (format!("{unit}!"), Outcome::Failed),
                Decision::Run(data) => {
                    let data: Vec<_> = data.iter().flatten().map(|from| format!("={from}")).collect();
                    (format!("{unit}{}", data.concat()), Outcome::Passed)
                }
            };
            graph.begin(unit);
            graph.ended(unit, outcome);
            graph.end(unit);
            said.push(word);
        }
        assert_eq!(said.join(" "), expected);
    }

    /// The first scenario of the Python testing infrastructure: A builds on B, which builds on C.
    #[test]
    fn what_is_built_on_runs_first() {
        check(vec![after(&[1]), after(&[2]), after(&[])], &[], "2 1 0");
    }

    /// The second one: where B fails, A is skipped for it, and so is what builds on A.
    #[test]
    fn skips_go_on_and_name_where_it_began() {
        check(vec![after(&[1]), after(&[2]), after(&[])], &[1], "2 1! 0<1");
        check(vec![after(&[1]), after(&[2]), after(&[])], &[2], "2! 1<2 0<2");
    }

    /// The third one: A needs a datum that several can make.
    #[test]
    fn a_datum_is_from_the_first_that_passed() {
        check(vec![needs(&[1, 2]), after(&[]), after(&[])], &[], "1 0=1 2");
        check(vec![needs(&[1, 2]), after(&[]), after(&[])], &[1], "1! 2 0=2");
        check(vec![needs(&[1, 2]), after(&[]), after(&[])], &[1, 2], "1! 2! 0<1");
    }

    #[test]
    fn cleaning_up_is_done_whatever_became_of_the_rest() {
        let clean = Step { always: true, ..after(&[0, 1]) };
        check(vec![after(&[]), after(&[0]), clean], &[0], "0! 1<0 2");
    }

    #[test]
    fn who_runs_alone_waits_for_the_others_and_they_for_it() {
        let alone = Step { alone: true, ..Step::default() };
        let mut graph = Graph::new(vec![Step::default(), alone, Step::default(), Step::default()], 2);
        graph.begin(0);
        assert_eq!(graph.next(), Some(2));
        graph.begin(2);
        assert_eq!(graph.next(), None);
        graph.end(0);
        graph.end(2);
        assert_eq!(graph.next(), Some(1));
        graph.begin(1);
        assert_eq!(graph.next(), None);
    }
}
