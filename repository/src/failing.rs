//! The failing set.

use std::time::Duration;

use streamresult::Outcome;
use subunit::Timestamp;

use crate::error::Result;
use crate::repository::Repository;
use crate::run::StoredRun;
use crate::run_id::RunId;

/// What failed and was not put right since.
///
/// - A test, which is an id and a route code, fails from the run on in which it failed, passed unexpectedly or did
///   not finish, until a run in which it passed or failed as expected and did none of these; or until a run that
///   [names all tests](crate::RunEnd::names_all_tests) does not name it. Being skipped or not being run changes
///   nothing.
/// - A failure that is no test (`setUpClass (m.C)`, `p [build]`, `Bail out!`, or one that cannot be run by its id
///   where tests can) fails until a later complete run without damage that ran all tests of what it stands for, of
///   which none failed. Where none of these is there any more, a later run that the same
///   [command](crate::RunInfo::command) made, of all its tests and without exiting with another status than 0, has to have run all tests,
///   of which none failed.
/// - A test that was renamed leaves when a later complete run announces all the tests that it names, most of those
///   before are among them, and there are as many new ones as are gone.
/// - A run as a whole fails when its stream is damaged, or says so without naming a test. It is put right by a
///   later complete run without damage that runs all its tests.
/// - Of a run whose stored files are damaged, it may not be known any more what failed: then the set is not known
///   either, and not empty, until a later complete run without damage that names all tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailingSet {
    /// The tests, in order of their ids.
    pub tests: Vec<Failure>,
    /// The runs that fail as a whole.
    pub runs: Vec<StoredRun>,
    /// The runs in which something failed, or may have, of which it is not known any more what.
    pub lost: Vec<StoredRun>,
}

impl FailingSet {
    /// Whether nothing is failing, as far as is known: see [`lost`](FailingSet::lost).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.runs.is_empty()
    }

    /// Whether it is known that nothing is failing.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.is_empty() && self.lost.is_empty()
    }
}

/// What fails because of other runs than one. It takes no memory for the tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outstanding {
    /// How many tests.
    pub tests: u64,
    /// The runs that fail as a whole.
    pub runs: Vec<StoredRun>,
    /// The runs in which something failed, or may have, of which it is not known any more what.
    pub lost: Vec<StoredRun>,
}

impl Outstanding {
    /// Whether there is none, as far as is known: see [`lost`](Outstanding::lost).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests == 0 && self.runs.is_empty()
    }
}

/// A test that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The test's id.
    pub test_id: String,
    /// Where it ran.
    pub route_code: Option<String>,
    /// The run that decided it last. Its stream has the test's attachments.
    pub run: RunId,
    /// How it failed.
    pub outcome: Outcome,
    /// When it began.
    pub start: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Duration>,
}

impl Repository {
    /// What failed and was not put right since. Runs that are under way are not in it yet.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn failing(&self) -> Result<FailingSet> {
        self.with_index(|index| index.failing())
    }

    /// What failed in other runs than this one and was not put right since.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn outstanding(&self, besides: RunId) -> Result<Outstanding> {
        self.with_index(|index| index.outstanding(besides))
    }
}
