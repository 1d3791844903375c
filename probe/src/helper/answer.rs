//! What a helper answered, and the finding that follows from it.

use std::fmt::Write as _;
use std::time::Duration;

use formats::human::show_duration;
use process::helper::{Helped, HelperMessage, Progress, Stuck, Unreadable};
use process::{Asked, Cause, Ending, Exit};

use super::fact::{Fact, Weight};
use crate::{Finding, Level, Metric, failure};

/// How many operations are shown as evidence: the last ones.
const SHOWN: usize = 40;

/// What a helper answered before it ended; `T` is what this check asks its tasks for.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    shown: String,
    limit: Duration,
    facts: Vec<Fact<T>>,
    operations: Vec<Progress>,
    /// How it ended, and why.
    pub ending: Ending,
    stuck: Option<Stuck>,
    unreadable: Option<Unreadable>,
    /// That a request of another run was never answered: it works, but not as it should.
    pub(super) lost: Option<String>,
}

impl<T> Answer<T> {
    pub(super) fn new(
        shown: String,
        limit: Duration,
        messages: Vec<HelperMessage<Fact<T>>>,
        helped: Helped,
    ) -> Self {
        let (mut facts, mut operations) = (Vec::new(), Vec::new());
        for message in messages {
            match message {
                HelperMessage::Found(fact) => facts.push(fact),
                HelperMessage::Progress(progress) => operations.push(progress),
            }
        }
        let Helped { ending, stuck, unreadable } = helped;
        Answer { shown, limit, facts, operations, ending, stuck, unreadable, lost: None }
    }

    /// What this check asked its task for.
    pub fn own(&self) -> impl Iterator<Item = &T> {
        self.facts.iter().filter_map(|fact| if let Fact::Own(own) = fact { Some(own) } else { None })
    }

    /// Whether the helper came to its end by itself and removed all it made.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let left = self.facts.iter().any(|fact| matches!(fact, Fact::Left(_)));
        self.ending.is_success() && self.unreadable.is_none() && !left
    }

    /// The finding that follows from it.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let mut finding = self.judged();
        let (mut samples, mut left) = (String::new(), String::new());
        let mut files: Vec<(&str, String)> = Vec::new();
        for fact in &self.facts {
            match fact {
                Fact::Metric { name, value } => finding.metrics.push(Metric::new(name, *value)),
                Fact::Sample(line) => samples += &format!("{line}\n"),
                Fact::Left(path) => left += &format!("{}\n", path.display()),
                Fact::Evidence { name, line } => add_line(&mut files, name, line),
                _ => {}
            }
        }
        let fine = finding.level == Level::Fine;
        let finding = finding.with_text("samples.csv", samples).with_text("left-behind.txt", left);
        let mut finding =
            files.into_iter().fold(finding, |finding, (name, text)| finding.with_text(name, text));
        if !fine {
            finding = finding.with_text("operations.txt", self.history());
        }
        if let Some(Unreadable { line, reason }) = &self.unreadable {
            finding = finding.with_text("unreadable.txt", format!("{line}\n{reason}\n"));
        }
        if let Some(asked) = &self.ending.asked {
            finding = finding.with_text("proc-state.txt", self.states(asked));
        }
        finding
    }

    fn judged(&self) -> Finding {
        match (self.ending.cause, &self.stuck) {
            (Cause::Interrupted, _) => Finding::new(Level::Interrupted(format!(
                "a signal ended the check while it was at {}",
                self.operation()
            ))),
            (Cause::Stopped, Some(stuck)) => Finding {
                is_hung: true,
                ..Finding::broken(format!(
                    "{} hangs on {}: no answer for {} (an operation may take {}); {}",
                    stuck.operation,
                    self.shown,
                    show_duration(stuck.elapsed),
                    show_duration(self.limit),
                    fate(&self.ending.exit)
                ))
            },
            (Cause::TimedOut, _) => Finding {
                is_hung: self.ending.exit.is_abandoned(),
                ..Finding::broken(format!(
                    "the time for the test was up while it was at {} on {}: too slow, though no operation took \
                     longer than it may",
                    self.operation(),
                    self.shown
                ))
            },
            _ => self.judged_by_itself(),
        }
    }

    fn judged_by_itself(&self) -> Finding {
        let failed = self.operations.iter().find_map(|progress| match progress {
            Progress::Failed { operation, errno, message, .. } => Some((operation, *errno, message)),
            _ => None,
        });
        if let Some((operation, errno, message)) = failed {
            return failure(operation, &self.shown, errno, message);
        }
        if !self.ending.exit.success() {
            let (operation, outcome) = (self.operation(), &self.ending.exit);
            return Finding::unknown(format!("the probe ended while it was at {operation}: {outcome}"));
        }
        let unreadable = self.unreadable.iter().map(|Unreadable { line, reason }| {
            let text = format!("part of what the probe answered cannot be read ({reason}): {line}");
            (Weight::Unknown, Finding::unknown(text))
        });
        let lost = self.lost.iter().map(|lost| (Weight::Warning, Finding::warning(lost.clone())));
        let all = self.facts.iter().filter_map(Fact::judgement).chain(unreadable).chain(lost);
        // The first of those of the same weight.
        let judged = all.min_by_key(|(weight, _)| *weight);
        judged.map_or_else(|| Finding::new(Level::Fine), |(_, finding)| finding)
    }

    fn operation(&self) -> &str {
        let begun = self.operations.iter().rev().find_map(|progress| match progress {
            Progress::Begun(operation) => Some(operation.as_str()),
            _ => None,
        });
        let stuck = self.stuck.as_ref().map(|stuck| stuck.operation.as_str());
        stuck.or(begun).unwrap_or("its start")
    }

    fn states(&self, asked: &Asked) -> String {
        let mut text = format!("at the time limit, before any signal: {}", asked.state);
        if let Exit::Abandoned(state) = &self.ending.exit {
            let _infallible = write!(text, "\nwhen it was left behind: {state}");
        }
        text
    }

    fn history(&self) -> String {
        let mut text = String::new();
        for progress in self.operations.iter().skip(self.operations.len().saturating_sub(SHOWN)) {
            let _infallible = match progress {
                Progress::Begun(operation) => writeln!(text, "{operation} …"),
                Progress::Done { operation, elapsed } => {
                    writeln!(text, "{operation}: done in {}", show_duration(*elapsed))
                }
                Progress::Failed { operation, elapsed, message, .. } => {
                    writeln!(text, "{operation}: failed after {}: {message}", show_duration(*elapsed))
                }
            };
        }
        text
    }
}

/// Adds a line to the file of this name.
fn add_line<'a>(files: &mut Vec<(&'a str, String)>, name: &'a str, line: &str) {
    match files.iter_mut().find(|(other, _)| *other == name) {
        Some((_, text)) => *text += &format!("{line}\n"),
        None => files.push((name, format!("{line}\n"))),
    }
}

/// What became of a helper that was at an operation for too long.
fn fate(outcome: &Exit) -> String {
    match outcome {
        Exit::Abandoned(state) => format!(
            "the probe cannot be ended and is left behind ({}); it goes away when it is answered or cut off",
            state.summary()
        ),
        Exit::Exited(_) => "the probe came back when it was asked to end".to_owned(),
        Exit::Signalled { .. } => "the probe could be killed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn answer(facts: Vec<Fact<()>>, unreadable: bool, exit: Exit) -> Answer<()> {
        let unreadable =
            unreadable.then(|| HelperMessage::<Fact<()>>::from_line(br#"{"found":{"bro"#).unwrap_err());
        let helped = Helped { ending: Ending::new(exit, Cause::Itself), stuck: None, unreadable };
        let messages = facts.into_iter().map(HelperMessage::Found).collect();
        Answer::new("/mnt".to_owned(), Duration::from_secs(1), messages, helped)
    }

    fn text<'a>(finding: &'a Finding, name: &str) -> Option<&'a str> {
        let file = finding.attachments.iter().find(|attachment| attachment.name == name)?;
        std::str::from_utf8(&file.bytes).ok()
    }

    #[test]
    fn the_worst_that_was_found_counts() {
        let text = |word: &str| word.to_owned();
        let [broken, unknown] = [Fact::Broken(text("b")), Fact::Unknown(text("u"))];
        let [skip, warning, fine] =
            [Fact::Skip(text("s")), Fact::Warning(text("w")), Fact::Summary(text("f"))];
        let mut facts = vec![fine, warning, skip, unknown, broken, Fact::Broken(text("later"))];
        let mut check = |expected| {
            assert_eq!(answer(facts.clone(), false, Exit::Exited(0)).finding().level, expected);
            facts.retain(|fact| fact.judgement().is_some_and(|(_, finding)| finding.level != expected));
        };
        check(Level::Broken(text("b")));
        check(Level::Broken(text("later")));
        check(Level::Unknown(text("u")));
        check(Level::Skipped(text("s")));
        check(Level::Warning(text("w")));
        check(Level::Fine);
        check(Level::Fine);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let fine = || vec![Fact::Summary("fine".to_owned())];
        let finding = answer(fine(), true, Exit::Exited(0)).finding();
        let reason = finding.level.reason().unwrap_or_default();
        assert!(
            matches!(finding.level, Level::Unknown(_)) && reason.contains(r#": {"found":{"bro"#),
            "{reason}"
        );
        // What is known to be broken is.
        let broken = answer(vec![Fact::Broken("b".to_owned())], true, Exit::Exited(0));
        assert_eq!(broken.finding().level, Level::Broken("b".to_owned()));
        assert!(!broken.is_clean());
        // It died in the middle of a line.
        let died = answer(fine(), true, Exit::Signalled { signal: 9, core: false }).finding();
        assert!(died.level.reason().unwrap_or_default().contains("SIGKILL"), "{died:?}");
        assert!(text(&died, "unreadable.txt").unwrap().contains("EOF while parsing"), "{died:?}");
    }

    #[test]
    fn lines_make_up_files() {
        let line = |name, line: &str| Fact::evidence(name, line.to_owned());
        let left = Fact::Left(OsString::from_vec(b"/mnt/\xff".to_vec()));
        let facts =
            vec![line("a", "1"), line("b", "x y"), line("a", "2"), left, Fact::Sample("0,1".to_owned())];
        let answer = answer(facts, false, Exit::Exited(0));
        let finding = answer.finding();
        let files = ["a", "b", "left-behind.txt", "samples.csv"].map(|name| text(&finding, name));
        assert_eq!(files, [Some("1\n2\n"), Some("x y\n"), Some("/mnt/\u{fffd}\n"), Some("0,1\n")]);
        assert!(!answer.is_clean());
    }
}
