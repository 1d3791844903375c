//! Failures: in groups by what they say, and one by one with their evidence.

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use formats::human::Bytes;

use crate::collect::{Block, PageRecords};
use crate::escape::{Esc, Line, anchor, shell};
use crate::evidence::{Gap, Shape, Shown, is_evidence};
use crate::past::{Past, TestPast};
use crate::state::State;
use crate::tests_kept::Test;
use crate::words::{Id, Sign, clock, count, grouped, rest, took};

/// Groups that are listed above the failures, and numbers that are named in each.
const MOST_GROUPS: usize = 20;
const MOST_NUMBERS: usize = 12;
const LONGEST_CAUSE: usize = 200;

/// A failure with a number, and its address in the page.
#[derive(Debug)]
pub(crate) struct Numbered {
    /// Which of the tests.
    pub(crate) test: usize,
    pub(crate) number: usize,
    pub(crate) anchor: String,
}

/// Numbers for the failures that are shown whole: first those that are new, then those that were there before; of each
/// first those that failed, then those that never finished.
pub(crate) fn numbered(records: &PageRecords, past: Option<&dyn Past>) -> Vec<(usize, Numbered)> {
    let rank = |block: &Block| {
        let test = records.tests.all.get(block.test)?;
        let past = past.and_then(|past| TestPast::of(past, records.tests.id(test)));
        Some((past.is_some_and(|past| !past.was_well()), test.state == State::Unfinished))
    };
    let mut blocks: Vec<usize> = (0..records.failures.len()).collect();
    blocks.sort_by_cached_key(|at| records.failures.get(*at).and_then(rank));
    let mut taken = HashSet::new();
    let numbers = blocks.into_iter().enumerate().filter_map(|(at, block)| {
        let test = records.failures.get(block)?.test;
        let id = records.tests.id(records.tests.all.get(test)?);
        Some((block, Numbered { test, number: at + 1, anchor: unique(anchor(id), &mut taken) }))
    });
    numbers.collect()
}

/// An address that no other has: a test may fail several times.
fn unique(hash: u32, taken: &mut HashSet<String>) -> String {
    let plain = format!("t-{hash:08x}");
    let others = (2..).map(|number| format!("{plain}-{number}"));
    let free = std::iter::once(plain.clone()).chain(others).find(|name| !taken.contains(name));
    let free = free.unwrap_or(plain);
    taken.insert(free.clone());
    free
}

/// Writes the section; nothing where nothing failed.
pub(crate) fn failures(
    records: &PageRecords,
    numbers: &[(usize, Numbered)],
    past: Option<&dyn Past>,
    out: &mut String,
) {
    if records.failures.is_empty() {
        return;
    }
    out.push_str(
        "<section id=\"failures\" aria-labelledby=\"s-failures\"><h2 id=\"s-failures\">Failures</h2>\n",
    );
    groups(records, numbers, out);
    for (at, (block, number)) in numbers.iter().enumerate() {
        let Some(block) = records.failures.get(*block) else { continue };
        article(records, block, number, past, at == 0, out);
    }
    let failed: u64 = records.groups.iter().map(|group| group.count).sum();
    let others = failed.saturating_sub(records.failures.len() as u64);
    if others > 0 {
        let _ = writeln!(
            out,
            "<p>{} more failed, and are in the list of all tests below; those above are the first 200, and the first of each group.</p>",
            grouped(others)
        );
    }
    out.push_str("</section>\n");
}

fn groups(records: &PageRecords, numbers: &[(usize, Numbered)], out: &mut String) {
    let failed: u64 = records.groups.iter().map(|group| group.count).sum();
    if failed < 2 {
        return;
    }
    let groups = records.groups.len();
    let _ = write!(
        out,
        "<p>{} in {}, by what they say:</p><ul class=\"causes\">",
        count(failed, "failure"),
        count(groups as u64, "group")
    );
    let mut order: Vec<_> = records.groups.iter().collect();
    // The largest first, else as they came.
    order.sort_by_key(|group| std::cmp::Reverse(group.count));
    for group in order.iter().take(MOST_GROUPS) {
        out.push_str("<li>");
        let named = numbers.iter().filter(|(block, _)| group.blocks.contains(block));
        let mut shown = 0;
        for (_, number) in named.take(MOST_NUMBERS) {
            let state = records.tests.all.get(number.test).map(|test| test.state);
            let class = if state == Some(State::Unfinished) { "no hung" } else { "no" };
            let _ = write!(
                out,
                "<a class=\"{class}\" href=\"#{}\" aria-label=\"Failure {}\">{}</a> ",
                number.anchor, number.number, number.number
            );
            shown += 1;
        }
        if group.count > shown {
            let _ = write!(out, "and {} more: ", grouped(group.count - shown));
        }
        match &*group.cause {
            "" => out.push_str("no message"),
            cause => {
                let end = cause.char_indices().nth(LONGEST_CAUSE).map(|(at, _)| at);
                let shown = end.and_then(|end| cause.get(..end)).unwrap_or(cause);
                let _ = write!(out, "<code>{}{}</code>", Line(shown), if end.is_some() { "…" } else { "" });
            }
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>");
    if let Some(rest) = rest(groups, MOST_GROUPS) {
        let _ = write!(out, "<p>{rest} more groups are not listed here.</p>");
    }
}

fn article(
    records: &PageRecords,
    block: &Block,
    number: &Numbered,
    past: Option<&dyn Past>,
    is_open: bool,
    out: &mut String,
) {
    let Some(test) = records.tests.all.get(block.test) else { return };
    let id = records.tests.id(test);
    let Numbered { number, anchor, .. } = number;
    let class = if test.state == State::Unfinished { " hung" } else { "" };
    let past = past.and_then(|past| TestPast::of(past, id));
    let _ = write!(
        out,
        "<article id=\"{anchor}\" aria-labelledby=\"h-{anchor}\">\n<div class=\"side\"><div>\
         <span class=\"no{class}\" aria-hidden=\"true\">{number}</span> {} {}</div>\n",
        Sign(test.state),
        past.as_ref().map(TestPast::badge).unwrap_or_default()
    );
    facts(records, test, past.as_ref(), out);
    let _ = write!(
        out,
        "</div>\n<div><h3 id=\"h-{anchor}\" class=\"id\"><a href=\"#{anchor}\"><span class=\"vh\">Failure {number}: </span>{}</a></h3>\n",
        Id(id)
    );
    if !block.cause.is_empty() {
        let _ = writeln!(out, "<div class=\"first{class}\">{}</div>", Line(&block.cause));
    }
    if block.is_runnable {
        let _ = writeln!(
            out,
            "<div class=\"again\"><code>subunit run {}</code></div>",
            Esc(&shell(&format!("^{}$", regex::escape(id))))
        );
    }
    evidence(&block.files, &block.cause, is_open, out);
    out.push_str("</div></article>\n");
}

/// How long, where, when, and by which names.
fn facts(records: &PageRecords, test: &Test, past: Option<&TestPast>, out: &mut String) {
    out.push_str("<dl class=\"kv\">");
    if let Some(duration) = test.took {
        let name = if test.state == State::Unfinished { "for" } else { "took" };
        let _ = writeln!(out, "<dt>{name}</dt> <dd class=\"num\">{}{}</dd>", took(duration), Usually(past));
    }
    let lane = records.tests.lane(test);
    if !lane.is_empty() {
        let _ = writeln!(out, "<dt>on</dt> <dd class=\"mono\">{}</dd>", Line(lane));
    }
    if let (Some(offset), Some(duration)) = (records.tests.offset(test), test.took) {
        let (name, at) =
            if test.state == State::Unfinished { ("began", offset) } else { ("ended", offset + duration) };
        let _ = writeln!(out, "<dt>{name}</dt> <dd class=\"num\">{}</dd>", clock(at));
    }
    let tags: Vec<&str> = records.tests.tags(test).collect();
    if !tags.is_empty() {
        let _ = write!(out, "<dt>tags</dt> <dd>{}</dd>", Line(&tags.join(" ")));
    }
    out.push_str("</dl>");
    if let Some(past) = past {
        out.push_str(&past.figure(test.state));
    }
}

/// What a test usually takes, behind what it took.
struct Usually<'a>(Option<&'a TestPast>);

impl fmt::Display for Usually<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.and_then(TestPast::usually) {
            Some(usually) => write!(formatter, " <small>usually {usually}</small>"),
            None => Ok(()),
        }
    }
}

/// The files of a test, folded.
pub(crate) fn evidence(files: &[Shown], cause: &str, is_open: bool, out: &mut String) {
    if files.is_empty() {
        return;
    }
    let open = if is_open { " open" } else { "" };
    let _ = writeln!(out, "<details class=\"ev\"{open}><summary>Evidence: {}</summary>", Names(files));
    for file in files.iter().filter(|file| !matches!(file.content, Shape::Named)) {
        let _ = write!(out, "<h4>{}</h4>", Line(&file.name));
        match &file.content {
            Shape::Text(stretches) => text(stretches, cause, out),
            Shape::Image(data) => {
                let _ = write!(out, "<img src=\"data:{data}\" alt=\"{}\">", Line(&file.name));
            }
            Shape::Named => {}
        }
        out.push('\n');
    }
    let named: Vec<_> = files.iter().filter(|file| matches!(file.content, Shape::Named)).collect();
    if !named.is_empty() {
        out.push_str("<h4>Not in this page</h4><ul class=\"files\">");
        for file in named {
            let _ = write!(out, "<li>{}, {}</li>", Line(&file.name), Bytes(file.len));
        }
        out.push_str("</ul>");
    }
    out.push_str("</details>\n");
}

struct Names<'a>(&'a [Shown]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 5;
        for (at, file) in self.0.iter().take(MOST).enumerate() {
            write!(formatter, "{}{}", if at > 0 { ", " } else { "" }, Line(&file.name))?;
        }
        match self.0.len().saturating_sub(MOST) {
            0 => Ok(()),
            others => write!(formatter, " and {}", count(others as u64, "other file")),
        }
    }
}

/// A text, with the lines marked that say why.
pub(crate) fn text(stretches: &[(Gap, String)], cause: &str, out: &mut String) {
    // A parser takes away a newline at the very beginning.
    out.push_str("<pre>\n");
    for (gap, text) in stretches {
        match gap {
            Gap::None => {}
            Gap::Lines(lines) => {
                let _ = writeln!(out, "<i>[… {} left out …]</i>", count(*lines as u64, "line"));
            }
            Gap::Unread => out.push_str("<i>[… a part that is not in this page …]</i>\n"),
        }
        for line in text.split_inclusive('\n') {
            let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
            if !cause.is_empty() && is_evidence(bare, cause) {
                let _ = write!(out, "<mark>{}</mark>{end}", Esc(bare));
            } else {
                let _ = write!(out, "{}{end}", Esc(bare));
            }
        }
    }
    out.push_str("</pre>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_given_once() {
        let mut taken = HashSet::new();
        assert_eq!(unique(10, &mut taken), "t-0000000a");
        assert_eq!(unique(10, &mut taken), "t-0000000a-2");
        assert_eq!(unique(10, &mut taken), "t-0000000a-3");
    }

    #[test]
    fn text_stays_in_its_place() {
        let mut out = String::new();
        let text_of = "\n</pre><script>\nboom: x\n".to_owned();
        text(&[(Gap::None, "a".to_owned()), (Gap::Lines(2), text_of)], "boom: x", &mut out);
        let expected = "<pre>\na<i>[… 2 lines left out …]</i>\n\n&lt;/pre&gt;&lt;script&gt;\n<mark>boom: x</mark>\n</pre>";
        assert_eq!(out, expected);
    }
}
