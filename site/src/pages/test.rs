//! Tests: what is failing, and what became of one of them.

use std::fmt::Write as _;

use ::runs::json;
use page::frame::Tone;
use page::{Line, Mark, Sign, State, Strip, count, took};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use repository::{HistoryEntry, Repository};
use subunit::Timestamp;

use super::{ago, site, test_link};
use crate::answer::Answer;
use crate::site::Words;

/// Runs that are looked at, unless more are asked for.
const RUNS: u32 = 200;
const MOST_RUNS: u32 = 10_000;
const STRIP: usize = 60;
const MOST_FAILING: usize = 500;

fn asked(words: &Words) -> usize {
    words.number("runs").unwrap_or(RUNS).min(MOST_RUNS) as usize
}

pub(crate) fn json(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    let mut lines = Vec::new();
    match words.get("id") {
        Some(id) => {
            for past in repository.latest_history(id, asked(words))?.iter().rev() {
                json::Test::past(id, past).write(&mut lines)?;
            }
        }
        None => {
            for test in &repository.failing()?.tests {
                json::Test::failing(test).write(&mut lines)?;
            }
        }
    }
    Ok(Answer::list(&lines))
}

pub(crate) fn page(repository: &Repository, words: &Words) -> anyhow::Result<Answer> {
    match words.get("id") {
        Some(id) => one(repository, id, asked(words)),
        None => failing(repository),
    }
}

fn failing(repository: &Repository) -> anyhow::Result<Answer> {
    let (failing, now) = (repository.failing()?, Timestamp::now());
    let place = site("/tests", "/tests.json", Some("/events"));
    let (tests, runs) = (failing.tests.len() as u64, (failing.runs.len() + failing.lost.len()) as u64);
    let (tone, heading) = match (tests, runs) {
        (0, 0) if repository.latest_runs(None, 1)?.is_empty() => (Tone::Doubtful, "No runs yet".to_owned()),
        (0, 0) => (Tone::Good, "Nothing is failing".to_owned()),
        (0, runs) => (Tone::Bad, format!("{} failed as a whole, or are damaged", count(runs, "run"))),
        (1, _) => (Tone::Bad, "1 test is failing".to_owned()),
        (tests, _) => (Tone::Bad, format!("{} are failing", count(tests, "test"))),
    };
    let mut content = String::from(
        "<form action=\"/tests\" class=\"bar\"><label>Test id <input name=\"id\" size=\"50\" autocomplete=\"off\"></label> \
         <button>Show its runs</button></form>\n",
    );
    if tests > 0 {
        content.push_str(
            "<table class=\"stack\"><thead><tr><th scope=\"col\">Test</th><th scope=\"col\">In run</th>\
             <th scope=\"col\">How</th><th scope=\"col\" class=\"num\">When</th></tr></thead><tbody>\n",
        );
    }
    for test in failing.tests.iter().take(MOST_FAILING) {
        let _ = writeln!(
            content,
            "<tr><th scope=\"row\">{}</th><td><a href=\"/runs/{1}\">{1}</a></td><td>{2}</td><td class=\"num\">{3}</td></tr>",
            test_link(&test.test_id),
            test.run,
            Sign(State::of_outcome(test.outcome, false)),
            ago(test.start, now)
        );
    }
    if tests > 0 {
        content.push_str("</tbody></table>\n");
    }
    if failing.tests.len() > MOST_FAILING {
        let _ = write!(content, "<p>The first {MOST_FAILING} are shown; the list as JSON has all.</p>");
    }
    let lead = "A test is failing until it passes in a later run.";
    Ok(Answer::html(place.whole(tone, (&heading, lead), &content, "")))
}

fn one(repository: &Repository, id: &str, runs: usize) -> anyhow::Result<Answer> {
    let history = repository.latest_history(id, runs)?;
    let json = format!("/tests.json?id={}&runs={runs}", utf8_percent_encode(id, NON_ALPHANUMERIC));
    let place = site("/tests", &json, None);
    let (tone, heading) = story(&history, runs);
    let mut content = String::new();
    let first = history.len().saturating_sub(STRIP);
    let marks: Vec<Mark> = history.iter().skip(first).map(|past| Mark::Test(of(past))).collect();
    if !marks.is_empty() {
        let strip = Strip { title: "Oldest to newest", marks: &marks, pitch: 9, gap: 2 };
        let _ = writeln!(
            content,
            "<figure>{strip}<figcaption>Its last {}, the newest right.</figcaption></figure>",
            count(marks.len() as u64, "outcome")
        );
        table(&history, &mut content);
    }
    if runs < MOST_RUNS as usize {
        let all = utf8_percent_encode(id, NON_ALPHANUMERIC);
        let _ = write!(
            content,
            "<p><a href=\"/tests?id={all}&amp;runs={MOST_RUNS}\">Look at {MOST_RUNS} runs</a></p>"
        );
    }
    Ok(Answer::html(place.whole(tone, (&heading, id), &content, "")))
}

fn of(past: &HistoryEntry) -> State {
    State::of_outcome(past.outcome, past.flaky)
}

/// How it stands with the test, by its latest outcome.
fn story(history: &[HistoryEntry], runs: usize) -> (Tone, String) {
    let Some(latest) = history.last() else {
        return (Tone::Doubtful, format!("This test is in none of the last {runs} runs"));
    };
    let all = history.len();
    let failed = history.iter().filter(|past| of(past).is_failure()).count();
    if of(latest).is_failure() {
        let streak: Vec<_> = history.iter().rev().take_while(|past| of(past).is_failure()).collect();
        let since = streak.last().map_or(latest.run, |past| past.run);
        return (Tone::Bad, format!("Fails since run {since}; failed {failed} of {all} times"));
    }
    let (tone, word) = match of(latest) {
        State::Pass if failed == 0 => (Tone::Good, "Passes"),
        State::Pass => (Tone::Good, "Passes now"),
        State::Flaky => (Tone::Doubtful, "Passes only when tried again"),
        State::Skip => (Tone::Doubtful, "Is skipped"),
        _ => (Tone::Doubtful, "Fails as expected"),
    };
    (tone, format!("{word}; failed {failed} of {all} times"))
}

fn table(history: &[HistoryEntry], out: &mut String) {
    let now = Timestamp::now();
    out.push_str(
        "<table class=\"stack\"><thead><tr><th scope=\"col\">Run</th><th scope=\"col\">Outcome</th>\
         <th scope=\"col\" class=\"num\">Took</th><th scope=\"col\">On</th><th scope=\"col\" class=\"num\">When</th></tr></thead><tbody>\n",
    );
    for past in history.iter().rev() {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"/runs/{0}\">{0}</a></th><td>{1}</td><td class=\"num\" data-l=\"took\">{2}</td>\
             <td class=\"mono\" data-l=\"on\">{3}</td><td class=\"num\" data-l=\"when\">{4}</td></tr>",
            past.run,
            Sign(of(past)),
            past.duration.map(took).unwrap_or_default(),
            Line(past.route_code.as_deref().unwrap_or_default()),
            ago(past.start, now)
        );
    }
    out.push_str("</tbody></table>\n");
}
