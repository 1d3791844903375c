//! Which tests ran in which place, and when nothing did there.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::tests_kept::Tests;
use crate::words::natural;

/// A place where tests ran.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: String,
    /// By their beginnings.
    pub(crate) tests: Vec<Span>,
    pub(crate) failed: u64,
    pub(crate) end: Duration,
    /// When no test ran between its first and its last one, and for how long.
    pub(crate) gaps: Vec<(Duration, Duration)>,
    pub(crate) busy: Duration,
    pub(crate) busy_percent: u64,
}

/// A test in time, since the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// Which of the tests.
    pub(crate) test: usize,
}

impl Lane {
    /// What it is called where people read it.
    pub(crate) fn title(&self) -> &str {
        if self.name.is_empty() { "here" } else { &self.name }
    }

    /// The machine that it is of: the first part of its name.
    pub(crate) fn node(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    fn finish(&mut self, tests: &Tests) {
        self.tests.sort_by_key(|span| (span.from, span.to));
        let mut end = self.tests.first().map_or(Duration::ZERO, |first| first.from);
        for span in &self.tests {
            if span.from > end {
                self.gaps.push((end, span.from - end));
            }
            self.busy += span.to.saturating_sub(span.from.max(end));
            end = end.max(span.to);
            self.failed += u64::from(tests.all.get(span.test).is_some_and(|test| test.state.is_failure()));
        }
        self.end = end;
        self.gaps.retain(|gap| gap.1.as_millis() > 0);
        let whole = tests.length().as_nanos().max(1);
        self.busy_percent = ((self.busy.as_nanos() * 100 + whole / 2) / whole).min(100) as u64;
    }
}

/// The lanes of all tests that have times, by their names.
pub(crate) fn lanes(tests: &Tests) -> Vec<Lane> {
    let mut lanes: BTreeMap<u32, Lane> = BTreeMap::new();
    for (at, test) in tests.all.iter().enumerate() {
        let (Some(from), Some(took)) = (tests.offset(test), test.took) else { continue };
        let lane = lanes.entry(test.lane).or_insert_with(|| Lane {
            name: tests.lane(test).to_owned(),
            tests: Vec::new(),
            failed: 0,
            end: Duration::ZERO,
            gaps: Vec::new(),
            busy: Duration::ZERO,
            busy_percent: 0,
        });
        lane.tests.push(Span { from, to: from + took, test: at });
    }
    let mut lanes: Vec<Lane> = lanes.into_values().collect();
    lanes.iter_mut().for_each(|lane| lane.finish(tests));
    lanes.sort_by(|a, b| natural(&a.name, &b.name));
    lanes
}
