//! Suites: the cases of a route, what they add up to, and how all that is written.

use std::collections::HashMap;
use std::io::{self, Write};

use chrono::DateTime;
use streamresult::{Spool, Spooled};
use subunit::{File, Timestamp};

use super::budget::{TextBudget, show};
use super::case::{Element, property, seconds};
use super::case_writer::CaseWriter;
use super::escape;
use super::merge::Runs;
use super::names::cut;
use super::options::{Dialect, JunitOptions};
use super::properties::Properties;
use crate::charset::Content;
use crate::span::Span;

/// More routes than this share a suite: each one takes memory.
const MOST: usize = 4096;
/// Text of what came late, in bytes for each suite.
const LONGEST_LATE: usize = 1 << 20;
const OTHERS: &str = "other routes";

/// All suites, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Suites {
    suites: Vec<Suite>,
    by_route: HashMap<Option<String>, usize>,
    /// The suite that was asked for last.
    last: usize,
}

/// The cases of one route.
#[derive(Debug)]
pub(crate) struct Suite {
    route: Option<String>,
    pub(crate) cases: Spooled,
    /// What came for tests after their cases were written.
    late: Option<Spooled>,
    is_late_full: bool,
    pub(crate) runs: Runs,
    counts: Counts,
    span: Span,
    /// The properties that the stream has for it.
    pub(crate) properties: Properties,
}

/// How many cases there are, and of which kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tests: u64,
    pub(crate) failures: u64,
    pub(crate) errors: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    #[inline]
    pub(crate) fn add(&mut self, element: Element) {
        self.tests += 1;
        match element {
            Element::None => {}
            Element::Skipped => self.skipped += 1,
            Element::Failure => self.failures += 1,
            Element::Error => self.errors += 1,
        }
    }

    fn and(self, other: Counts) -> Counts {
        Counts {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// Appends how long a suite took, and when it began.
fn times(span: Span, with_timestamp: bool, out: &mut Vec<u8>) {
    let (Some(first), Some(length)) = (span.first(), span.length()) else { return };
    out.extend_from_slice(b" time=\"");
    seconds(length, out);
    out.push(b'"');
    if let (true, Some(start)) = (with_timestamp, DateTime::from_timestamp(i64::from(first.seconds()), 0)) {
        // Without a zone, which is what consumers take for UTC.
        let _ = write!(out, " timestamp=\"{}\"", start.format("%Y-%m-%dT%H:%M:%S"));
    }
}

impl Suites {
    pub(crate) fn is_empty(&self) -> bool {
        self.suites.is_empty()
    }

    /// The suite of this route.
    #[inline]
    pub(crate) fn get(&mut self, route: Option<&str>) -> Option<&mut Suite> {
        let is_last = self.suites.get(self.last).is_some_and(|suite| suite.route.as_deref() == route);
        if !is_last {
            self.last = self.find(route);
        }
        self.suites.get_mut(self.last)
    }

    fn find(&mut self, route: Option<&str>) -> usize {
        let route = route.map(str::to_owned);
        if let Some(at) = self.by_route.get(&route) {
            return *at;
        }
        if self.suites.len() > MOST {
            return MOST;
        }
        let route = if self.suites.len() == MOST { Some(OTHERS.to_owned()) } else { route };
        self.by_route.insert(route.clone(), self.suites.len());
        self.suites.push(Suite {
            route,
            cases: Spooled::default(),
            late: None,
            is_late_full: false,
            runs: Runs::default(),
            counts: Counts::default(),
            span: Span::default(),
            properties: Properties::default(),
        });
        self.suites.len() - 1
    }

    /// Writes the report.
    pub(crate) fn write(
        &mut self,
        options: &JunitOptions,
        spool: &Spool,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        for suite in &mut self.suites {
            if options.merge_retries {
                suite.counts = suite.runs.count(spool)?;
            }
        }
        output.write_all(&self.head(options))?;
        for suite in &self.suites {
            suite.write(options, spool, output)?;
        }
        output.write_all(b"</testsuites>\n")
    }

    fn head(&self, options: &JunitOptions) -> Vec<u8> {
        let counts = self.suites.iter().fold(Counts::default(), |sum, suite| sum.and(suite.counts));
        let span = self.suites.iter().fold(Span::default(), |all, suite| all.and(suite.span));
        let is_common = options.dialect == Dialect::Common;
        let mut out = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites".to_vec();
        attributes(&options.suite_name, counts, is_common, &mut out);
        times(span, is_common, &mut out);
        out.extend_from_slice(b">\n");
        out
    }
}

impl Suite {
    /// Counts a run, and notes its first and last time.
    #[inline]
    pub(crate) fn add(&mut self, element: Element, times: Option<(Timestamp, Timestamp)>) {
        self.counts.add(element);
        if let Some((first, last)) = times {
            self.span.add(first);
            self.span.add(last);
        }
    }

    /// Adds a piece of a file that came for a test after its case was written.
    pub(crate) fn add_late(
        &mut self,
        test_id: &str,
        file: File<'_>,
        mime_type: Option<&str>,
        spool: &mut Spool,
    ) -> io::Result<()> {
        let late = self.late.get_or_insert_default();
        let mut budget = TextBudget::of(LONGEST_LATE.saturating_sub(late.len() as usize));
        let mut writer = CaseWriter::new(spool, late, false);
        if !self.is_late_full {
            let heading = format!("late {} of {}:\n", cut(file.name), cut(test_id));
            let is_whole = show(heading.as_bytes(), Content::Utf8, &mut budget, &mut writer)?
                && show(file.bytes, Content::of(mime_type, file.bytes), &mut budget, &mut writer)?;
            budget.end_line(&mut writer);
            if !is_whole {
                self.is_late_full = true;
                writer.glue("[more that came late, left out]\n");
            }
        }
        writer.finish();
        Ok(())
    }

    fn write(&self, options: &JunitOptions, spool: &Spool, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(&self.head(options))?;
        if options.merge_retries {
            self.runs.write(&self.cases, spool, output)?;
        } else {
            spool.copy(&self.cases, 0..self.cases.len(), output)?;
        }
        if let Some(late) = &self.late {
            output.write_all(b"<system-out>")?;
            spool.copy(late, 0..late.len(), output)?;
            output.write_all(b"</system-out>\n")?;
        }
        output.write_all(b"</testsuite>\n")
    }

    fn head(&self, options: &JunitOptions) -> Vec<u8> {
        let mut out = b"<testsuite".to_vec();
        attributes(self.route.as_deref().unwrap_or(&options.suite_name), self.counts, true, &mut out);
        times(self.span, true, &mut out);
        if let (None, Some(hostname)) = (&self.route, &options.hostname) {
            out.extend_from_slice(b" hostname=\"");
            escape::attribute(hostname, &mut out);
            out.push(b'"');
        }
        out.extend_from_slice(b">\n");
        if self.route.is_some() || !options.properties.is_empty() || !self.properties.is_empty() {
            out.extend_from_slice(b"<properties>");
            self.route.iter().for_each(|route| property("route", route, &mut out));
            options.properties.iter().for_each(|(name, value)| property(name, value, &mut out));
            self.properties.write(&options.properties, &mut out);
            out.extend_from_slice(b"</properties>\n");
        }
        out
    }
}

fn attributes(name: &str, counts: Counts, with_skipped: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b" name=\"");
    // Consumers want suites to have names.
    escape::attribute(&cut(if name.is_empty() { "(empty name)" } else { name }), out);
    let Counts { tests, failures, errors, skipped } = counts;
    // Writing to a vector cannot fail.
    let _ = write!(out, "\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    if with_skipped {
        let _ = write!(out, " skipped=\"{skipped}\"");
    }
}
