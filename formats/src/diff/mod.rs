//! What changed from one run to another: the one comparison of `subunit-diff` and `subunit compare`.

mod change;
mod names;
mod table;

use std::io::{self, Write};
use std::time::Duration;

use streamresult::{Outcome, Record, RecordSink};

pub use change::{Change, Counts, Form, Kind};
pub use names::Test;
use names::Tests;
pub use table::Side;
use table::Table;

/// What counts as a change.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A test is slower when it takes this many times as long; 0 means never.
    pub slower: f64,
    /// And at least this much longer.
    pub slower_by: Duration,
    /// Tests are told apart by their ids alone; of several outcomes in a run, any failure counts.
    pub ignore_routes: bool,
}

/// Takes the tests of two runs, and tells what changed. In memory are 16 bytes a test.
pub struct Comparison {
    rules: Rules,
    table: Table,
    before: Tests,
    after: Tests,
}

impl Comparison {
    /// Begins a comparison.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Comparison { rules, table: Table::default(), before: Tests::default(), after: Tests::default() }
    }

    /// Takes a test of a run, in the order in which they ended: of several times the last counts. The run before has
    /// to come first.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    pub fn add(&mut self, side: Side, test: &Test<'_>, outcome: Outcome) -> io::Result<()> {
        // A test that was announced did not run.
        if outcome == Outcome::Exists {
            return Ok(());
        }
        let ignore_routes = self.rules.ignore_routes;
        let hash = self.table.hash(test.route.filter(|_| !ignore_routes), test.id);
        let old = self.table.get(side, hash).filter(|old| ignore_routes && old.is_failure());
        self.table.add(side, hash, old.unwrap_or(outcome), test.duration);
        match side {
            Side::Before => self.before.push(test),
            Side::After => self.after.push(test),
        }
    }

    /// Takes the records of a run.
    pub fn records(&mut self, side: Side) -> impl RecordSink + '_ {
        RunSink { side, comparison: self }
    }

    /// Tells the changes: those of tests that ran after in order of their end, then those that are gone.
    ///
    /// # Errors
    ///
    /// When `tell` fails, or what was kept cannot be read.
    pub fn tell(self, mut tell: impl FnMut(&Change<'_>) -> io::Result<()>) -> io::Result<()> {
        let Comparison { rules, mut table, before, after } = self;
        after.for_each(|test| {
            let hash = rules.hash(&table, test);
            if !table.is_last(hash) {
                return Ok(());
            }
            let (was, is) = (table.get(Side::Before, hash), table.get(Side::After, hash));
            let seconds = [was.and_then(|_| table.seconds(hash)), test.seconds()];
            match rules.kind(was, is, seconds) {
                Some(kind) => tell(&Change { kind, test, outcomes: [was, is], seconds }),
                None => Ok(()),
            }
        })?;
        before.for_each(|test| {
            let hash = rules.hash(&table, test);
            if table.get(Side::After, hash).is_some() {
                return Ok(());
            }
            let was = table.take_before(hash);
            if was.is_none() {
                return Ok(());
            }
            tell(&Change { kind: Kind::Gone, test, outcomes: [was, None], seconds: [test.seconds(), None] })
        })
    }
}

impl Comparison {
    /// Writes the changes, a line each, and to `errors` how many there are of which kind. The answer is whether there
    /// are any.
    ///
    /// # Errors
    ///
    /// As [`tell`](Comparison::tell), and when they cannot be written.
    pub fn write(self, form: Form, output: &mut dyn Write, errors: &mut dyn Write) -> io::Result<bool> {
        let mut counts = Counts::default();
        self.tell(|change| {
            counts.add(change.kind);
            change.write(form, output)
        })?;
        output.flush()?;
        if counts.is_empty() {
            return Ok(false);
        }
        writeln!(errors, "{counts}")?;
        Ok(true)
    }
}

impl Rules {
    fn hash(&self, table: &Table, test: &Test<'_>) -> u64 {
        table.hash(test.route.filter(|_| !self.ignore_routes), test.id)
    }

    fn kind(&self, was: Option<Outcome>, is: Option<Outcome>, seconds: [Option<f64>; 2]) -> Option<Kind> {
        let (Some(was), Some(is)) = (was, is) else { return Some(Kind::New) };
        match (was.is_failure(), is.is_failure()) {
            (false, true) => Some(Kind::Broken),
            (true, false) => Some(Kind::Fixed),
            _ if was != is => Some(Kind::Changed),
            _ => self.is_slower(seconds).then_some(Kind::Slower),
        }
    }

    fn is_slower(&self, seconds: [Option<f64>; 2]) -> bool {
        let [Some(before), Some(after)] = seconds else { return false };
        self.slower > 0.0 && after > before * self.slower && after - before >= self.slower_by.as_secs_f64()
    }
}

/// Takes the records of one run.
struct RunSink<'c> {
    side: Side,
    comparison: &'c mut Comparison,
}

impl RecordSink for RunSink<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let test = Test { id: record.test_id(), route: record.route_code(), duration: record.duration() };
        self.comparison.add(self.side, &test, record.outcome())
    }
}
