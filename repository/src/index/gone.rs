//! What leaves the failing set though no run says of it that it passes: failures that are no tests, when what they stand
//! for is whole and green, or all that the same command runs; and tests that were renamed, when a run lists all that there are.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Known;

use rusqlite::Transaction;

use super::coverage;
use super::fold::{self, Entry};
use super::groups::{Groups, TestKey};
use super::stand_in::{self, Scope};
use super::sync;
use crate::error::Result;
use crate::results::Results;
use crate::row::Marks;
use crate::run::StoredRun;
use crate::run_id::RunId;

/// A test of the failing set that a run may have put right.
pub(crate) struct Candidate {
    pub(crate) key: TestKey,
    pub(crate) run: RunId,
    pub(crate) marks: Marks,
}

/// Removes what a run put right, of the runs before it that are wanted; `open` gives a run with its results.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    newer: &Entry<'_>,
    is_wanted: impl Fn(RunId) -> bool,
    open: impl Fn(RunId) -> Result<(StoredRun, Results)>,
) -> Result<()> {
    let mut settling = Settling { newer, listing: Listing::of(newer)?, older: HashMap::new(), open };
    let mut gone = Vec::new();
    fold::each_candidate(transaction, |candidate| {
        if candidate.run < newer.id && is_wanted(candidate.run) && settling.is_gone(&candidate)? {
            gone.push(candidate.key);
        }
        Ok(())
    })?;
    fold::remove(transaction, &gone)
}

struct Settling<'a, O> {
    newer: &'a Entry<'a>,
    listing: Listing,
    older: HashMap<RunId, Older>,
    open: O,
}

/// A run before, and what was found of it.
struct Older {
    run: StoredRun,
    results: Results,
    is_renamed: Option<bool>,
    is_green: HashMap<Scope, bool>,
}

impl<O: Fn(RunId) -> Result<(StoredRun, Results)>> Settling<'_, O> {
    fn is_gone(&mut self, candidate: &Candidate) -> Result<bool> {
        let (scope, may_be_of_all) = self.scope(candidate)?;
        if scope.is_none() && !may_be_of_all && !self.listing.is_complete {
            return Ok(false);
        }
        let mut is_named = false;
        self.newer.results.find(&candidate.key.id, |_| is_named = true)?;
        if is_named {
            return Ok(false);
        }
        let newer = self.newer;
        let is_complete_list = self.listing.is_complete;
        let older = self.older(candidate.run)?;
        let scope = scope.or_else(|| (may_be_of_all && older.is_of_the_source(newer)).then_some(Scope::Run));
        if let Some(scope) = scope
            && older.is_green(newer, scope)?
        {
            return Ok(true);
        }
        if older.is_renamed.is_none() && is_complete_list {
            older.is_renamed = Some(is_renamed(newer, &older.entry())?);
        }
        Ok(older.is_renamed == Some(true))
    }

    fn older(&mut self, id: RunId) -> Result<&mut Older> {
        Ok(match self.older.entry(id) {
            Known::Occupied(known) => known.into_mut(),
            Known::Vacant(new) => {
                let (run, results) = (self.open)(id)?;
                new.insert(Older { run, results, is_renamed: None, is_green: HashMap::new() })
            }
        })
    }

    /// What the failure stands for, if there is any of it in the run; else, whether it is known to be no test.
    fn scope(&self, candidate: &Candidate) -> Result<(Option<Scope>, bool)> {
        let stands_for = stand_in::stands_for(&candidate.key, candidate.marks);
        if stands_for.is_guess && !self.listing.is_runnable {
            return Ok((None, false));
        }
        for scope in stands_for.scopes {
            let is_there = match &scope {
                Scope::Prefix(prefix, _) => self.newer.results.has_any(prefix)?,
                Scope::Route(_) | Scope::Run => true,
            };
            if is_there {
                return Ok((Some(scope), false));
            }
        }
        Ok((None, stand_in::is_stand_in(&candidate.key, candidate.marks)))
    }
}

impl Older {
    fn entry(&self) -> Entry<'_> {
        sync::entry(&self.run, &self.results)
    }

    /// Whether the same command made both runs, and ended well. What it does not run any more is gone: nobody left it out.
    fn is_of_the_source(&self, newer: &Entry<'_>) -> bool {
        newer.command.is_some() && newer.exit == 0 && newer.command == self.entry().command
    }

    fn is_green(&mut self, newer: &Entry<'_>, scope: Scope) -> Result<bool> {
        if let Some(known) = self.is_green.get(&scope) {
            return Ok(*known);
        }
        let is_green = coverage::covers(newer, &self.entry(), &scope)?.is_green();
        self.is_green.insert(scope, is_green);
        Ok(is_green)
    }
}

/// What a run says of its tests by announcing them.
struct Listing {
    /// It announces every test that it names.
    is_complete: bool,
    /// All its tests can be run by their ids.
    is_runnable: bool,
}

impl Listing {
    fn of(run: &Entry<'_>) -> Result<Listing> {
        let mut groups = Groups::new(run.results)?;
        let (mut is_complete, mut is_runnable, mut is_empty) = (true, true, true);
        while let Some(group) = groups.next()? {
            is_empty = false;
            is_complete &= group.is_announced;
            is_runnable &= group.is_runnable;
        }
        Ok(Listing { is_complete: is_complete && !is_empty, is_runnable: is_runnable && !is_empty })
    }
}

/// Whether what is not in a list any more was renamed: most of the tests are still there, and there are as many new
/// ones as are gone. Who left out tests has no others in their place.
fn is_renamed(newer: &Entry<'_>, older: &Entry<'_>) -> Result<bool> {
    let (mut new, mut old) = (Groups::new(newer.results)?, Groups::new(older.results)?);
    let ids = |groups: &mut Groups<'_>, before: &Option<Vec<u8>>| -> Result<Option<Vec<u8>>> {
        while let Some(group) = groups.next()? {
            if before.as_ref() != Some(&group.key.id) {
                return Ok(Some(group.key.id.clone()));
            }
        }
        Ok(None)
    };
    let (mut is, mut was) = (ids(&mut new, &None)?, ids(&mut old, &None)?);
    let (mut common, mut added, mut gone) = (0_u64, 0_u64, 0_u64);
    loop {
        let order = match (&is, &was) {
            (None, None) => return Ok(gone <= added && gone < common),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(is), Some(was)) => is.cmp(was),
        };
        match order {
            std::cmp::Ordering::Less => added += 1,
            std::cmp::Ordering::Greater => gone += 1,
            std::cmp::Ordering::Equal => common += 1,
        }
        if order.is_le() {
            is = ids(&mut new, &is)?;
        }
        if order.is_ge() {
            was = ids(&mut old, &was)?;
        }
    }
}
