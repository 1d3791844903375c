//! The runs: since when it fails, what goes on, and a table.

use std::fmt::Write as _;

use ::runs::{display, json};
use page::frame::Tone;
use page::{Esc, Line, Mark, Strip, count, took};
use repository::{Repository, RunState, Standing, StoredRun};
use subunit::Timestamp;

use super::{ago, sign, site, state};
use crate::answer::Answer;
use crate::site::Words;

/// Runs on a page.
const MOST: usize = 50;
/// Runs that are looked at for since when it fails.
const FAR: usize = 300;
const STRIP: usize = 30;

pub(crate) fn json(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    let mut lines = Vec::new();
    for run in repository.latest_runs(words.run("before"), MOST)? {
        json::run(Some(run.id), &run, &mut lines)?;
    }
    Ok(Answer::list(&lines))
}

pub(crate) fn page(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    let before = words.run("before");
    let (runs, now) = (repository.latest_runs(before, FAR)?, Timestamp::now());
    let (tone, heading, lead) = story(&runs, now);
    let mut content = String::new();
    going(&runs, now, &mut content);
    strip(&runs, &mut content);
    table(&runs, now, &mut content);
    if let Some(last) = runs.get(MOST - 1).filter(|_| runs.len() > MOST) {
        let _ = write!(content, "<p><a href=\"/?before={}\">Older runs</a></p>", last.id);
    }
    let json = before.map_or("/runs.json".to_owned(), |before| format!("/runs.json?before={before}"));
    let place = site("/", &json, Some("/events"));
    Ok(Answer::html(place.whole(tone, (&heading, &lead), &content, "Times are how long ago it was.")))
}

/// How it stands, by the latest run that is over: never green by default.
fn story(runs: &[StoredRun], now: Timestamp) -> (Tone, String, String) {
    let mut over = runs.iter().filter(|run| run.state != RunState::Running);
    let Some(latest) = over.next() else {
        let heading = if runs.is_empty() { "No runs yet" } else { "The first run goes on" };
        return (Tone::Doubtful, heading.to_owned(), String::new());
    };
    let standing = latest.standing();
    let same: Vec<&StoredRun> = over.clone().take_while(|run| run.standing() == standing).collect();
    let since = same.last().copied().unwrap_or(latest);
    let at_least = if runs.len() == FAR && over.count() == same.len() { " or longer" } else { "" };
    let (tone, word) = match standing {
        Standing::Failed => (Tone::Bad, "Failing"),
        Standing::Incomplete => (Tone::Bad, "Incomplete"),
        Standing::Empty => (Tone::Doubtful, "Nothing ran"),
        Standing::Passed if latest.counts.flaky > 0 => (Tone::Doubtful, "Passing, but flaky,"),
        Standing::Passed => (Tone::Good, "Passing"),
    };
    let heading = match same.len() {
        0 => format!("{word} in run {}", latest.id),
        others => format!("{word} since run {}, for {} runs{at_least}", since.id, others + 1),
    };
    let mut lead =
        format!("Run {}, {}: {}.", latest.id, ago(latest.start(), now), display::CountsLine(&latest.counts));
    let passed = runs.iter().find(|run| run.standing() == Standing::Passed);
    if let Some(passed) = passed.filter(|_| standing != Standing::Passed) {
        let _ = write!(lead, " The last run that passed was {}, {}.", passed.id, ago(passed.start(), now));
    }
    (tone, heading, lead)
}

fn going(runs: &[StoredRun], now: Timestamp, out: &mut String) {
    for run in runs.iter().filter(|run| run.state == RunState::Running) {
        let _ = writeln!(
            out,
            "<section aria-labelledby=\"g{0}\"><h2 id=\"g{0}\">Going on now</h2><p><a href=\"/runs/{0}\">Run {0}</a>, begun {1}</p></section>",
            run.id,
            ago(run.start(), now)
        );
    }
}

fn strip(runs: &[StoredRun], out: &mut String) {
    let over = runs.iter().filter(|run| run.state != RunState::Running).take(STRIP);
    let mut marks: Vec<Mark> = over.map(|run| Mark::Test(state(run))).collect();
    marks.reverse();
    if marks.len() > 1 {
        let strip = Strip { title: "Runs, oldest to newest", marks: &marks, pitch: 12, gap: 3 };
        let _ = write!(
            out,
            "<figure>{strip}<figcaption>The last {} runs, the newest right.</figcaption></figure>",
            marks.len()
        );
    }
}

fn table(runs: &[StoredRun], now: Timestamp, out: &mut String) {
    if runs.is_empty() {
        return;
    }
    out.push_str(
        "<section aria-labelledby=\"r2\"><h2 id=\"r2\">Runs</h2><table class=\"stack\"><thead><tr><th scope=\"col\">Run</th>\
         <th scope=\"col\">Verdict</th><th scope=\"col\" class=\"num\">Flaky</th><th scope=\"col\" class=\"num\">Skipped</th>\
         <th scope=\"col\" class=\"num\">Tests</th><th scope=\"col\" class=\"num\">Took</th><th scope=\"col\" class=\"num\">When</th>\
         <th scope=\"col\">Command</th><th scope=\"col\">Changes</th></tr></thead><tbody>\n",
    );
    for (at, run) in runs.iter().take(MOST).enumerate() {
        let before = runs.get(at + 1).map(|before| before.id);
        let changes = before.map(|before| {
            format!("<a href=\"/compare?before={before}&amp;after={}\">against {before}</a>", run.id)
        });
        let failures = run.counts.failures();
        let verdict =
            if failures > 0 { format!("{failures} failed") } else { display::standing(run).to_owned() };
        let command: Vec<&str> =
            run.info.command.iter().chain(&run.info.arguments).map(String::as_str).collect();
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"/runs/{0}\">{0}</a></th><td>{1}</td><td class=\"num\" data-l=\"flaky\">{2}</td>\
             <td class=\"num\" data-l=\"skipped\">{3}</td><td class=\"num\" data-l=\"tests\">{4}</td>\
             <td class=\"num\" data-l=\"took\">{5}</td><td class=\"num\" data-l=\"when\">{6}</td><td class=\"mono\">{7}</td><td>{8}</td></tr>",
            run.id,
            sign(state(run), &verdict),
            run.counts.flaky,
            run.counts.skip,
            run.counts.total(),
            run.duration().map(took).unwrap_or_default(),
            ago(run.start(), now),
            Line(&command.join(" ")),
            changes.unwrap_or_default(),
        );
    }
    out.push_str("</tbody></table></section>\n");
}

/// The latest run that is over, of the last few.
pub(crate) fn latest_over(repository: &Repository) -> anyhow::Result<Option<StoredRun>> {
    let runs = repository.latest_runs(None, FAR)?;
    Ok(runs.into_iter().find(|run| run.state != RunState::Running))
}

/// How the latest run that is over went, as a picture for other pages.
pub(crate) fn badge(repository: &Repository) -> anyhow::Result<Answer> {
    let (word, colour) = match latest_over(repository)? {
        None => ("no runs".to_owned(), "#545d68"),
        Some(run) => match run.standing() {
            Standing::Failed => (count(run.counts.failures(), "failure"), "#a81e17"),
            Standing::Incomplete => (display::standing(&run).to_owned(), "#8c1d62"),
            Standing::Empty => ("nothing ran".to_owned(), "#545d68"),
            Standing::Passed => (format!("{} passed", run.counts.success), "#0b6158"),
        },
    };
    let width = 14 + 7 * word.chars().count();
    let text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"tests: {word}\">\
         <rect width=\"44\" height=\"20\" fill=\"#1a1e23\"/><rect x=\"44\" width=\"{width}\" height=\"20\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,sans-serif\" font-size=\"11\"><text x=\"7\" y=\"14\">tests</text>\
         <text x=\"51\" y=\"14\">{word}</text></g></svg>\n",
        all = 44 + width,
        word = Esc(&word)
    );
    Ok(Answer { is_for_all: true, ..Answer::new("image/svg+xml", text) })
}
