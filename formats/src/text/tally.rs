//! How many tests of each route ended in which way.

use std::collections::HashMap;
use std::io::{self, Write};

use streamresult::{Outcome, Record};

use crate::harmless;

/// The routes in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Routes {
    numbers: HashMap<Option<String>, u32>,
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    name: String,
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Routes {
    /// The number of a route, in order of appearance.
    pub(super) fn number(&mut self, route: Option<&str>) -> u32 {
        let route = route.map(str::to_owned);
        if let Some(number) = self.numbers.get(&route) {
            return *number;
        }
        let number = self.rows.len() as u32;
        let name = route.as_deref().map_or("(no route)".into(), harmless::line);
        self.rows.push(Row { name: name.into_owned(), ..Row::default() });
        self.numbers.insert(route, number);
        number
    }

    /// The name of a route.
    pub(super) fn name(&self, number: u32) -> &str {
        self.rows.get(number as usize).map_or("", |row| &row.name)
    }

    pub(super) fn count(&mut self, record: &Record<'_>) {
        let number = self.number(record.route_code());
        let Some(row) = self.rows.get_mut(number as usize) else { return };
        match record.outcome() {
            outcome if outcome.is_failure() => row.failed += 1,
            Outcome::Skip => row.skipped += 1,
            _ => row.passed += 1,
        }
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "   passed   failed  skipped  route")?;
        for Row { name, passed, failed, skipped } in &self.rows {
            writeln!(out, "{passed:9}{failed:9}{skipped:9}  {name}")?;
        }
        Ok(())
    }
}
