//! The picture: labels in HTML, and beside them one SVG without a view box, whose widths are in per cent. So text
//! never scales, and narrow screens work, without a script and without an attribute of style.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::escape::Line;
use crate::failures::Numbered;
use crate::state::State;
use crate::tests_kept::Tests;
use crate::words::grouped;

use super::bars::{Bar, bars};
use super::lanes::Lane;

/// A lane with its gap, and what is filled of it; the place of the numbers above.
const LANE: usize = 17;
const FILLED: usize = 13;
const TOP: usize = 26;
const GAP: usize = 8;
/// Lanes that are drawn one by one.
const MOST_LANES: usize = 60;
/// Failures that have a number in the picture.
const MOST_MARKS: usize = 60;

/// Some of the lanes, drawn as one.
struct Row<'a> {
    lanes: Vec<&'a Lane>,
}

impl Row<'_> {
    /// The lane, where it is one.
    fn lane(&self) -> Option<&Lane> {
        if let [lane] = &*self.lanes { Some(lane) } else { None }
    }

    fn title(&self) -> String {
        match &*self.lanes {
            [lane] => lane.title().to_owned(),
            [first, ..] => format!("{} ({})", first.node(), grouped(self.lanes.len() as u64)),
            [] => String::new(),
        }
    }

    fn bars(&self, tests: &Tests, length: Duration) -> Vec<Bar> {
        let mut all: Vec<Bar> = self.lanes.iter().flat_map(|lane| bars(lane, tests, length)).collect();
        all.sort_by_key(|bar| (bar.from, bar.to));
        all
    }
}

/// Draws the lanes; `marked` are the tests that have numbers.
pub(super) fn picture(tests: &Tests, lanes: &[Lane], marked: &[Numbered], out: &mut String) {
    let (rows, left_out) = rows(lanes);
    let tops = tops(&rows);
    let height = tops.last().map_or(TOP, |top| top + LANE);
    let length = tests.length();
    out.push_str(
        "<div class=\"tl\" id=\"tl\" role=\"group\" aria-label=\"Timeline. Arrow keys go through the tests, Enter shows one in the list.\">",
    );
    labels(&rows, &tops, out);
    let _ = write!(
        out,
        "<svg id=\"plot\" width=\"100%\" data-end=\"{:.3}\" height=\"{}\" role=\"group\" aria-label=\"Timeline of {}; the same is in the table below\">",
        length.as_secs_f64(),
        height + 24,
        crate::words::count(lanes.len() as u64, "lane"),
    );
    for (row, top) in rows.iter().zip(&tops) {
        let lane = row.lane().map(|lane| format!(" data-lane=\"{}\"", Line(&lane.name))).unwrap_or_default();
        let _ = write!(
            out,
            "<rect class=\"ln\" fill=\"#eee\"{lane} x=\"0\" y=\"{top}\" width=\"100%\" height=\"{FILLED}\"/>"
        );
    }
    axis(length, height, out);
    for (row, top) in rows.iter().zip(&tops) {
        draw(&row.bars(tests, length), *top, length, out);
    }
    marks(tests, &rows, &tops, marked, out);
    out.push_str("</svg></div>\n<p class=\"read\" id=\"read\" role=\"status\"></p>\n");
    key(tests, left_out, out);
}

/// Each lane by itself; of many, those with failures and the one that ended last, and the others by machine.
fn rows(lanes: &[Lane]) -> (Vec<Row<'_>>, usize) {
    if lanes.len() <= MOST_LANES {
        return (lanes.iter().map(|lane| Row { lanes: vec![lane] }).collect(), 0);
    }
    let last = lanes.iter().map(|lane| lane.end).max();
    let (mut rows, mut others): (Vec<Row<'_>>, BTreeMap<&str, Row<'_>>) = (Vec::new(), BTreeMap::new());
    for lane in lanes {
        if rows.len() < MOST_LANES * 2 / 3 && (lane.failed > 0 || Some(lane.end) == last) {
            rows.push(Row { lanes: vec![lane] });
        } else {
            others.entry(lane.node()).or_insert_with(|| Row { lanes: Vec::new() }).lanes.push(lane);
        }
    }
    let room = MOST_LANES - rows.len();
    let left_out = others.values().skip(room).map(|row| row.lanes.len()).sum();
    rows.extend(others.into_values().take(room));
    (rows, left_out)
}

/// Where each row begins: lanes of one machine stand together.
fn tops(rows: &[Row<'_>]) -> Vec<usize> {
    let (mut y, mut node) = (TOP, None);
    rows.iter()
        .map(|row| {
            let own = row.lanes.first().map(|lane| lane.node());
            if node.is_some() && node != own && rows.len() <= MOST_LANES / 2 && has_workers(rows) {
                y += GAP;
            }
            node = own;
            let top = y;
            y += LANE;
            top
        })
        .collect()
}

/// Whether machines have several lanes.
fn has_workers(rows: &[Row<'_>]) -> bool {
    rows.iter().any(|row| row.lane().is_some_and(|lane| lane.name.contains('/')))
}

fn labels(rows: &[Row<'_>], tops: &[usize], out: &mut String) {
    out.push_str("<ul aria-hidden=\"true\"><li class=\"ax\"></li>");
    let mut y = TOP;
    for (row, top) in rows.iter().zip(tops) {
        if *top > y {
            out.push_str("<li class=\"gap\"></li>");
        }
        let _ = write!(out, "<li>{}</li>", Line(&row.title()));
        y = top + LANE;
    }
    out.push_str("</ul>\n");
}

/// Per cent of the run.
fn share(time: Duration, length: Duration) -> f64 {
    time.as_secs_f64() / length.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0
}

fn axis(length: Duration, height: usize, out: &mut String) {
    let seconds = length.as_secs_f64();
    let step = step(seconds);
    let ticks = (seconds / step).floor() as usize;
    for tick in 0..=ticks {
        let (at, x) = (tick as f64 * step, tick as f64 * step / seconds * 100.0);
        let is_last = x > 96.0;
        let wide = if tick % 2 == 1 { " class=\"wide\"" } else { "" };
        let _ = write!(
            out,
            "<line class=\"grid\" stroke=\"#ccc\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"20\" y2=\"{height}\"/>\
             <text{wide} x=\"{x:.2}%\" y=\"{}\" dx=\"{}\">{}</text>",
            height + 15,
            if tick == 0 {
                0
            } else if is_last {
                -28
            } else {
                -11
            },
            tick_text(at, step),
        );
    }
}

/// From one tick to the next: some eight in all.
fn step(seconds: f64) -> f64 {
    const STEPS: [f64; 23] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
        600.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0,
    ];
    let fits = STEPS.into_iter().find(|step| seconds / step <= 9.0);
    fits.unwrap_or_else(|| (seconds / 8.0 / 86_400.0).ceil() * 86_400.0)
}

fn tick_text(at: f64, step: f64) -> String {
    if step < 0.1 {
        return format!("{:.0} ms", at * 1000.0);
    }
    if step < 1.0 {
        return format!("{at:.1} s");
    }
    let whole = at.round() as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

fn draw(bars: &[Bar], top: usize, length: Duration, out: &mut String) {
    // Failures are drawn over what passed.
    let (bad, good): (Vec<&Bar>, Vec<&Bar>) = bars.iter().partition(|bar| bar.state.is_failure());
    out.push_str("<g fill=\"#69968f\">");
    for bar in good.into_iter().chain(bad) {
        // A gap between two that touch, where they are wide enough to have one.
        let width = share(bar.to.saturating_sub(bar.from), length);
        let width = if width > 0.5 { width - 0.08 } else { width.max(0.07) };
        let fill = if bar.state.is_failure() { " fill=\"#a81e17\"" } else { "" };
        let x = share(bar.from, length);
        let _ = write!(
            out,
            "<rect class=\"{}\"{fill} x=\"{x:.2}%\" y=\"{top}\" width=\"{width:.2}%\" height=\"{FILLED}\"/>",
            bar.state.bar()
        );
    }
    out.push_str("</g>\n");
}

/// The numbers of failures, each at the end of its bar, where the one before leaves room.
fn marks(tests: &Tests, rows: &[Row<'_>], tops: &[usize], marked: &[Numbered], out: &mut String) {
    let length = tests.length();
    let mut drawn: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for Numbered { test, number, anchor } in marked.iter().take(MOST_MARKS) {
        let Some(kept) = tests.all.get(*test) else { continue };
        let row = rows.iter().position(|row| row.lanes.iter().any(|lane| lane.name == tests.lane(kept)));
        let (Some(top), Some(from), Some(took)) =
            (row.and_then(|row| tops.get(row)), tests.offset(kept), kept.took)
        else {
            continue;
        };
        let x = share(from + took, length).clamp(0.8, 99.2);
        let others = drawn.entry(*top).or_default();
        if others.iter().any(|other| (other - x).abs() < 2.0) {
            continue;
        }
        others.push(x);
        let class = if kept.state == State::Unfinished { "mk hung" } else { "mk" };
        let _ = write!(
            out,
            "<a href=\"#{anchor}\" aria-label=\"Failure {number}\"><svg x=\"{x:.2}%\" y=\"{}\" width=\"1\" height=\"1\" overflow=\"visible\">\
             <rect class=\"{class}\" fill=\"#a81e17\" x=\"-10\" y=\"-9\" width=\"20\" height=\"17\" rx=\"8\"/>\
             <text class=\"mt\" x=\"0\" y=\"4\">{number}</text></svg></a>",
            top + FILLED / 2 + 1,
        );
    }
}

fn key(tests: &Tests, left_out: usize, out: &mut String) {
    out.push_str("<ul class=\"key\">");
    let bars = [
        ("p", "passed", &[State::Pass][..]),
        ("f", "failed", &[State::Fail, State::UxSuccess]),
        ("h", "never finished", &[State::Unfinished]),
        ("k", "flaky", &[State::Flaky]),
        ("x", "failed as expected", &[State::XFail]),
        ("s", "skipped", &[State::Skip]),
    ];
    for (class, words, states) in bars {
        if tests.all.iter().any(|test| states.contains(&test.state)) {
            let _ = write!(
                out,
                "<li><svg aria-hidden=\"true\" width=\"18\" height=\"11\"><rect class=\"{class}\" x=\".5\" y=\".5\" width=\"17\" height=\"10\"/></svg>{words}</li> "
            );
        }
    }
    out.push_str("</ul>\n");
    if left_out > 0 {
        let _ = writeln!(
            out,
            "<p class=\"small\">{} more lanes are not drawn; none of their tests failed, or others stand for them.</p>",
            grouped(left_out as u64)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_at_round_times() {
        let check = |seconds, expected| assert_eq!(step(seconds), expected, "{seconds}");
        check(0.005, 0.001);
        check(8.0, 1.0);
        check(252.0, 30.0);
        check(7200.0, 1800.0);
        check(86_400.0 * 100.0, 86_400.0 * 13.0);
        assert_eq!(tick_text(0.05, 0.01), "50 ms");
        assert_eq!(tick_text(90.0, 30.0), "1:30");
        assert_eq!(tick_text(7290.0, 30.0), "2:01:30");
    }
}
