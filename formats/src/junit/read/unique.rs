//! Ids that tell all tests of a report apart.
//!
//! Class and name seldom are all that tells a test from others: Playwright runs each test in several browsers, which
//! are the hosts of its suites; node calls all classes `test`; what PHPUnit calls `Error` is in many suites. Two tests
//! of one id would be taken for two runs of one, and the failure of the one be overcome by the other. So each id is
//! given once. The second test that would get it is told apart by what does tell it apart:
//!
//! 1. the host of its suite, behind its id, `a [firefox]`, where that is another than the first host of the input. All
//!    tests of Playwright have theirs, as it is known from the start: then an id is the same when only some run;
//! 2. the names of the suites around it, before its id, where no suite of these names was read before;
//! 3. a number: `#2`. A report that says a name twice may mean a second run of one test, but does not say so; attempts
//!    that it calls so are no tests of their own, and never come here.
//!
//! What is damaged is no test: there may be any number of it.
//!
//! What is known of each test is a hash of 12 bytes; which ids the suite being read has given is known besides.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;
use hashbrown::HashSet;
use streamresult::DAMAGE_ID;

use super::case::Case;
use super::suite::Suite;
use crate::hash_set::{CompactHashSet, first_free};

/// A larger set is not cleared but given up: clearing it for each small suite takes its time.
const LARGE: usize = 4096;

/// The ids that were given.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    seen: CompactHashSet,
    /// Those that the suite being read would have given without all others.
    here: HashSet<u64, foldhash::fast::RandomState>,
    /// The suites that were read.
    paths: CompactHashSet,
    first_host: Option<String>,
    state: RandomState,
}

impl Ids {
    /// Begins a suite within these.
    pub(crate) fn enter(&mut self, suite: &mut Suite, outer: &[Suite]) {
        self.leave();
        let mut hasher = self.state.build_hasher();
        for suite in outer.iter().chain([&*suite]).filter(|suite| !suite.is_report) {
            hasher.write_usize(suite.name.len());
            hasher.write(suite.name.as_bytes());
        }
        suite.is_new = self.paths.insert(hasher.finish());
        if self.first_host.is_none() && !suite.hostname.is_empty() {
            self.first_host = Some(suite.hostname.clone());
        }
    }

    /// Ends a suite.
    pub(crate) fn leave(&mut self) {
        if self.here.capacity() > LARGE {
            self.here = HashSet::default();
        }
        self.here.clear();
    }

    /// Makes the id of a test its own, in these suites, of which the last one is the innermost.
    #[inline]
    pub(crate) fn give(&mut self, case: &mut Case, suites: &[Suite], separator: &str) {
        if let Some(project) = suites.last().and_then(Suite::project) {
            case.id = on_host(&case.id, project);
        }
        if case.id == DAMAGE_ID {
            return;
        }
        let hash = self.hash(case.route.as_deref(), &case.id);
        let is_first_here = self.here.insert(hash);
        if !self.seen.insert(hash) {
            self.tell_apart(case, is_first_here, suites, separator);
        }
    }

    #[cold]
    fn tell_apart(&mut self, case: &mut Case, is_first_here: bool, suites: &[Suite], separator: &str) {
        let host = suites.iter().rev().map(|suite| &*suite.hostname).find(|host| !host.is_empty());
        if let Some(host) = host.filter(|host| is_first_here && self.first_host.as_deref() != Some(host)) {
            let on_host = on_host(&case.id, host);
            if self.seen.insert(self.hash(case.route.as_deref(), &on_host)) {
                case.id = on_host;
                return;
            }
        }
        let is_new = suites.last().is_some_and(|suite| suite.is_new);
        let path = if is_new && is_first_here { path(suites, separator) } else { String::new() };
        if !path.is_empty() && case.id != path && !is_below(&case.id, &path, separator) {
            case.id.insert_str(0, &format!("{path}{separator}"));
            if self.seen.insert(self.hash(case.route.as_deref(), &case.id)) {
                return;
            }
        }
        let numbered = |number| format!("{} #{number}", case.id);
        let is_given = |number| self.seen.contains(self.hash(case.route.as_deref(), &numbered(number)));
        case.id = numbered(first_free(is_given));
        let hash = self.hash(case.route.as_deref(), &case.id);
        self.seen.insert(hash);
    }

    fn hash(&self, route: Option<&str>, id: &str) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_usize(route.map_or(usize::MAX, str::len));
        hasher.write(route.unwrap_or_default().as_bytes());
        hasher.write(id.as_bytes());
        hasher.finish()
    }
}

/// The id of a test with where it ran.
fn on_host(id: &str, host: &str) -> String {
    format!("{id} [{host}]")
}

/// The names of the suites around a test.
pub(crate) fn path(suites: &[Suite], separator: &str) -> String {
    let names = suites.iter().filter(|suite| !suite.is_report && !suite.name.is_empty());
    names.map(|suite| &*suite.name).collect::<Vec<_>>().join(separator)
}

fn is_below(id: &str, path: &str, separator: &str) -> bool {
    id.strip_prefix(path).is_some_and(|rest| rest.starts_with(separator))
}
