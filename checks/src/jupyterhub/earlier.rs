//! The server that an earlier run has started, and was killed before it could stop it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use probe::Made;
use serde::{Deserialize, Serialize};

use super::model::User;

/// How far the hub's clock may be from ours, with what a start takes to be begun.
const APART: Duration = Duration::from_secs(30);

/// What is noted of a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Start {
    user: String,
    /// When it was asked for, in seconds since 1970.
    asked: f64,
    /// Since when the server is there, in the hub's words: no other server is.
    #[serde(default)]
    since: Option<String>,
}

/// The starts that were asked for at a hub for a user.
pub(super) struct Starts {
    made: Made,
    user: String,
    /// Of this run.
    own: Option<Start>,
}

impl Starts {
    pub(super) fn new(hub: &str, user: &str) -> Self {
        Starts { made: Made::new("jupyterhub", hub), user: user.to_owned(), own: None }
    }

    /// Notes that a start is about to be asked for.
    pub(super) fn begin(&mut self) {
        let start = Start { user: self.user.clone(), asked: now(), since: None };
        self.forget_own();
        self.made.note(&line(&start));
        self.own = Some(start);
    }

    /// Notes which server it is that was started, once the hub says it.
    pub(super) fn identify(&mut self, user: &User) {
        let Some(start) = self.own.as_mut().filter(|start| start.since.is_none()) else { return };
        let Some(since) = user.started() else { return };
        let before = line(start);
        start.since = Some(since.to_owned());
        self.made.note(&line(start));
        self.made.forget(&before);
    }

    /// Notes that nothing is left of what this run has started.
    pub(super) fn forget_own(&mut self) {
        if let Some(start) = self.own.take() {
            self.made.forget(&line(&start));
        }
    }

    /// Notes that nothing is left of what earlier runs have started for the user.
    pub(super) fn forget_all(&mut self) {
        self.own = None;
        for start in self.noted() {
            self.made.forget(&line(&start));
        }
    }

    /// Whether the server that the user has is one that a run which is over has started.
    pub(super) fn is_left_behind(&mut self, user: &User) -> bool {
        let Some(since) = user.started() else { return false };
        self.noted().iter().any(|start| start.is_of(since))
    }

    fn noted(&mut self) -> Vec<Start> {
        let all = self.made.noted().into_iter().filter_map(|note| serde_json::from_str::<Start>(&note).ok());
        all.filter(|start| start.user == self.user).collect()
    }
}

impl Start {
    /// Whether it is the start of the server that is there since then.
    fn is_of(&self, since: &str) -> bool {
        match (&self.since, seconds(since)) {
            (Some(known), _) => known == since,
            (None, Some(began)) => (began - self.asked).abs() < APART.as_secs_f64(),
            (None, None) => false,
        }
    }
}

fn line(start: &Start) -> String {
    serde_json::to_string(start).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact for many thousand years")]
fn seconds(time: &str) -> Option<f64> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis() as f64 / 1e3)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(known: Option<&str>, since: &str, expected: bool) {
        let asked = seconds("2026-11-30T12:00:00Z").unwrap();
        let start = Start { user: "u".to_owned(), asked, since: known.map(str::to_owned) };
        assert_eq!(start.is_of(since), expected, "{known:?} {since}");
    }

    #[test]
    fn a_server_is_known_by_when_it_began() {
        check(None, "2026-11-30T12:00:02.123456Z", true);
        check(None, "2026-11-30T11:59:58Z", true);
        check(None, "2026-11-30T12:05:00Z", false);
        check(None, "2026-11-30T11:00:00Z", false);
        check(None, "then", false);
        let known = Some("2026-11-30T12:00:02.1Z");
        check(known, "2026-11-30T12:00:02.1Z", true);
        // That one was stopped, and somebody has started another.
        check(known, "2026-11-30T12:00:09.1Z", false);
    }
}
