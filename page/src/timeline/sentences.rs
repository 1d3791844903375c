//! What a timeline tells, in sentences: only those whose rule applies.

use std::fmt::Write as _;
use std::time::Duration;

use crate::escape::Line;
use crate::tests_kept::Tests;
use crate::words::{Id, clock, took};

use super::lanes::Lane;

/// What is shorter than this part of the run is not worth a sentence, nor what is shorter than a second.
const PART: u32 = 20;
const SHORTEST: Duration = Duration::from_secs(1);
/// Lanes whose shares are named.
const MOST_NAMED: usize = 8;
const MOST_GAPS: usize = 3;

pub(super) fn sentences(tests: &Tests, lanes: &[Lane], out: &mut String) {
    let worth = (tests.length() / PART).max(SHORTEST);
    let mut said = Vec::new();
    said.extend(straggler(tests, lanes, worth));
    said.extend(idle(lanes, worth));
    said.extend(busy(lanes));
    if !said.is_empty() {
        let _ = writeln!(out, "<ul><li>{}</li></ul>", said.join("</li>\n<li>"));
    }
}

/// The lane that ended last, where it kept the run open.
fn straggler(tests: &Tests, lanes: &[Lane], worth: Duration) -> Option<String> {
    let (at, last) = lanes.iter().enumerate().max_by_key(|(_, lane)| lane.end)?;
    let others =
        lanes.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, lane)| lane.end).max()?;
    let longer = last.end - others;
    let span = last.tests.iter().max_by_key(|span| span.to)?;
    let test = tests.all.get(span.test)?;
    (longer > worth).then(|| {
        format!(
            "<b>{} kept the run open for {} more</b> than all others; last ran <span class=\"id\">{}</span>.",
            Line(last.title()),
            took(longer),
            Id(tests.id(test)),
        )
    })
}

/// When nothing ran anywhere.
fn idle(lanes: &[Lane], worth: Duration) -> Vec<String> {
    let mut spans: Vec<_> =
        lanes.iter().flat_map(|lane| &lane.tests).map(|span| (span.from, span.to)).collect();
    spans.sort();
    let (mut end, mut gaps) = (Duration::ZERO, Vec::new());
    for (from, to) in spans {
        if from.saturating_sub(end) > worth {
            gaps.push((from - end, end));
        }
        end = end.max(to);
    }
    gaps.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    let said = gaps.iter().take(MOST_GAPS);
    said.map(|(length, from)| format!("<b>No test ran for {}</b> from {} on.", took(*length), clock(*from)))
        .collect()
}

fn busy(lanes: &[Lane]) -> Option<String> {
    let shares = lanes.iter().map(|lane| format!("{} {} %", Line(lane.title()), lane.busy_percent));
    (2..=MOST_NAMED)
        .contains(&lanes.len())
        .then(|| format!("Busy with tests: {}.", shares.collect::<Vec<_>>().join(", ")))
}
