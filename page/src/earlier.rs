//! What is new against earlier runs, and what was fixed.

use std::fmt::Write as _;

use crate::collect::PageRecords;
use crate::past::{Past, TestPast};
use crate::state::State;
use crate::story::join;
use crate::words::{Id, Sign, count, grouped};

const MOST: usize = 20;

/// How many failures are new, and how long the others have been there.
pub(crate) fn lead(records: &PageRecords, past: Option<&dyn Past>) -> String {
    let Some(past) = past else { return String::new() };
    let runs = past.runs();
    let failed = records.tests.all.iter().filter(|test| test.state.is_failure());
    let pasts: Vec<TestPast> = failed.filter_map(|test| TestPast::of(past, records.tests.id(test))).collect();
    let known: Vec<usize> = pasts.iter().filter_map(|past| Some(past.streak()?.0 + 1)).collect();
    let new = pasts.len() - known.len();
    let mut said = Vec::new();
    if let (1.., Some(before)) = (new, runs.first()) {
        let verb = if new == 1 { "is" } else { "are" };
        said.push(format!("{} {verb} new since run {before}", count(new as u64, "failure")));
    }
    if let Some(longest) = known.iter().max() {
        let (has, up) = if known.len() == 1 { ("has", "") } else { ("have", "up to ") };
        let number = grouped(known.len() as u64);
        let tests = if known.len() == 1 { "test" } else { "tests" };
        said.push(format!("{number} {tests} {has} been failing for {up}{longest} runs"));
    }
    if said.is_empty() { String::new() } else { format!("{}.", join(&said)) }
}

/// Tests that went wrong in the run before, and pass now.
pub(crate) fn fixed(records: &PageRecords, past: Option<&dyn Past>, out: &mut String) {
    let Some((past, before)) = past.and_then(|past| Some((past, *past.runs().first()?))) else { return };
    let passed = records.tests.all.iter().filter(|test| matches!(test.state, State::Pass | State::Flaky));
    let fixed: Vec<_> = passed
        .filter_map(|test| Some((test, TestPast::of(past, records.tests.id(test))?)))
        .filter(|(_, past)| past.failed_in(before))
        .collect();
    if fixed.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<section id=\"fixed\" aria-labelledby=\"s-fixed\"><h2 id=\"s-fixed\">Fixed</h2>\
         <p>{} failed in run {before} and passed now.</p>\n<ul class=\"plainlist\">",
        count(fixed.len() as u64, "test")
    );
    for (test, past) in fixed.iter().take(MOST) {
        let runs = past.streak().map_or(0, |(runs, _)| runs as u64);
        let _ = writeln!(
            out,
            "<li>{} <span class=\"id\">{}</span> <small>after {}</small></li>",
            Sign(test.state),
            Id(records.tests.id(test)),
            count(runs, "failure")
        );
    }
    out.push_str("</ul>");
    if fixed.len() > MOST {
        let _ = write!(out, "<p>and {} more.</p>", grouped((fixed.len() - MOST) as u64));
    }
    out.push_str("</section>\n");
}
