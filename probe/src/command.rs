//! The command of a check: how a plan is made of its arguments, and how it becomes a command line.

use std::ffi::OsString;
use std::marker::PhantomData;

use clap::error::Result as ClapResult;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use cli::{Codes, Command, Streams, Verdict};

use super::{Asked, Check, Plan, Selection, execute, render};

/// Makes the plan of a command line: it says which targets there are where the arguments name none.
pub trait Planner {
    /// The tests of this command line; `args` is what the check's arguments were read from, the program's name
    /// first.
    ///
    /// # Errors
    ///
    /// When what the plan is made of is wrong, or nothing is selected.
    fn plan<C: Check>(check: &C, args: &[OsString]) -> anyhow::Result<Plan>;
}

/// The planner that knows nothing but the arguments.
#[derive(Clone, Copy, Debug)]
pub struct Arguments;

impl Planner for Arguments {
    fn plan<C: Check>(check: &C, _: &[OsString]) -> anyhow::Result<Plan> {
        let (mut plan, everything) = (Plan::new(), Selection::default());
        plan.add(check, &everything, &[])?;
        plan.ensure_selected(&everything)?;
        Ok(plan)
    }
}

/// The arguments of a check, with what was asked for by giving options.
///
/// # Errors
///
/// When they are not those of the check.
pub fn parsed<C: Check>(command: &clap::Command, matches: &ArgMatches) -> ClapResult<C> {
    let mut check = C::from_arg_matches(matches)?;
    check.shared_mut().asked = Asked::of(command, matches);
    Ok(check)
}

/// The command of a check: `cli::main::<CheckRun<CheckLoad>>()` is its binary.
#[derive(Debug)]
pub struct CheckRun<C, P = Arguments> {
    check: C,
    planner: PhantomData<P>,
}

impl<C, P> CheckRun<C, P> {
    fn new(check: C) -> Self {
        CheckRun { check, planner: PhantomData }
    }
}

impl<C: Check, P> CommandFactory for CheckRun<C, P> {
    fn command() -> clap::Command {
        C::command()
    }

    fn command_for_update() -> clap::Command {
        C::command_for_update()
    }
}

impl<C: Check, P> FromArgMatches for CheckRun<C, P> {
    fn from_arg_matches(matches: &ArgMatches) -> ClapResult<Self> {
        parsed(&C::command(), matches).map(CheckRun::new)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> ClapResult<()> {
        self.check.update_from_arg_matches(matches)
    }
}

impl<C: Check, P> Parser for CheckRun<C, P> {}

impl<C: Check, P: Planner> Command for CheckRun<C, P> {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        self.run_as(&[], streams)
    }

    fn run_as(self, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
        execute::<C, P>(&self.check, args, streams)
    }

    fn codes(args: &[OsString]) -> Codes {
        render::codes(args)
    }
}
