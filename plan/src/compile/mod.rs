//! What a file comes to: all tasks with their parameters, and who builds on whom.
//!
//! All that can be known to be wrong is told here, before anything starts.

mod expand;
mod order;
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner::suite::{Format, Suite};

use crate::file::Source;
use crate::file::task::TaskTable;
use crate::file::value::Scalar;
use crate::graph::Step;

pub(crate) use expand::expand;
use order::chosen;
pub(crate) use order::{Said, order};
pub(crate) use tools::look_for_tools;

/// A plan that was read, and in which nothing is known to be wrong.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of the file.
    pub suites: Vec<Suite>,
    /// In the order of the file, each with one combination of its parameters.
    pub tasks: Vec<Task>,
    /// What is run, in the order of the file: each is a suite or a task.
    pub steps: Vec<Step>,
    /// What each of them is.
    pub parts: Vec<Part>,
}

impl Plan {
    /// Suites that know nothing of each other.
    #[must_use]
    pub fn of_suites(suites: Vec<Suite>) -> Self {
        let step = |suite: &Suite| Step { name: suite.name.clone(), alone: true, ..Step::default() };
        let steps = suites.iter().map(step).collect();
        let parts = (0..suites.len()).map(Part::Suite).collect();
        Plan { suites, tasks: Vec::new(), steps, parts }
    }

    /// The units that are called this: all of a task, or the one with these parameters.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<usize> {
        let is_it = |part: &Part| match part {
            Part::Suite(number) => self.suites.get(*number).is_some_and(|suite| suite.name == name),
            Part::Task(number) => {
                self.tasks.get(*number).is_some_and(|task| task.name == name || task.id == name)
            }
        };
        self.parts.iter().enumerate().filter(|(_, part)| is_it(part)).map(|(unit, _)| unit).collect()
    }

    /// These units, with all that they need, and what cleans up after them.
    #[must_use]
    pub fn only(self, units: &[usize]) -> Self {
        let kept = chosen(&self, units);
        let new: BTreeMap<usize, usize> = kept.iter().copied().zip(0..).collect();
        let renumber = |units: &[usize]| units.iter().filter_map(|unit| new.get(unit).copied()).collect();
        let mut plan = Plan::default();
        let mut suites: BTreeMap<usize, Suite> = self.suites.into_iter().enumerate().collect();
        let mut tasks: BTreeMap<usize, Task> = self.tasks.into_iter().enumerate().collect();
        for (unit, (step, part)) in self.steps.into_iter().zip(self.parts).enumerate() {
            if !kept.contains(&unit) {
                continue;
            }
            let producers = step.producers.iter().map(|all| renumber(all)).collect();
            plan.steps.push(Step { after: renumber(&step.after), producers, ..step });
            plan.parts.push(match part {
                Part::Suite(number) => {
                    plan.suites.extend(suites.remove(&number));
                    Part::Suite(plan.suites.len().saturating_sub(1))
                }
                Part::Task(number) => {
                    plan.tasks.extend(tasks.remove(&number));
                    Part::Task(plan.tasks.len().saturating_sub(1))
                }
            });
        }
        plan
    }
}

/// What a unit of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The suite of this number.
    Suite(usize),
    /// The task of this number.
    Task(usize),
}

/// A task with one combination of its parameters.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it is called in the file.
    pub name: String,
    /// The id of the test that it is: `bounce{hard=true}`.
    pub id: String,
    /// Its parameters.
    pub params: BTreeMap<String, Scalar>,
    /// Where it runs.
    pub folder: PathBuf,
    /// What tells its results.
    pub results: Results,
    /// What the file says of it.
    pub table: TaskTable,
}

/// What tells the results of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Results {
    /// Its exit status.
    Exit,
    /// What it writes.
    Output(Format),
    /// A file of JUnit XML that it writes.
    Junit(PathBuf),
}

impl Task {
    /// The parameters as they stand after a name: `{hard=true}`; nothing where there are none.
    #[must_use]
    pub fn suffix(params: &BTreeMap<String, Scalar>) -> String {
        if params.is_empty() {
            return String::new();
        }
        let params: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{{{}}}", params.join(","))
    }
}

/// What stands in the file about units, to say where something is wrong.
pub(crate) struct Written<'a> {
    pub(crate) source: &'a Source,
    pub(crate) folder: &'a Path,
}
