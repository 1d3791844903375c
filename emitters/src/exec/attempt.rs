//! One run of the command.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::{Child, Interrupt, Outcome, Usage};

use super::follow::Follow;
use super::test::Test;

/// What to run, and when to end it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) command: &'a [OsString],
    pub(super) takes_stdin: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) interrupt: &'a Interrupt,
}

/// A run that is over.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) end: End,
    /// Why it was ended, unless it ended by itself.
    pub(super) cause: Option<Cause>,
    pub(super) wall: Duration,
    pub(super) usage: Option<Usage>,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    Ended(Outcome),
    NotStarted(io::Error),
}

/// Why a command was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It took longer than this.
    TimedOut(Duration),
    /// A signal came.
    Interrupted,
}

impl Ran {
    pub(super) fn of(end: End) -> Self {
        Ran { end, cause: None, wall: Duration::ZERO, usage: None }
    }

    /// What the run took, in the form that checks have for their numbers.
    pub(super) fn metrics(&self) -> Option<String> {
        let End::Ended(_) = self.end else { return None };
        let entry =
            |name: &str, value: &str, unit: &str| format!(r#""{name}":{{"unit":"{unit}","value":{value}}}"#);
        let seconds = |name, time: Duration| entry(name, &time.as_secs_f64().to_string(), "s");
        let mut entries = vec![seconds("wall_seconds", self.wall)];
        if let Some(usage) = self.usage {
            entries.push(seconds("user_seconds", usage.user));
            entries.push(seconds("system_seconds", usage.system));
            entries.push(entry("peak_memory_bytes", &usage.peak_memory.to_string(), "B"));
        }
        Some(format!("{{{}}}", entries.join(",")))
    }
}

impl Attempt<'_> {
    /// Runs the command; what it writes is said of the test, and written to `output` as it comes.
    ///
    /// # Errors
    ///
    /// When writing or watching fails. The command has been ended then.
    pub(super) fn run(&self, test: &mut Test<'_>, output: &mut dyn Write) -> io::Result<Ran> {
        let begin = Instant::now();
        let mut child = match self.start() {
            Ok(child) => child,
            Err(error) => return Ok(Ran::of(End::NotStarted(error))),
        };
        let mut follow = Follow::new(self, &mut child);
        let followed = follow.follow(&mut child, test, output);
        let wall = follow.ended().saturating_duration_since(begin);
        let outcome = end(&mut child, follow.grace_left());
        followed?;
        follow.take_the_rest(&child, test, output)?;
        Ok(Ran { end: End::Ended(outcome?), cause: follow.cause(), wall, usage: child.usage() })
    }

    fn start(&self) -> io::Result<Child> {
        let (program, args) = self.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let stdin = if self.takes_stdin { Stdio::inherit() } else { Stdio::null() };
        let mut command = Command::new(program);
        Child::spawn(command.args(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }
}

/// Ends the command and all of its group; what belongs to another user by now is left alone.
fn end(child: &mut Child, grace: Duration) -> io::Result<Outcome> {
    // When it was reaped, a group without other members is known to be gone, and need not be looked for.
    child.try_wait()?;
    match child.terminate(grace) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(child.abandon()),
        done => done,
    }
}
