//! The criteria of `subunit-filter`, and what is known of their answers while a test runs.

use std::io;
use std::time::Duration;

use cli::query::Query;
use streamresult::{Decision, Outcome, Record, Waiting};
use subunit::{Packet, Timestamp, element};

use super::pattern::{Patterns, Search};
use super::toggles::Toggles;

/// Questions that the id and the route code answer: each event by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdCriteria {
    pub(crate) routes: Vec<String>,
    pub(crate) ids: Option<Patterns>,
}

impl IdCriteria {
    /// Whether a packet passes that is about the test with this id; its own id may be an older one.
    pub(crate) fn admits(&self, packet: &Packet<'_>, new_id: Option<&str>) -> bool {
        (self.routes.is_empty() || self.admits_route(packet.route_code()))
            && self
                .ids
                .as_ref()
                .is_none_or(|ids| new_id.or_else(|| packet.test_id()).is_none_or(|id| ids.is_match(id)))
    }

    /// A route code admits itself and all that is behind it.
    fn admits_route(&self, route: Option<&str>) -> bool {
        self.routes.iter().any(|wanted| {
            let rest = route.and_then(|route| route.strip_prefix(wanted.as_str()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Questions that may be open until a test ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestCriteria {
    pub(crate) outcomes: Outcomes,
    pub(crate) tags: Tags,
    pub(crate) period: Period,
    pub(crate) min_duration: Option<Duration>,
    pub(crate) query: Option<Query>,
    /// Patterns for the id, the outcome and the text.
    pub(crate) with: Option<Patterns>,
    pub(crate) without: Option<Patterns>,
}

/// Which outcomes stay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcomes {
    stay: [bool; Outcome::ALL.len()],
}

/// Which tags a test has to have, and which not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    pub(crate) with: Vec<String>,
    pub(crate) without: Vec<String>,
}

/// When a test has to run, at least for a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Period {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl TestCriteria {
    /// Whether there is a question that an event alone cannot answer.
    pub(crate) fn needs_tests(&self) -> bool {
        !self.outcomes.keeps_all()
            || !self.tags.is_empty()
            || self.period.since.is_some()
            || self.period.until.is_some()
            || self.min_duration.is_some()
            || self.query.is_some()
            || self.searches_text()
    }

    fn searches_text(&self) -> bool {
        self.with.is_some() || self.without.is_some()
    }

    /// What becomes of a test at this event, or at the end of the run.
    ///
    /// # Errors
    ///
    /// When the events that wait cannot be read.
    pub(crate) fn decide(&self, waiting: &Waiting<'_>) -> io::Result<Decision> {
        let record = waiting.record();
        let so_far = all(&[
            self.outcomes.answer(record, waiting.is_last()),
            self.tags.answer(record),
            self.period.answer(record),
            self.answer_duration(record),
            self.answer_query(record, waiting.is_last()),
        ]);
        if so_far == Decision::Drop || !self.searches_text() {
            return Ok(so_far);
        }
        let has_ended = record.outcome() != Outcome::Unfinished || waiting.is_last();
        let in_text = match self.answer_id(record) {
            Decision::Wait if has_ended => self.search(waiting)?,
            answer => answer,
        };
        Ok(all(&[so_far, in_text]))
    }

    /// What the id alone tells of --with and --without.
    fn answer_id(&self, record: &Record<'_>) -> Decision {
        let is_match = |patterns: &Patterns| patterns.is_match(record.test_id());
        if self.without.as_ref().is_some_and(is_match) {
            Decision::Drop
        } else if self.without.is_none() && self.with.as_ref().is_some_and(is_match) {
            Decision::Keep
        } else {
            Decision::Wait
        }
    }

    fn answer_duration(&self, record: &Record<'_>) -> Decision {
        let Some(min) = self.min_duration else { return Decision::Keep };
        match record.duration() {
            Some(duration) if duration >= min => Decision::Keep,
            _ => unless_unfinished(record, Decision::Drop),
        }
    }

    fn answer_query(&self, record: &Record<'_>, run_has_ended: bool) -> Decision {
        let Some(query) = &self.query else { return Decision::Keep };
        if record.outcome() == Outcome::Unfinished && !run_has_ended {
            return Decision::Wait;
        }
        decided(query.matches(record))
    }

    fn search(&self, waiting: &Waiting<'_>) -> io::Result<Decision> {
        let patterns: Vec<&Patterns> = self.with.iter().chain(&self.without).collect();
        let mut found = Search::run(&patterns, waiting)?.into_iter();
        let with = self.with.is_none() || found.next() == Some(true);
        let without = self.without.is_some() && found.next() == Some(true);
        Ok(if with && !without { Decision::Keep } else { Decision::Drop })
    }
}

/// No to one question is no; yes to all is yes.
fn all(answers: &[Decision]) -> Decision {
    if answers.contains(&Decision::Drop) {
        Decision::Drop
    } else if answers.contains(&Decision::Wait) {
        Decision::Wait
    } else {
        Decision::Keep
    }
}

/// The answer for a test that has ended; another one may still change it.
fn unless_unfinished(record: &Record<'_>, answer: Decision) -> Decision {
    if record.outcome() == Outcome::Unfinished { Decision::Wait } else { answer }
}

fn decided(keep: bool) -> Decision {
    if keep { Decision::Keep } else { Decision::Drop }
}

impl Outcomes {
    /// Those that the toggles keep, and of `only` if there are any; `selected` is whether other options tell what is
    /// wanted.
    pub(crate) fn new(toggles: &Toggles, selected: bool, only: &[Outcome]) -> Self {
        let stays =
            |outcome| (only.is_empty() || only.contains(&outcome)) && toggles.keeps(outcome, selected);
        Outcomes { stay: Outcome::ALL.map(stays) }
    }

    fn keeps_all(&self) -> bool {
        self.stay == [true; Outcome::ALL.len()]
    }

    fn keeps(&self, outcome: Outcome) -> bool {
        element(&self.stay, outcome as usize)
    }

    fn answer(&self, record: &Record<'_>, run_has_ended: bool) -> Decision {
        let answer = decided(self.keeps(record.outcome()));
        if self.keeps_all() {
            Decision::Keep
        } else if run_has_ended {
            answer
        } else {
            unless_unfinished(record, answer)
        }
    }
}

impl Tags {
    fn is_empty(&self) -> bool {
        self.with.is_empty() && self.without.is_empty()
    }

    /// Tags usually come with a test's last event: until then they are not known.
    fn answer(&self, record: &Record<'_>) -> Decision {
        if self.is_empty() {
            return Decision::Keep;
        }
        let tags = record.tags();
        let has = |tag: &String| tags.contains(tag);
        let keep = self.with.iter().all(has) && !self.without.iter().any(has);
        unless_unfinished(record, decided(keep))
    }
}

impl Period {
    /// A test without times is in every period.
    fn answer(&self, record: &Record<'_>) -> Decision {
        if self.since.is_none() && self.until.is_none() {
            return Decision::Keep;
        }
        let (Some(first), Some(last)) = (record.first(), record.last()) else {
            return unless_unfinished(record, Decision::Keep);
        };
        if self.until.is_some_and(|until| first > until) {
            Decision::Drop
        } else if self.since.is_none_or(|since| last >= since) {
            Decision::Keep
        } else {
            unless_unfinished(record, Decision::Drop)
        }
    }
}
