//! The board: the targets of checks, and how long each has been silent. Silence is a state of its own, and not green.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use ::runs::json::line;
use anyhow::Result;
use formats::openmetrics::{Families, seconds_of};
use page::frame::Tone;
use page::{Line, count};
use repository::{Repository, RunId, RunState};
use streamresult::{Outcome, Record, RecordSink, Records};
use subunit::Timestamp;

use super::{age, site};
use crate::answer::Answer;

/// Runs that are looked at: what none of them has is not on the board.
const RUNS: usize = 2000;
/// Words of a target that are kept.
const WORDS: usize = 200;
/// When a target is silent of which it is not known how often it reports.
const UNKNOWN: Duration = Duration::from_secs(15 * 60);
const LEAST: Duration = Duration::from_secs(60);
const LONGEST_REASON: usize = 300;

/// How a target is: the worst that its tests say. Closed: these are all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Is {
    Working,
    Skipped,
    KnownOutage,
    Warning,
    Unknown,
    Silent,
    Failing,
}

/// What one run said of a target.
#[derive(Clone, Debug)]
struct Word {
    run: RunId,
    time: Timestamp,
    is: Is,
    said: String,
    tests: u64,
    bad: u64,
}

/// A target, by its route and the first two parts of its tests' ids.
type Name = (String, String);

/// All words of all targets, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    seen: BTreeSet<RunId>,
    words: BTreeMap<Name, Vec<Word>>,
}

/// The board at a moment.
#[derive(Debug)]
pub(crate) struct Board {
    now: Timestamp,
    targets: Vec<Target>,
}

#[derive(Debug)]
struct Target {
    name: Name,
    is: Is,
    /// Since when it is so.
    since: Timestamp,
    latest: Word,
    usual: Option<Duration>,
}

impl Targets {
    /// Looks at the runs that were not looked at yet; one that goes on is looked at when it is over.
    pub(crate) fn update(&mut self, repository: &Repository) -> Result<()> {
        let mut runs = repository.latest_runs(None, RUNS)?;
        let there: BTreeSet<RunId> = runs.iter().map(|run| run.id).collect();
        runs.retain(|run| run.state != RunState::Running && !self.seen.contains(&run.id));
        for run in runs.iter().rev() {
            self.seen.insert(run.id);
            if !has_checks(repository, run.id) {
                continue;
            }
            let mut records =
                Records::new(Words { run: run.id, words: BTreeMap::new() }).cap(LONGEST_REASON as u64);
            // Of a damaged run that is told which can be read; the page about it says the rest.
            let _ = ::runs::show::feed(repository, run, &mut records);
            for (name, word) in records.into_sink().words {
                self.words.entry(name).or_default().push(word);
            }
        }
        self.seen.retain(|run| there.contains(run));
        for words in self.words.values_mut() {
            words.retain(|word| there.contains(&word.run));
            words.sort_by_key(|word| (word.time, word.run));
            words.drain(..words.len().saturating_sub(WORDS));
        }
        self.words.retain(|_, words| !words.is_empty());
        Ok(())
    }

    pub(crate) fn board(&self, now: Timestamp) -> Board {
        let targets = self.words.iter().filter_map(|(name, words)| target(name, words, now));
        let mut targets: Vec<Target> = targets.collect();
        targets.sort_by(|a, b| {
            b.is.cmp(&a.is).then_with(|| b.since.cmp(&a.since)).then_with(|| a.name.cmp(&b.name))
        });
        Board { now, targets }
    }
}

/// Whether a run has a result of a check; most are of tests alone, and are not read. What cannot be told is looked at.
fn has_checks(repository: &Repository, run: RunId) -> bool {
    let found = repository.try_for_each_result(run, |result| {
        if target_of(result.test_id).is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    !found.is_ok_and(|found| found.is_continue())
}

/// The target that a test is about: what is checked, and its name.
fn target_of(test_id: &str) -> Option<(&str, &str)> {
    let (component, rest) = test_id.split_once('.')?;
    let (name, _) = rest.split_once('.')?;
    checks::components().any(|known| known == component).then_some((component, name))
}

fn target(name: &Name, words: &[Word], now: Timestamp) -> Option<Target> {
    let latest = words.last()?;
    let usual = usual(words);
    let limit = usual.map_or(UNKNOWN, |usual| (2 * usual).max(LEAST));
    if now.saturating_since(latest.time) > limit {
        let (name, latest) = (name.clone(), latest.clone());
        return Some(Target { name, is: Is::Silent, since: latest.time, latest, usual });
    }
    let since = words.iter().rev().take_while(|word| word.is == latest.is).last()?.time;
    Some(Target { name: name.clone(), is: latest.is, since, latest: latest.clone(), usual })
}

/// The middle one of the times between two words.
fn usual(words: &[Word]) -> Option<Duration> {
    let pairs = words.iter().zip(words.iter().skip(1));
    let mut gaps: Vec<Duration> = pairs.map(|(one, next)| next.time.saturating_since(one.time)).collect();
    gaps.sort_unstable();
    (gaps.len() >= 2).then(|| gaps.get(gaps.len() / 2).copied()).flatten()
}

/// Collects what a run says of targets.
struct Words {
    run: RunId,
    words: BTreeMap<Name, Word>,
}

impl RecordSink for Words {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let Some((component, name)) = target_of(record.test_id()) else { return Ok(()) };
        let Some(time) = record.last().filter(|_| record.outcome() != Outcome::Exists) else {
            return Ok(());
        };
        let (is, run) = (state(record), self.run);
        let said = match is {
            Is::Working => String::new(),
            _ => said(record)?,
        };
        let key = (record.route_code().unwrap_or_default().to_owned(), format!("{component}.{name}"));
        let new = || Word { run, time, is: Is::Working, said: String::new(), tests: 0, bad: 0 };
        let word = self.words.entry(key).or_insert_with(new);
        word.time = word.time.max(time);
        word.tests += 1;
        word.bad += u64::from(is > Is::Skipped);
        if is > word.is {
            (word.is, word.said) = (is, said);
        }
        Ok(())
    }
}

fn state(record: &Record<'_>) -> Is {
    let tags = record.tags();
    match record.outcome() {
        _ if tags.contains("unknown") => Is::Unknown,
        Outcome::Fail | Outcome::UxSuccess => Is::Failing,
        Outcome::Unfinished => Is::Unknown,
        Outcome::XFail => Is::KnownOutage,
        Outcome::Skip => Is::Skipped,
        Outcome::Success | Outcome::Exists if tags.contains("warning") || tags.contains("failing") => {
            Is::Warning
        }
        Outcome::Success | Outcome::Exists => Is::Working,
    }
}

/// The test, and the reason that came with it.
fn said(record: &Record<'_>) -> io::Result<String> {
    let reason = record.attachment("reason").map(|file| file.text(LONGEST_REASON)).transpose()?;
    let reason = reason.unwrap_or_default();
    Ok(format!("{}: {}", record.test_id(), reason.lines().next().unwrap_or_default()))
}

impl Is {
    fn words(self) -> &'static str {
        match self {
            Is::Working => "works",
            Is::Skipped => "skipped",
            Is::KnownOutage => "known outage",
            Is::Warning => "warns",
            Is::Unknown => "cannot tell",
            Is::Silent => "silent",
            Is::Failing => "fails",
        }
    }

    /// Class and sign.
    fn look(self) -> (&'static str, &'static str) {
        match self {
            Is::Working => ("pass", "pass"),
            Is::Skipped => ("skp", "skip"),
            Is::KnownOutage => ("xfail", "xfail"),
            Is::Warning => ("flaky", "warn"),
            Is::Unknown => ("flaky", "unknown"),
            Is::Silent => ("hung", "silent"),
            Is::Failing => ("fail", "fail"),
        }
    }

    fn needs_a_look(self) -> bool {
        self >= Is::Unknown
    }
}

pub(crate) fn page(board: &Board) -> Answer {
    let (all, bad) =
        (board.targets.len(), board.targets.iter().filter(|target| target.is.needs_a_look()).count());
    let warned =
        board.targets.iter().any(|target| matches!(target.is, Is::Warning | Is::KnownOutage | Is::Skipped));
    let (tone, heading) = match (all, bad) {
        (0, _) => (Tone::Doubtful, "No target was checked yet".to_owned()),
        (_, 0) if warned => (
            Tone::Doubtful,
            format!("None of {} fails, but not all simply work", count(all as u64, "target")),
        ),
        (_, 0) => (Tone::Good, format!("All {} work", count(all as u64, "target"))),
        (_, bad) => (
            Tone::Bad,
            format!(
                "{bad} of {} {} a look",
                count(all as u64, "target"),
                if bad == 1 { "needs" } else { "need" }
            ),
        ),
    };
    let lead = match all {
        0 => "Runs of check-all that are stored appear here: check-all | subunit load".to_owned(),
        _ => format!("As of {}.", ::runs::display::moment(Some(board.now))),
    };
    let mut content = String::new();
    for (title, wanted) in [("Need a look", true), ("The others", false)] {
        let targets: Vec<_> =
            board.targets.iter().filter(|target| target.is.needs_a_look() == wanted).collect();
        table(title, &targets, board.now, &mut content);
    }
    let foot = "A target is silent when its last word is older than twice its usual time between two words, or than 15 minutes where that is not known.";
    Answer::html(site("/board", "/board.json", Some("/events")).whole(
        tone,
        (&heading, &lead),
        &content,
        foot,
    ))
}

fn table(title: &str, targets: &[&Target], now: Timestamp, out: &mut String) {
    if targets.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section><h2>{title}</h2><table class=\"stack board\"><thead><tr><th scope=\"col\">Target</th><th scope=\"col\">State</th>\
         <th scope=\"col\" class=\"num\">For</th><th scope=\"col\" class=\"num\">Last word</th><th scope=\"col\">What it said</th></tr></thead><tbody>"
    );
    for target in targets {
        let ((route, name), (class, icon)) = (&target.name, target.is.look());
        let usual = target.usual.map(|usual| format!(", usually every {}", age(usual))).unwrap_or_default();
        let said = match (target.is, &*target.latest.said) {
            (_, "") => format!("all {} pass", count(target.latest.tests, "aspect")),
            (_, said) => {
                format!("{said} ({} of {})", target.latest.bad, count(target.latest.tests, "aspect"))
            }
        };
        let _ = writeln!(
            out,
            "<tr{}><th scope=\"row\"><b>{}</b><br><small>{}</small></th><td><span class=\"st {class}\"><svg aria-hidden=\"true\" width=\"13\" height=\"13\">\
             <use href=\"#i-{icon}\"/></svg>{}</span></td><td class=\"num\" data-l=\"for\">{}</td>\
             <td class=\"num\" data-l=\"last word\"><a href=\"/runs/{}\">{} ago</a>{usual}</td><td>{}</td></tr>",
            if target.is == Is::Silent { " class=\"silent\"" } else { "" },
            Line(name),
            Line(route),
            target.is.words(),
            age(now.saturating_since(target.since)),
            target.latest.run,
            age(now.saturating_since(target.latest.time)),
            Line(&said)
        );
    }
    out.push_str("</tbody></table></section>\n");
}

pub(crate) fn json(board: &Board) -> Answer {
    let mut lines = Vec::new();
    for Target { name: (route, name), is, since, latest, usual } in &board.targets {
        // Writing to memory cannot fail.
        let _infallible = line(&mut lines, |object| {
            object.string("target", name);
            object.string("route", route);
            object.string("state", is.words());
            object.time("since", Some(*since));
            object.time("last", Some(latest.time));
            object.seconds("usual", *usual);
            object.number("run", latest.run.0.into());
            object.string("said", &latest.said);
        });
    }
    Answer::list(&lines)
}

pub(crate) fn metrics(board: &Board, families: &mut Families) {
    for Target { name: (route, name), is, latest, .. } in &board.targets {
        let labels = [("target", &**name), ("route", &**route)];
        let up = f64::from(u8::from(!is.needs_a_look()));
        let silent = f64::from(u8::from(*is == Is::Silent));
        families.add(
            "subunit_target_up",
            "Whether the target neither fails nor is silent or unknown.",
            "",
            &labels,
            up,
        );
        families.add(
            "subunit_target_silent",
            "Whether its last word is older than usual.",
            "",
            &labels,
            silent,
        );
        let help = "When its last word came, in seconds since 1970.";
        families.add(
            "subunit_target_last_timestamp_seconds",
            help,
            "seconds",
            &labels,
            seconds_of(latest.time),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(second: u32, is: Is) -> Word {
        Word {
            run: RunId(second),
            time: Timestamp::from_seconds(second),
            is,
            said: String::new(),
            tests: 1,
            bad: 0,
        }
    }

    fn check(words: &[(u32, Is)], now: u32, is: Is, since: u32) {
        let name = ("ash/hub".to_owned(), "http.hub".to_owned());
        let words: Vec<Word> = words.iter().map(|(second, is)| word(*second, *is)).collect();
        let target = target(&name, &words, Timestamp::from_seconds(now)).unwrap();
        assert_eq!((target.is, target.since.seconds()), (is, since));
    }

    #[test]
    fn silence_is_not_green() {
        let often = [(0, Is::Working), (300, Is::Working), (600, Is::Failing), (900, Is::Working)];
        check(&often, 1000, Is::Working, 900);
        check(&often, 1500, Is::Working, 900);
        check(&often, 1501, Is::Silent, 900);
        check(&[(0, Is::Working)], 900, Is::Working, 0);
        check(&[(0, Is::Working)], 901, Is::Silent, 0);
        check(&[(0, Is::Failing), (60, Is::Failing)], 100, Is::Failing, 0);
    }
}
