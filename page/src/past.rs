//! What became of tests in earlier runs, and what follows from that: only sentences that a rule gives.

use std::fmt;
use std::time::Duration;

use streamresult::Outcome;

use crate::state::State;
use crate::strip::{Mark, Strip};
use crate::words::{count, took};

/// Times of earlier runs below which nothing is said of what is usual.
const ENOUGH: usize = 3;

/// What became of a test in an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// The number of the run.
    pub run: u32,
    /// How the test ended.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    pub is_flaky: bool,
    /// How long it took.
    pub took: Option<Duration>,
}

/// What became of tests in earlier runs.
pub trait Past: fmt::Debug {
    /// The runs that were looked at, the latest first.
    fn runs(&self) -> Vec<u32>;

    /// What became of a test in those in which it was, the latest first.
    fn of(&self, test_id: &str) -> Vec<PastRun>;
}

/// What the past of a test tells of it.
#[derive(Clone, Debug)]
pub struct TestPast {
    /// All runs that were looked at, the latest first.
    runs: Vec<u32>,
    past: Vec<PastRun>,
}

impl PastRun {
    fn state(&self) -> State {
        State::of_outcome(self.outcome, self.is_flaky)
    }
}

impl TestPast {
    /// The past of a test; nothing where there is no earlier run.
    #[must_use]
    pub fn of(past: &dyn Past, test_id: &str) -> Option<Self> {
        let runs = past.runs();
        (!runs.is_empty()).then(|| TestPast { runs, past: past.of(test_id) })
    }

    /// Whether it did not go wrong in the run before, where it was.
    #[must_use]
    pub fn was_well(&self) -> bool {
        !self.past.first().is_some_and(|last| last.state().is_failure())
    }

    /// How often it went wrong in a row, up to the run before, and the first of these runs.
    #[must_use]
    pub fn streak(&self) -> Option<(usize, u32)> {
        let failed: Vec<_> = self.past.iter().take_while(|past| past.state().is_failure()).collect();
        failed.last().map(|first| (failed.len(), first.run))
    }

    /// Whether it went wrong in this run.
    #[must_use]
    pub fn failed_in(&self, run: u32) -> bool {
        self.past.iter().any(|past| past.run == run && past.state().is_failure())
    }

    /// The least, the middle and the longest time it took where it passed.
    #[must_use]
    pub fn usual(&self) -> Option<(Duration, Duration, Duration)> {
        let passed = self.past.iter().filter(|past| past.outcome == Outcome::Success);
        let mut times: Vec<Duration> = passed.filter_map(|past| past.took).collect();
        times.sort_unstable();
        (times.len() >= ENOUGH)
            .then(|| Some((*times.first()?, *times.get(times.len() / 2)?, *times.last()?)))
            .flatten()
    }

    /// Whether a time is outside of what it took before, by so much that it is worth a word.
    #[must_use]
    pub fn is_unusual(&self, now: Duration) -> bool {
        let beyond = |a: Duration, b: Duration| a.as_secs_f64() > 1.2 * b.as_secs_f64();
        let matters = |a: Duration, b: Duration| a.saturating_sub(b) > Duration::from_millis(50);
        self.usual().is_some_and(|(least, _, longest)| {
            (beyond(now, longest) && matters(now, longest)) || (beyond(least, now) && matters(least, now))
        })
    }

    /// `new`, or for how many runs with this one it has been failing.
    pub(crate) fn badge(&self) -> String {
        match self.streak() {
            None => "<span class=\"badge new\">new</span>".to_owned(),
            Some((failed, _)) => {
                let least = if failed == self.runs.len() { "at least " } else { "" };
                format!("<span class=\"badge\">for {least}{} runs</span>", failed + 1)
            }
        }
    }

    /// Its outcomes in a picture, and in a few words.
    pub(crate) fn figure(&self, now: State) -> String {
        let mark = |run: &u32| {
            let past = self.past.iter().find(|past| past.run == *run);
            past.map_or(Mark::None, |past| Mark::Test(past.state()))
        };
        let marks: Vec<Mark> = self.runs.iter().rev().map(mark).chain([Mark::Test(now)]).collect();
        format!(
            "<figure>{}<figcaption>{}</figcaption></figure>",
            Strip { title: "Oldest to newest", marks: &marks, pitch: 7, gap: 2 },
            self.words()
        )
    }

    /// What it did before, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let failed = self.past.iter().filter(|past| past.state().is_failure()).count() as u64;
        let all = self.past.len() as u64;
        match (all, self.streak()) {
            (0, _) => format!("was not in {} before", the(self.runs.len() as u64)),
            (_, Some((_, since))) => format!("failing since run {since}"),
            (1, None) if failed == 0 => "did not fail in the run before".to_owned(),
            (_, None) if failed == 0 => format!("failed in none of {} before", the(all)),
            (_, None) => format!("failed in {failed} of {} before", the(all)),
        }
    }

    /// The field of the list: `p15-1f4`, the oldest first.
    pub(crate) fn letters(&self) -> String {
        let letter = |run: &u32| {
            let past = self.past.iter().find(|past| past.run == *run);
            past.map_or('-', |past| past.state().letter())
        };
        let letters: Vec<char> = self.runs.iter().rev().map(letter).collect();
        let runs = letters.chunk_by(|a, b| a == b);
        runs.map(|run| format!("{}{}", run.first().copied().unwrap_or('-'), run.len())).collect()
    }

    /// How long it usually takes.
    pub(crate) fn usually(&self) -> Option<String> {
        self.usual().map(|(_, middle, _)| took(middle))
    }
}

fn the(runs: u64) -> String {
    if runs == 1 { "the run".to_owned() } else { format!("the {}", count(runs, "run")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(outcomes: &str) -> TestPast {
        let outcome = |letter| match letter {
            'f' => Outcome::Fail,
            _ => Outcome::Success,
        };
        let len = outcomes.len() as u32;
        let numbered =
            || outcomes.chars().rev().enumerate().map(|(back, letter)| (len - back as u32, letter));
        let took = |run| Some(Duration::from_secs(u64::from(run)));
        TestPast {
            runs: numbered().map(|(run, _)| run).collect(),
            past: numbered()
                .filter(|(_, letter)| *letter != '-')
                .map(|(run, letter)| PastRun {
                    run,
                    outcome: outcome(letter),
                    is_flaky: false,
                    took: took(run),
                })
                .collect(),
        }
    }

    #[test]
    fn what_it_did_before_is_told() {
        let check = |outcomes, words: &str, badge: &str, letters: &str| {
            let past = past(outcomes);
            assert_eq!((&*past.words(), &*past.letters()), (words, letters), "{outcomes}");
            assert!(past.badge().contains(&format!(">{badge}<")), "{outcomes}: {}", past.badge());
        };
        check("ppp", "failed in none of the 3 runs before", "new", "p3");
        check("p", "did not fail in the run before", "new", "p1");
        check("pfp", "failed in 1 of the 3 runs before", "new", "p1f1p1");
        check("pff", "failing since run 2", "for 3 runs", "p1f2");
        check("fff", "failing since run 1", "for at least 4 runs", "f3");
        check("---", "was not in the 3 runs before", "new", "-3");
        check("pf-", "failing since run 2", "for 2 runs", "p1f1-1");
    }

    #[test]
    fn what_is_usual_needs_some_times() {
        assert_eq!(past("pp").usual(), None);
        let seconds = Duration::from_secs;
        assert_eq!(past("pfppp").usual(), Some((seconds(1), seconds(4), seconds(5))));
        assert!(past("ppp").is_unusual(seconds(4)) && !past("ppp").is_unusual(seconds(3)));
    }
}
