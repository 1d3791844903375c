//! Processes that are known by a variable in their environment, wherever they are: in other groups and sessions, too.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};

use crate::Deadline;
use crate::timeouts::PATIENCE;
use crate::unix::state::name;
use crate::unix::wait::Wait;

/// A variable that all processes inherit which are started with it: of a run, or of one command of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    variable: &'static str,
    value: String,
}

impl Mark {
    /// The name of the variable of a run.
    pub const VARIABLE: &'static str = "SUBUNIT_RUN";
    /// The name of the variable of a command.
    pub const COMMAND: &'static str = "SUBUNIT_COMMAND";

    /// One that nobody has yet.
    #[must_use]
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Mark::of(&format!("{}-{}", std::process::id(), now.as_nanos()))
    }

    /// The run's of this value.
    #[must_use]
    pub fn of(value: &str) -> Self {
        Mark { variable: Self::VARIABLE, value: value.to_owned() }
    }

    /// A command's of this value.
    #[must_use]
    pub fn of_command(value: &str) -> Self {
        Mark { variable: Self::COMMAND, value: value.to_owned() }
    }

    /// The value of the variable.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The processes of this user that have it, and can be looked at.
    #[must_use]
    pub fn bearers(&self) -> Vec<u32> {
        let own = std::process::id();
        let entry = format!("{}={}", self.variable, self.value).into_bytes();
        let has_it = |pid: &u32| {
            let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            variables.split(|byte| *byte == 0).any(|variable| variable == entry)
        };
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| *pid != own).filter(has_it).collect()
    }

    /// The same, each by its number and name.
    #[must_use]
    pub fn named_bearers(&self) -> Vec<String> {
        self.bearers().into_iter().map(|pid| format!("{pid} ({})", name(pid))).collect()
    }

    /// Ends all of them: SIGTERM, a grace, SIGKILL, until none is left or the last patience is over.
    pub fn end_all(&self, grace: Duration) {
        let (grace, end) = (Deadline::after(grace), Deadline::after(grace + PATIENCE));
        let mut asked = Vec::new();
        // One that is being started has the variable a moment later.
        let mut looks = 0;
        while looks < 3 && !end.has_passed() {
            let bearers = self.bearers();
            looks = if bearers.is_empty() { looks + 1 } else { 0 };
            for pid in bearers {
                if grace.has_passed() {
                    signal(pid, Signal::KILL);
                } else if !asked.contains(&pid) {
                    asked.push(pid);
                    signal(pid, Signal::TERM);
                    signal(pid, Signal::CONT);
                }
            }
            let _slept = Wait::FOREVER.sleep(crate::timeouts::INTERVAL);
        }
    }
}

impl Default for Mark {
    fn default() -> Self {
        Mark::new()
    }
}

/// It may have ended meanwhile.
fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _gone = pid.map(|pid| kill_process(pid, signal));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::Child;

    #[test]
    fn who_has_it_is_found_and_ended() {
        let mark = Mark::new();
        let start =
            |value: &str| Child::spawn(Command::new("sleep").arg("1000").env(Mark::VARIABLE, value)).unwrap();
        let (mut bearer, mut other) = (start(mark.value()), start("other"));
        // It has the variable from when it is what it is to be.
        while mark.bearers().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(mark.bearers(), [bearer.id()]);
        mark.end_all(Duration::from_secs(60));
        assert!(bearer.wait_until(Deadline::NEVER).unwrap().is_some());
        assert_eq!(other.try_wait().unwrap(), None);
    }
}
