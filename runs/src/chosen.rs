//! Which tests of a stored run a query means.

use std::collections::HashSet;
use std::io;

use anyhow::ensure;
use cli::query::Query;
use repository::{Past, Repository, Stored, StoredRun};
use streamresult::{Details, Record, RecordSink, Records};

use super::show;

/// The tests that a query means, by id and route.
#[derive(Debug)]
pub(super) struct ChosenTests<'q> {
    query: &'q Query,
    before: Past,
    tests: HashSet<(String, Option<String>)>,
}

impl<'q> ChosenTests<'q> {
    /// Looks at all tests of a run.
    pub(super) fn of(query: &'q Query, repository: &Repository, run: &StoredRun) -> anyhow::Result<Self> {
        ensure!(
            run.stored != Stored::Pruned || !query.asks_for_tags(),
            "the stream of run {} was pruned, and with it the tags of its tests",
            run.id
        );
        let before =
            if query.asks_for_earlier_runs() { repository.past(run.id, 1)? } else { Past::default() };
        let chosen = ChosenTests { query, before, tests: HashSet::new() };
        let mut records = Records::new(chosen).details(Details::None);
        show::feed(repository, run, &mut records)?;
        Ok(records.into_sink())
    }

    /// Whether a test of the run is meant.
    pub(super) fn has(&self, test_id: &str, route_code: Option<&str>) -> bool {
        self.tests.contains(&(test_id.to_owned(), route_code.map(str::to_owned)))
    }
}

impl RecordSink for ChosenTests<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let past = self.before.get(record.test_id()).first();
        let was_bad = past.is_some_and(|past| past.outcome.is_failure());
        let is_new = !self.before.runs().is_empty() && !was_bad;
        if self.query.matches_in_run(record, is_new) {
            let route_code = record.route_code().map(str::to_owned);
            self.tests.insert((record.test_id().to_owned(), route_code));
        }
        Ok(())
    }
}
