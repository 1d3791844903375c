//! The whole document about a run: its head, its sections in order, the list of all tests.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use formats::human::Bytes;
use formats::time::rfc3339;
use formats::visible;
use streamresult::Summary;

use crate::collect::PageRecords;
use crate::escape::{Line, field};
use crate::failures::{Numbered, failures, numbered};
use crate::list::list;
use crate::sections;
use crate::state::State;
use crate::story::Story;
use crate::timeline::timeline;
use crate::words::{count, grouped, natural, took};
use crate::{PageOptions, earlier, frame, going};

/// Places and tags that menus offer.
const MOST_CHOICES: usize = 60;

/// Writes the page.
pub(crate) fn document(
    records: &PageRecords,
    summary: &Summary,
    options: &PageOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let warned = records.tests.all.iter().filter(|test| test.has_warned).count() as u64;
    let story = Story::of(summary, warned, options);
    let mut text = String::new();
    let name = options.title.as_ref().map(|title| format!(" – {title}")).unwrap_or_default();
    frame::open(&visible::line(&format!("{}{name}", story.heading)), options.site, &mut text);
    text.push_str("<div class=\"wrap\">\n");
    verdict(&story, records, options, &mut text);
    text.push_str("</div>\n");
    let mut sections = String::new();
    let numbers = numbered(records, options.past);
    body(records, summary, options, numbers, &mut sections);
    index(records, summary, &sections, &mut text);
    let _ = write!(text, "<div class=\"wrap\">\n{sections}");
    all_tests(records, &mut text);
    out.write_all(text.as_bytes())?;
    list(&records.tests, options.past, out)?;
    text.clear();
    text.push_str("</pre></noscript>\n</section></div>");
    frame::close(&footer(records, summary), options.site, true, &mut text);
    out.write_all(text.as_bytes())
}

fn verdict(story: &Story, records: &PageRecords, options: &PageOptions<'_>, out: &mut String) {
    let note = options.note.clone().unwrap_or_default();
    let lead = [note, earlier::lead(records, options.past), story.rest.clone()];
    let lead: Vec<&str> = lead.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let is_runnable = !records.failures.is_empty() && records.failures.iter().all(|block| block.is_runnable);
    let again = (is_runnable && options.going.is_none()).then_some("subunit run --failing");
    frame::verdict(story.tone, (&story.heading, &lead.join(" ")), &meta(records, options), again, out);
}

/// What ran, when, for how long, where.
fn meta(records: &PageRecords, options: &PageOptions<'_>) -> String {
    let mut said = Vec::new();
    if let Some(title) = &options.title {
        said.push(format!("<b>{}</b>", Line(title)));
    }
    if let Some(start) = records.tests.start() {
        let time = rfc3339(start);
        let time = time.get(..19).unwrap_or(&time).replace('T', " ");
        said.push(format!("{time} UTC"));
        if !records.tests.length().is_zero() {
            said.push(took(records.tests.length()));
        }
    }
    let mut lanes: Vec<u32> =
        records.tests.all.iter().map(|test| test.lane).filter(|lane| *lane > 0).collect();
    lanes.sort_unstable();
    lanes.dedup();
    match &*lanes {
        [] => {}
        [lane] => said.push(format!("on {}", Line(records.tests.lanes.get(*lane)))),
        lanes => said.push(format!("in {}", count(lanes.len() as u64, "place"))),
    }
    let exit = options.exit_code.map(|code| format!(" Exit status {code}.")).unwrap_or_default();
    if said.is_empty() { exit.trim_start().to_owned() } else { format!("{}.{exit}", said.join(", ")) }
}

fn body(
    records: &PageRecords,
    summary: &Summary,
    options: &PageOptions<'_>,
    numbers: Vec<(usize, Numbered)>,
    out: &mut String,
) {
    going::running(options.going.as_deref(), out);
    failures(records, &numbers, options.past, out);
    earlier::fixed(records, options.past, out);
    sections::damage(records, summary.damaged(), out);
    let marked: Vec<Numbered> = numbers.into_iter().map(|(_, number)| number).collect();
    if !summary.ran() {
        sections::output(records, true, out);
    }
    timeline(records, &marked, out);
    sections::flaky(records, out);
    sections::warned(records, out);
    sections::slowest(records, options.past, out);
    sections::skipped(records, out);
    if summary.ran() {
        sections::output(records, false, out);
    }
}

/// Links to the sections that there are.
fn index(records: &PageRecords, summary: &Summary, sections: &str, out: &mut String) {
    let failed: u64 = records.groups.iter().map(|group| group.count).sum();
    let state = |wanted| records.tests.all.iter().filter(|test| test.state == wanted).count() as u64;
    let warned = records.tests.all.iter().filter(|test| test.has_warned).count() as u64;
    out.push_str("<nav class=\"index\" aria-label=\"On this page\"><div class=\"wrap\">");
    for (id, title, number) in [
        ("running", "Running", 0),
        ("failures", "Failures", failed),
        ("fixed", "Fixed", 0),
        ("damage", "Damage", summary.damaged()),
        ("timeline", "Timeline", 0),
        ("flaky", "Flaky", summary.flaky()),
        ("warnings", "Warnings", warned),
        ("slowest", "Slowest", 0),
        ("skipped", "Skipped", state(State::Skip)),
        ("output", "Output", 0),
    ] {
        if sections.contains(&format!("<section id=\"{id}\"")) {
            link(id, title, number, out);
        }
    }
    link("tests", "All tests", records.tests.all.len() as u64, out);
    out.push_str("</div></nav>\n");
}

fn link(id: &str, title: &str, number: u64, out: &mut String) {
    let number = if number > 0 { format!(" {}", grouped(number)) } else { String::new() };
    let _ = write!(out, "<a href=\"#{id}\"><b>{title}</b>{number}</a> ");
}

fn all_tests(records: &PageRecords, out: &mut String) {
    out.push_str(
        "<section id=\"tests\" aria-labelledby=\"s-tests\"><h2 id=\"s-tests\">All tests</h2>\n\
         <div id=\"tools\" hidden><div class=\"bar\"><label class=\"vh\" for=\"q\">Search tests</label>\
         <input type=\"search\" id=\"q\" placeholder=\"words of the id, is:fail, &gt;10s\" autocomplete=\"off\" spellcheck=\"false\" aria-describedby=\"found\"></div>\n\
         <div class=\"bar\" role=\"group\" aria-label=\"Filters\">",
    );
    for state in State::ALL {
        let number = records.tests.all.iter().filter(|test| test.state == state).count() as u64;
        if number > 0 {
            let word = state.word();
            let _ = write!(
                out,
                "<button type=\"button\" data-q=\"is:{word}\" aria-pressed=\"false\">{} {word}</button> ",
                grouped(number)
            );
        }
    }
    menu("on", "on:", "any place", places(records), out);
    menu("tag", "tag:", "any", tags(records), out);
    let lengths = ["1s", "10s", "1min"].map(|length| (format!("over {length}"), length.to_owned()));
    menu("took", "&gt;", "any time", lengths.to_vec(), out);
    out.push_str(
        "<label>sort <select id=\"sort\"><option value=\"id\">by id</option><option value=\"took\">longest first</option>\
         <option value=\"start\">as they began</option></select></label></div>\n\
         <details><summary>How to search</summary><p class=\"small\">All words must be in the id; <code>-word</code> must not, \
         and <code>\"two words\"</code> are one. <code>is:fail,unfinished</code> is the outcome, <code>on:ash</code> the place or \
         one within it, <code>tag:slow</code> a tag, <code>id:net.*</code> the whole id, <code>&gt;10s</code> and <code>&lt;5ms</code> how long it took; \
         each with <code>-</code> before it is the opposite. The address of this page keeps the search. Keys: <code>/</code> search, \
         <code>n</code> <code>p</code> next and previous failure, <code>o</code> all evidence, arrows in the list and the timeline.</p>\
         <p class=\"small\"><label><input type=\"checkbox\" id=\"keys\" checked> These keys work</label></p></details></div>\n\
         <p id=\"found\" role=\"status\" class=\"small\"></p>\n<ol class=\"rows\" id=\"rows\" aria-label=\"Tests\"></ol>\n\
         <noscript id=\"data\"><p>The whole list as text, for the browser's own search. Columns: outcome, seconds, began at second, \
         where, test, tags, earlier runs, why it was skipped or what came with it. Control characters are shown, and backslashes doubled.</p>\
         <pre class=\"plain\" tabindex=\"0\">\n",
    );
}

/// A menu that writes words of the query; nothing where there is nothing to choose.
fn menu(label: &str, key: &str, any: &str, choices: Vec<(String, String)>, out: &mut String) {
    if choices.is_empty() {
        return;
    }
    let _ = write!(out, "<label>{label} <select data-k=\"{key}\"><option value=\"\">{any}</option>");
    for (title, value) in choices {
        let _ = write!(out, "<option value=\"{}\">{}</option>", Line(&value), Line(&title));
    }
    out.push_str("</select></label>\n");
}

/// A value as a query has it.
fn quoted(value: &str) -> String {
    let is_plain = !value.contains([' ', '\t', '\n', '\r']) && !value.starts_with('"');
    if is_plain {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn choices(counts: HashMap<&str, u64>) -> Vec<(String, String)> {
    // What cannot be seen cannot be chosen.
    let mut choices: Vec<(&str, u64)> = counts.into_iter().filter(|(text, _)| field(text) == *text).collect();
    choices.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| natural(a.0, b.0)));
    choices.truncate(MOST_CHOICES);
    choices.sort_by(|a, b| natural(a.0, b.0));
    choices.into_iter().map(|(text, _)| (text.to_owned(), quoted(text))).collect()
}

/// All places, and the machines that they are at.
fn places(records: &PageRecords) -> Vec<(String, String)> {
    let mut counts = HashMap::new();
    for test in &records.tests.all {
        let lane = records.tests.lane(test);
        let ends = lane.match_indices('/').map(|(at, _)| at).chain([lane.len()]);
        for place in ends.filter_map(|end| lane.get(..end)).filter(|place| !place.is_empty()) {
            *counts.entry(place).or_default() += 1;
        }
    }
    if counts.len() < 2 { Vec::new() } else { choices(counts) }
}

fn tags(records: &PageRecords) -> Vec<(String, String)> {
    let mut counts = HashMap::new();
    for tag in records.tests.all.iter().flat_map(|test| records.tests.tags(test)) {
        *counts.entry(tag).or_default() += 1;
    }
    choices(counts)
}

fn footer(records: &PageRecords, summary: &Summary) -> String {
    let mut said = vec![format!("Made by <code>subunit2html</code> {}.", env!("CARGO_PKG_VERSION"))];
    if records.tests.start().is_some() {
        said.push("Times count from the beginning of the run; its zone is UTC.".to_owned());
    }
    let (files, bytes) = records.budget.left_out;
    if files > 0 {
        said.push(format!("Not in this page: {} of failures, {}.", count(files, "attachment"), Bytes(bytes)));
    }
    if summary.late() > 0 {
        said.push(format!(
            "Nor what {} brought after their tests had ended.",
            count(summary.late(), "event")
        ));
    }
    said.join(" ")
}
