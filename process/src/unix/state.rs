//! What the kernel says about a process: the evidence of where it hangs.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;

/// What a process is called.
pub(crate) fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// A snapshot of `/proc/PID`, as evidence of what a process waits for.
///
/// Only files that the kernel answers without the process's memory are read: `cmdline`, `environ` and
/// `maps` of a hung process may hang as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcState {
    /// The process.
    pub pid: u32,
    /// The state's letter (`R`, `S`, `D`, `T`, `Z`, …); `None` when there is no such process.
    pub state: Option<char>,
    /// The parts that could be read: the file's name and its text.
    pub parts: Vec<(&'static str, String)>,
}

impl ProcState {
    /// Looks at the process now; what cannot be read (permission, no such process) is left out.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let read = |name: &'static str| {
            let text = fs::read_to_string(format!("/proc/{pid}/{name}")).ok()?;
            Some((name, text.trim_end().to_owned())).filter(|(_, text)| !text.is_empty())
        };
        let parts: Vec<_> =
            ["stat", "wchan", "syscall", "stack", "io"].into_iter().filter_map(read).collect();
        let state = parts.iter().find(|(name, _)| *name == "stat").and_then(|(_, stat)| Stat::parse(stat));
        ProcState { pid, state: state.map(|stat| stat.state), parts }
    }

    /// The text of one part: `stat`, `wchan`, `syscall`, `stack` or `io`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.as_str())
    }

    /// The kernel function it sleeps in, where that is known.
    #[must_use]
    pub fn wait_channel(&self) -> Option<&str> {
        self.part("wchan").filter(|function| *function != "0")
    }

    /// One line: `process 42 is in state D (uninterruptible) in request_wait_answer`.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(state) = self.state else { return format!("process {} is gone", self.pid) };
        let place = self.wait_channel().map_or_else(String::new, |function| format!(" in {function}"));
        format!("process {} is in state {state} ({}){place}", self.pid, meaning(state))
    }
}

impl fmt::Display for ProcState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.summary())?;
        for (name, text) in &self.parts {
            writeln!(formatter, "\n/proc/{}/{name}:\n{text}", self.pid)?;
        }
        Ok(())
    }
}

/// The letters of proc(5).
fn meaning(state: char) -> &'static str {
    match state {
        'R' => "running",
        'S' => "sleeping",
        'D' => "uninterruptible sleep",
        'T' => "stopped",
        't' => "stopped by a debugger",
        'Z' => "ended, not yet reaped",
        'X' | 'x' => "dead",
        'I' => "idle",
        _ => "unknown",
    }
}

/// The fields of `/proc/PID/stat` that are of use here.
pub(crate) struct Stat {
    pub(crate) state: char,
    pub(crate) group: i32,
}

impl Stat {
    /// That of a process; `None` when there is no such process.
    pub(crate) fn of(pid: u32) -> Option<Stat> {
        // The fields stand at the beginning, and one call reads it. The command's name may be any bytes.
        let mut start = [0; 256];
        let count = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut start).ok()?;
        Stat::parse(&String::from_utf8_lossy(start.get(..count)?))
    }

    /// Reads the fields behind the command's name, which may itself hold spaces and parentheses.
    pub(crate) fn parse(stat: &str) -> Option<Stat> {
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let group = fields.nth(1)?.parse().ok()?;
        Some(Stat { state, group })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_names_with_spaces_and_parentheses_are_no_fields() {
        let stat = Stat::parse("7 (a ) S (b) D 1 42 42 0 -1").unwrap();
        assert_eq!((stat.state, stat.group), ('D', 42));
        assert!(Stat::parse("7 (cut").is_none());
        assert!(Stat::of(std::process::id()).is_some_and(|stat| "RS".contains(stat.state)));
    }

    #[test]
    fn a_process_that_is_not_there_is_gone() {
        let state = ProcState::of(u32::MAX);
        assert_eq!(state.summary(), "process 4294967295 is gone");
    }

    #[test]
    fn this_process_runs() {
        let state = ProcState::of(std::process::id());
        assert!(matches!(state.state, Some('R' | 'S')), "{state}");
        assert!(state.part("syscall").is_some() || state.part("stat").is_some());
    }
}
