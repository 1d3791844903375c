//! A service at one of its nodes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use process::{Cause, Signal, Wait};
use transport::{Leading, Led, LedEnd, NodeFailure, Order, Place, Told};

use super::log::Log;

/// How many of its last lines tell how it ended.
const LAST_LINES: usize = 10;
/// How long its end may take to be told, once it has to have come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service at one of its nodes, from its start to its end. Dropped, it is ended.
#[derive(Debug)]
pub struct Member {
    name: String,
    place: Place,
    leading: Leading,
    seen: Arc<Seen>,
}

/// How a member was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What is wrong with how it ended, in a sentence; nothing where it stopped as it should.
    pub trouble: Option<String>,
    /// What it left running, each by its number and name. It has been ended.
    pub left: Vec<String>,
    /// Its last lines.
    pub last_lines: String,
}

#[derive(Debug, Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    log: Log,
    /// How it ended, or why nothing more is known of it.
    end: Option<Result<LedEnd, String>>,
}

impl Member {
    /// Starts one, called `NAME[INDEX]` in what is said of it. What it writes is handed on as it comes, too.
    ///
    /// # Errors
    ///
    /// When its node cannot be reached.
    pub fn start(
        name: String,
        place: &Place,
        led: Led,
        wait: Wait<'_>,
        mut on_output: impl FnMut(&[u8]) + Send + 'static,
    ) -> Result<Self, NodeFailure> {
        let seen = Arc::new(Seen::default());
        let hearing = Arc::clone(&seen);
        let heard = Box::new(move |told: Told| {
            if let Told::Wrote(_, bytes) = &told {
                on_output(bytes);
            }
            hearing.hear(told);
        });
        let leading = place.lead(led, wait, heard).map_err(|failure| failure.about(&name))?;
        Ok(Member { name, place: place.clone(), leading, seen })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its node.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// A place in its log: what it writes from now on is behind it.
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.seen.state().log.end()
    }

    /// The first line behind a place in its log in which this is found.
    #[must_use]
    pub fn find(&self, regex: &Regex, from: u64) -> Option<String> {
        self.seen.state().log.find(regex, from)
    }

    /// Its last lines.
    #[must_use]
    pub fn last_lines(&self) -> String {
        self.seen.state().log.last_lines(LAST_LINES)
    }

    /// How it ended by itself, with its last lines; none while it runs.
    #[must_use]
    pub fn death(&self) -> Option<String> {
        let state = self.seen.state();
        let end = match state.end.as_ref()? {
            Ok(end) => format!("{} ended: {}", self.name, end.exit),
            Err(why) => format!("{} was lost: {why}", self.name),
        };
        Some(format!("{end}\n{}", state.log.last_lines(LAST_LINES)))
    }

    /// Sends a signal to all its processes.
    pub fn signal(&self, signal: Signal) {
        self.leading.order(&Order::Signal(signal.as_raw()));
    }

    /// Waits until it writes or ends, for this long at most.
    pub(super) fn watch(&self, time: Duration) {
        self.seen.watch(time);
    }

    /// Stops it by this signal, and kills what is left after the grace; whatever it is, it is gone afterwards.
    #[must_use]
    pub fn stop(self, signal: Signal, grace: Duration) -> Stopped {
        let death = self.death();
        self.leading.order(&Order::Stop { signal: signal.as_raw(), grace });
        self.seen.until_end(grace.saturating_add(PATIENCE));
        self.leading.give_up();
        self.leading.join();
        let state = self.seen.state();
        let (trouble, left) = match &state.end {
            _ if death.is_some() => (death, state.left()),
            Some(Ok(end)) if end.cause == Cause::Stopped => {
                let trouble = format!("{} did not stop within {grace:?} and was killed", self.name);
                (Some(trouble), state.left())
            }
            Some(Ok(_)) => (None, state.left()),
            Some(Err(why)) => (Some(format!("{} was lost: {why}", self.name)), Vec::new()),
            None => (Some(format!("{} was lost: its end was not told", self.name)), Vec::new()),
        };
        Stopped { trouble, left, last_lines: state.log.last_lines(LAST_LINES) }
    }
}

impl State {
    fn left(&self) -> Vec<String> {
        self.end.as_ref().and_then(|end| end.as_ref().ok()).map(|end| end.left.clone()).unwrap_or_default()
    }
}

impl Seen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, told: Told) {
        let mut state = self.state();
        match told {
            Told::Started(_) => {}
            Told::Wrote(_, bytes) => state.log.push(&bytes),
            Told::Ended(end) => state.end = Some(Ok(end)),
            Told::Lost(why) => state.end = Some(Err(why)),
        }
        self.changed.notify_all();
    }

    fn watch(&self, time: Duration) {
        let state = self.state();
        if state.end.is_none() {
            drop(self.changed.wait_timeout(state, time));
        }
    }

    fn until_end(&self, time: Duration) {
        let begun = Instant::now();
        while self.state().end.is_none() && begun.elapsed() < time {
            self.watch(time.saturating_sub(begun.elapsed()));
        }
    }
}
