//! What may hang is done by a helper: this program, started once more.
//!
//! A [`Helper`] is the parent's side: one for each target, it holds the lock that keeps later runs from adding to
//! what hangs, and knows whether an operation still does. [`assist`] is the other side: it does a task, one
//! operation at a time, each announced before it begins (see [`process::helper`]).

mod answer;
mod fact;
mod respond;

use std::ffi::{OsStr, OsString};
use std::io;
use std::time::Duration;

use anyhow::Context as _;
use formats::human::show_duration;
use process::helper::{Busy, Guard, Job, Refused, Reporter, Stop, Turn, enter, folder};
use process::{Cause, Deadline, Timeouts, Wait};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Finding, Level, Limits, Percentiles};
pub use answer::Answer;
pub use fact::Fact;
pub use respond::respond;

/// The first argument of a process of this program that is a check, or its helper; the second is the check's name.
pub const CHECK: &str = "--internal-check";
/// The argument of a helper before its task.
const TASK: &str = "--internal-task";

/// The parent's side: asks helpers to do what may hang, one at a time.
#[derive(Debug)]
pub struct Helper {
    /// The check's name: `eos`.
    check: &'static str,
    /// The lock's name.
    lock: String,
    /// What is touched, for people.
    shown: String,
    guard: Option<Guard>,
    /// Whether a helper was left behind.
    hung: bool,
    /// The probe of another run that hangs, until it is known whether the next one is answered.
    doubt: Option<Busy>,
    /// The request that was never answered, until it is told.
    lost: Option<String>,
}

/// How long an operation may take while it is not known whether all hang or only one request was lost: whoever looks at
/// what hangs has to be told soon.
const TRIAL: Duration = Duration::from_secs(1);

impl Helper {
    /// For a target of this check; `place` is what is touched (a path, a socket), and two runs that touch the same
    /// one know of each other.
    #[must_use]
    pub fn new(check: &'static str, place: &OsStr) -> Self {
        let lock = format!("{check}-{:016x}", fnv(place.as_encoded_bytes()));
        let shown = place.display().to_string();
        Helper { check, lock, shown, guard: None, hung: false, doubt: None, lost: None }
    }

    /// Whether an operation of an earlier task still hangs.
    #[must_use]
    pub fn is_hung(&self) -> bool {
        self.hung
    }

    /// Has a helper do a task: [`Check::help`](super::Check::help) gets it, `operand` and all.
    ///
    /// `creates` names what the task may create and has removed when it ends well. What stays nevertheless is
    /// noted with the lock: this and later runs find it in [`Helper::left_behind`].
    ///
    /// # Errors
    ///
    /// The finding where no helper could be asked: something hangs, another run is at it, no process can be
    /// started.
    pub fn ask<T: Task>(
        &mut self,
        task: &T,
        operand: &OsStr,
        creates: &[OsString],
        limits: Limits<'_>,
    ) -> Result<Answer<T::Fact>, Box<Finding>> {
        if self.hung {
            let reason = format!("an operation of an earlier test still hangs on {}", self.shown);
            return Err(Box::new(Finding::skipped(reason)));
        }
        self.lock(limits)?;
        let operation = self.doubt.as_ref().map_or(limits.operation, |_| limits.operation.min(TRIAL));
        let limits = Limits { operation, ..limits };
        let mut answer = self.start(task, operand, creates, limits).map_err(|error| {
            Box::new(Finding::unknown(format!("cannot start a probe for {}: {error}", self.shown)))
        })?;
        self.hung = answer.ending.exit.is_abandoned();
        if answer.is_clean() {
            self.forget(creates);
        }
        if let Some(busy) = self.doubt.take() {
            if answer.ending.cause == Cause::Stopped {
                return Err(Box::new(self.still_hung(&busy)));
            }
            self.lost = Some(lost(&busy));
        }
        if !task.is_preparation() {
            answer.lost = self.lost.take();
        }
        Ok(answer)
    }

    /// Whether what a task was to create may still be there, and could be removed now.
    #[must_use]
    pub fn may_have_left<T>(&self, answer: &Answer<T>) -> bool {
        !answer.is_clean() && !self.hung && answer.ending.cause != Cause::Itself
    }

    /// What this and earlier runs were about to create and is not known to be gone. Takes the lock.
    ///
    /// # Errors
    ///
    /// The finding where the lock cannot be taken.
    pub fn left_behind(&mut self, limits: Limits<'_>) -> Result<Vec<OsString>, Box<Finding>> {
        self.lock(limits)?;
        Ok(self.guard.as_ref().map(|guard| guard.created().to_vec()).unwrap_or_default())
    }

    /// Notes that these are gone.
    pub fn forget(&mut self, created: &[OsString]) {
        if let Some(guard) = self.guard.as_mut().filter(|_| !created.is_empty()) {
            // What is noted too long is only looked for once more.
            let _noted = guard.forget(created);
        }
    }

    fn start<T: Task>(
        &mut self,
        task: &T,
        operand: &OsStr,
        creates: &[OsString],
        limits: Limits<'_>,
    ) -> io::Result<Answer<T::Fact>> {
        let what = task.title();
        let request = Request { task, operand: operand.to_owned() };
        let job = Job {
            program: None,
            arguments: [CHECK, self.check, TASK, &serde_json::to_string(&request)?]
                .map(OsString::from)
                .to_vec(),
            title: format!("check-{}: {what} {}", self.check, self.shown),
            operation: limits.operation,
            wait: limits.wait(),
            timeouts: Timeouts::PROBE,
            guard: self.guard.as_mut(),
            creates: creates.to_vec(),
        };
        let mut messages = Vec::new();
        let helped = job.run(|message| messages.push(message))?;
        Ok(Answer::new(operand.display().to_string(), limits.operation, messages, helped))
    }

    fn lock(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        if self.guard.is_some() {
            return Ok(());
        }
        let failed = |error| Box::new(Finding::unknown(format!("cannot lock out other runs: {error}")));
        let folder = folder("subunit-checks").map_err(failed)?;
        // What comes after the wait needs some time, too.
        let half = limits.deadline.remaining().unwrap_or(Duration::MAX) / 2;
        let wait = Wait { deadline: Deadline::after(half), ..limits.wait() };
        match Turn::take(&folder, &self.lock, limits.operation, wait) {
            Ok(Turn { guard, hung }) => {
                (self.guard, self.doubt) = (Some(guard), hung);
                Ok(())
            }
            Err(Refused::Failed(error)) => Err(failed(error)),
            Err(Refused::Hung(busy)) => Err(Box::new(self.still_hung(&busy))),
            Err(Refused::Busy(_)) if limits.interrupt.has_come() => {
                let reason = "a signal ended the check while it waited for another run";
                Err(Box::new(Finding::new(Level::Interrupted(reason.to_owned()))))
            }
            Err(Refused::Busy(busy)) => Err(Box::new(Finding::unknown(format!(
                "other runs are at {}, and none was done in {}: {busy}",
                self.shown,
                show_duration(half)
            )))),
        }
    }

    /// The probes of earlier runs have not returned, and another one was not answered or not started.
    fn still_hung(&self, busy: &Busy) -> Finding {
        let state = busy.state.as_ref().map_or_else(String::new, |state| format!(" ({})", state.summary()));
        let reason = format!(
            "{} is still hung since {}: the probe of an earlier run has not returned{state}, and another one is not \
             answered either",
            self.shown,
            since(busy)
        );
        let evidence = busy.state.as_ref().map(ToString::to_string).unwrap_or_default();
        Finding { is_hung: true, ..Finding::broken(reason) }.with_text("proc-state.txt", evidence)
    }
}

/// Since when a probe has waited, for people.
fn since(busy: &Busy) -> String {
    busy.since.map_or_else(
        || "an unknown time".to_owned(),
        |since| chrono::DateTime::<chrono::Utc>::from(since).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// That one request was not answered, though others are.
fn lost(busy: &Busy) -> String {
    let process = busy.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    format!("a request of {} was never answered{process}, though others are", since(busy))
}

/// What a helper is to do.
pub trait Task: Serialize + DeserializeOwned {
    /// What it finds out beyond what all tasks may.
    type Fact: Serialize + DeserializeOwned;

    /// What that is in a word, for lists of processes: `check-eos: statx /eos/user`.
    fn title(&self) -> &'static str;

    /// Whether another task follows, and the finding is made of its answer.
    fn is_preparation(&self) -> bool {
        false
    }
}

/// A task as it goes to the helper, with the path or address of what it is about.
#[derive(Serialize, Deserialize)]
struct Request<T> {
    task: T,
    operand: OsString,
}

/// The helper's side: does the task that a [`Helper`] asked for. Everything is told through the reporter: what
/// fails, and by which operation, is not an error of this.
///
/// # Errors
///
/// When the task cannot be read, or this process cannot become a helper.
pub fn assist<T: Task>(
    task: &OsStr,
    work: impl FnOnce(&T, &OsStr, &mut Reporter<Fact<T::Fact>>) -> Result<(), Stop>,
) -> anyhow::Result<()> {
    let Request { task, operand } = serde_json::from_slice::<Request<T>>(task.as_encoded_bytes())
        .context("the request cannot be read")?;
    let mut reporter = enter()?;
    match work(&task, &operand, &mut reporter) {
        // Everything was told: how it ended is in the messages.
        Ok(()) | Err(Stop::Failed(_) | Stop::Asked | Stop::ParentGone) => Ok(()),
    }
}

/// Reports a number to the parent.
///
/// # Errors
///
/// When the parent is gone.
pub fn tell_metric<T: Serialize>(
    reporter: &mut Reporter<Fact<T>>,
    name: &str,
    number: f64,
) -> Result<(), Stop> {
    reporter.tell(Fact::metric(name, number))
}

/// Reports the percentiles of numbers to the parent.
///
/// # Errors
///
/// When the parent is gone.
pub fn tell_summary<T: Serialize>(
    reporter: &mut Reporter<Fact<T>>,
    name: &str,
    all: &Percentiles,
) -> Result<(), Stop> {
    all.entries().try_for_each(|(suffix, number)| tell_metric(reporter, &format!("{name}{suffix}"), number))
}

/// FNV-1a: a name for a lock that stays the same from release to release.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_named_by_the_published_hash() {
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
