//! What changed from one run to another.

use std::fmt::Write as _;

use ::runs::json::line;
use anyhow::bail;
use formats::json::Object;
use page::frame::Tone;
use page::{Sign, State, count, took};
use repository::{Change, Repository, RunId, Side};

use super::{site, test_link};
use crate::answer::Answer;
use crate::site::Words;

/// Tests that are listed in each section.
const MOST: usize = 200;

/// A test that is not as it was.
struct Changed {
    id: String,
    change: Change,
    before: Option<Side>,
    after: Option<Side>,
}

fn runs(repository: &Repository, words: &Words) -> anyhow::Result<(RunId, RunId)> {
    if let (Some(before), Some(after)) = (words.run("before"), words.run("after")) {
        return Ok((before, after));
    }
    let runs = repository.latest_runs(None, 20)?;
    let mut over = runs.iter().filter(|run| run.state != repository::RunState::Running);
    match (over.next(), over.next()) {
        (Some(after), Some(before)) => Ok((before.id, after.id)),
        _ => bail!("two runs are compared, and there are not two yet that are over"),
    }
}

fn changed(repository: &Repository, (before, after): (RunId, RunId)) -> anyhow::Result<(Vec<Changed>, u64)> {
    let (mut all, mut same) = (Vec::new(), 0);
    repository.diff(before, after, |test| {
        let is_slower = test.slowdown().is_some_and(|times| times > 2.0) && grew(test.before, test.after);
        match test.change() {
            Change::Same if !is_slower && !fails(test.after) => same += 1,
            change => {
                let id = test.test_id.to_owned();
                all.push(Changed { id, change, before: test.before, after: test.after });
            }
        }
    })?;
    Ok((all, same))
}

fn fails(side: Option<Side>) -> bool {
    side.is_some_and(|side| side.outcome.is_failure())
}

/// Whether it took longer by so much that it is worth a word.
fn grew(before: Option<Side>, after: Option<Side>) -> bool {
    let took = |side: Option<Side>| side.and_then(|side| side.duration).unwrap_or_default();
    took(after).saturating_sub(took(before)).as_millis() > 200
}

impl Changed {
    /// The section that it belongs to.
    fn section(&self) -> usize {
        match self.change {
            Change::Broken => 0,
            Change::New if fails(self.after) => 0,
            Change::Same if fails(self.after) => 1,
            Change::Fixed => 2,
            Change::Same => 3,
            Change::New => 4,
            Change::Gone => 5,
            Change::Other => 6,
        }
    }
}

/// Their titles, and what the JSON calls them.
const SECTIONS: [(&str, &str); 7] = [
    ("Newly broken", "broken"),
    ("Still failing", "failing"),
    ("Fixed", "fixed"),
    ("Slower, more than twice as long", "slower"),
    ("New", "new"),
    ("Gone", "gone"),
    ("Changed otherwise", "changed"),
];

pub(crate) fn json(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    let (all, _) = changed(repository, runs(repository, words)?)?;
    let mut lines = Vec::new();
    for test in &all {
        let write = |object: &mut Object<'_>, key: &str, side: Option<Side>| {
            object.optional(key, side.map(|side| side.outcome.as_str()));
        };
        line(&mut lines, |object| {
            object.string("id", &test.id);
            object.string("change", SECTIONS.get(test.section()).map_or("", |section| section.1));
            write(object, "before", test.before);
            write(object, "after", test.after);
        })?;
    }
    Ok(Answer::list(&lines))
}

pub(crate) fn page(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    let (before, after) = runs(repository, words)?;
    let (all, same) = changed(repository, (before, after))?;
    let number = |section| all.iter().filter(|test| test.section() == section).count() as u64;
    let (broken, still, fixed) = (number(0), number(1), number(2));
    let heading = format!("Run {after} against run {before}: {broken} newly broken, {fixed} fixed");
    let lead = format!("{still} failing in both. {} as before.", count(same, "test"));
    let tone = match (broken, still) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Doubtful,
        _ => Tone::Bad,
    };
    let mut content = form(before, after);
    for (section, (title, _)) in SECTIONS.iter().enumerate() {
        let tests: Vec<&Changed> = all.iter().filter(|test| test.section() == section).collect();
        table(section, title, &tests, (before, after), &mut content);
    }
    let json = format!("/compare.json?before={before}&after={after}");
    Ok(Answer::html(site("/compare", &json, None).whole(tone, (&heading, &lead), &content, "")))
}

fn form(before: RunId, after: RunId) -> String {
    format!(
        "<form action=\"/compare\" class=\"bar\"><label>Run <input name=\"after\" value=\"{after}\" size=\"6\" inputmode=\"numeric\"></label> \
         <label>against run <input name=\"before\" value=\"{before}\" size=\"6\" inputmode=\"numeric\"></label> <button>Compare</button></form>\n"
    )
}

fn table(section: usize, title: &str, tests: &[&Changed], (before, after): (RunId, RunId), out: &mut String) {
    if tests.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"c{section}\"><h2 id=\"c{section}\">{title}, {}</h2><table class=\"stack\"><thead><tr>\
         <th scope=\"col\">Test</th><th scope=\"col\">Run {before}</th><th scope=\"col\">Run {after}</th></tr></thead><tbody>",
        tests.len()
    );
    let told = |side: Option<Side>| match side {
        None => "–".to_owned(),
        Some(side) => {
            let time = side.duration.map(|time| format!(" {}", took(time))).unwrap_or_default();
            format!("{}{time}", Sign(State::of_outcome(side.outcome, side.flaky)))
        }
    };
    for test in tests.iter().take(MOST) {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td data-l=\"{before}\">{}</td><td data-l=\"{after}\">{}</td></tr>",
            test_link(&test.id),
            told(test.before),
            told(test.after)
        );
    }
    out.push_str("</tbody></table>");
    if tests.len() > MOST {
        let _ = write!(out, "<p>and {} more.</p>", tests.len() - MOST);
    }
    out.push_str("</section>\n");
}
