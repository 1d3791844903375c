//! What the page says besides failures: flaky tests, the slowest ones, skips, warnings, damage, output of the run.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;

use formats::human::Bytes;
use formats::visible;

use crate::collect::PageRecords;
use crate::escape::{Esc, Line};
use crate::failures::evidence;
use crate::past::{Past, TestPast};
use crate::state::State;
use crate::tests_kept::Test;
use crate::words::{Id, Sign, count, grouped, rest, took};

const SLOWEST: usize = 10;
/// Reasons, and tests that are named for each.
const MOST_REASONS: usize = 50;
const MOST_NAMED: usize = 6;

fn open(id: &str, title: &str, out: &mut String) {
    let _ = writeln!(out, "<section id=\"{id}\" aria-labelledby=\"s-{id}\"><h2 id=\"s-{id}\">{title}</h2>");
}

/// What could not be read of the stream.
pub(crate) fn damage(records: &PageRecords, damaged: u64, out: &mut String) {
    if damaged == 0 {
        return;
    }
    open("damage", "Damage", out);
    out.push_str(
        "<p>Bytes of the stream could not be read; what they said of tests is not in this page.</p><ul>",
    );
    for message in &records.damage {
        let _ = writeln!(out, "<li><code>{}</code></li>", Line(message));
    }
    out.push_str("</ul>");
    let others = damaged.saturating_sub(records.damage.len() as u64);
    if others > 0 {
        let _ = write!(out, "<p>and {} more.</p>", count(others, "place"));
    }
    out.push_str("</section>\n");
}

/// Tests that passed only when they were tried again.
pub(crate) fn flaky(records: &PageRecords, out: &mut String) {
    if records.flaky.is_empty() {
        return;
    }
    open("flaky", "Flaky", out);
    out.push_str("<p>They failed first, and passed when tried again.</p>\n<ul class=\"plainlist\">");
    for block in &records.flaky {
        let Some(test) = records.tests.all.get(block.test) else { continue };
        let _ = write!(
            out,
            "<li>{} <span class=\"id\">{}</span>",
            Sign(State::Flaky),
            Id(records.tests.id(test))
        );
        let tags: Vec<&str> = records.tests.tags(test).collect();
        let _ = write!(out, " <small>{}</small>", Line(&tags.join(" ")));
        if !block.cause.is_empty() {
            let _ = write!(out, "<div class=\"first flaky\">{}</div>", Line(&block.cause));
        }
        evidence(&block.files, &block.cause, false, out);
        out.push_str("</li>\n");
    }
    out.push_str("</ul></section>\n");
}

/// The tests that took longest.
pub(crate) fn slowest(records: &PageRecords, past: Option<&dyn Past>, out: &mut String) {
    let mut tests: Vec<&Test> = records.tests.all.iter().filter(|test| ran(test)).collect();
    if tests.len() < 2 {
        return;
    }
    let by_length = |test: &&Test| Reverse(test.took);
    if tests.len() > SLOWEST {
        tests.select_nth_unstable_by_key(SLOWEST - 1, by_length);
        tests.truncate(SLOWEST);
    }
    tests.sort_by_key(by_length);
    open("slowest", "Slowest", out);
    let usually: Vec<_> = tests.iter().map(|test| usually(records, past, test)).collect();
    let is_known = usually.iter().any(Option::is_some);
    let head = if is_known { "<th scope=\"col\" class=\"num\">Usually</th>" } else { "" };
    let has_places = tests.iter().any(|test| test.lane > 0);
    let on = if has_places { "<th scope=\"col\">On</th>" } else { "" };
    let _ = writeln!(
        out,
        "<table class=\"stack\"><thead><tr><th scope=\"col\">Test</th>\
         <th scope=\"col\" class=\"num\">Took</th>{head}{on}</tr></thead><tbody>"
    );
    for (test, usually) in tests.into_iter().zip(usually) {
        let usually = match is_known {
            true => format!("<td class=\"num\" data-l=\"usually\">{}</td>", usually.unwrap_or_default()),
            false => String::new(),
        };
        let lane = Line(records.tests.lane(test));
        let on =
            if has_places { format!("<td class=\"mono\" data-l=\"on\">{lane}</td>") } else { String::new() };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><span class=\"id\">{}</span></th>\
             <td class=\"num\" data-l=\"took\">{}</td>{usually}{on}</tr>",
            Id(records.tests.id(test)),
            test.took.map(took).unwrap_or_default(),
        );
    }
    out.push_str("</tbody></table></section>\n");
}

/// What it usually takes; in bold where it was different this time.
fn usually(records: &PageRecords, past: Option<&dyn Past>, test: &Test) -> Option<String> {
    let past = TestPast::of(past?, records.tests.id(test))?;
    let usually = past.usually()?;
    let is_unusual = test.took.is_some_and(|now| past.is_unusual(now));
    Some(if is_unusual { format!("<b class=\"flaky\">{usually}</b>") } else { usually })
}

fn ran(test: &Test) -> bool {
    let did_not = matches!(test.state, State::Skip | State::Exists | State::Unfinished);
    !did_not && test.took.is_some_and(|took| !took.is_zero())
}

/// Skipped tests by their reasons.
pub(crate) fn skipped(records: &PageRecords, out: &mut String) {
    by_note(
        records,
        |test| test.state == State::Skip,
        ("skipped", "Skipped, by reason", "no reason given"),
        out,
    );
}

/// Tests that passed with a warning, by what came with them.
pub(crate) fn warned(records: &PageRecords, out: &mut String) {
    let tests: Vec<&Test> = records.tests.all.iter().filter(|test| test.has_warned).collect();
    if tests.is_empty() {
        return;
    }
    open("warnings", "Warnings", out);
    out.push_str("<p>They passed, with the tag <code>warning</code>.</p><ul class=\"plainlist\">");
    for test in tests.iter().take(MOST_REASONS) {
        let _ = writeln!(out, "<li><span class=\"id\">{}</span></li>", Id(records.tests.id(test)));
    }
    out.push_str("</ul>");
    if let Some(rest) = rest(tests.len(), MOST_REASONS) {
        let _ = write!(out, "<p>and {rest} more.</p>");
    }
    out.push_str("</section>\n");
}

fn by_note(
    records: &PageRecords,
    which: impl Fn(&Test) -> bool,
    words: (&str, &str, &str),
    out: &mut String,
) {
    let mut by_note: HashMap<&str, Vec<&Test>> = HashMap::new();
    for test in records.tests.all.iter().filter(|test| which(test)) {
        by_note.entry(records.tests.note(test)).or_default().push(test);
    }
    if by_note.is_empty() {
        return;
    }
    let mut notes: Vec<_> = by_note.into_iter().collect();
    notes.sort_by_key(|(note, tests)| (Reverse(tests.len()), *note));
    let (id, title, none) = words;
    open(id, title, out);
    out.push_str(
        "<table class=\"stack\"><thead><tr><th scope=\"col\">Reason</th><th scope=\"col\" class=\"num\">Tests</th>\
         <th scope=\"col\">Which</th></tr></thead><tbody>\n",
    );
    for (note, tests) in notes.iter().take(MOST_REASONS) {
        let note = if note.is_empty() { none } else { note };
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"num\" data-l=\"tests\">{}</td><td>",
            Line(note),
            grouped(tests.len() as u64)
        );
        for test in tests.iter().take(MOST_NAMED) {
            let _ = write!(out, "<span class=\"id\">{}</span><br>", Id(records.tests.id(test)));
        }
        if let Some(rest) = rest(tests.len(), MOST_NAMED) {
            let _ = write!(out, "<small>and {rest} more</small>");
        }
        out.push_str("</td></tr>\n");
    }
    out.push_str("</tbody></table>");
    if let Some(rest) = rest(notes.len(), MOST_REASONS) {
        let _ = write!(out, "<p>{rest} more reasons are not listed here.</p>");
    }
    out.push_str("</section>\n");
}

/// The end of what the run wrote that belongs to no test.
pub(crate) fn output(records: &PageRecords, is_wanted: bool, out: &mut String) {
    if records.output_len == 0 {
        return;
    }
    open("output", "Output of the run", out);
    let text = visible::lossy_text(records.output()).replace("\\r\n", "\n");
    let is_whole = records.output().len() as u64 == records.output_len;
    let how = if is_whole { "all of it" } else { "its end" };
    let wish = if is_wanted { " open" } else { "" };
    let _ = write!(
        out,
        "<details class=\"ev\"{wish}><summary>{}, {how}</summary><pre>\n{}</pre></details>",
        Bytes(records.output_len),
        Esc(&text)
    );
    out.push_str("</section>\n");
}
