//! One run of the command.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Deadline, Ending, Follow, Following, Interrupt, Sink, Source, Timeouts, Wait};

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
pub(super) enum AttemptEnd {
    Ended(Ending),
    NotStarted(io::Error),
}

impl AttemptEnd {
    /// The resources the run used, in the form that checks have for their metrics.
    pub(super) fn metrics(&self) -> Option<String> {
        let AttemptEnd::Ended(Ending { elapsed, usage, .. }) = self else { return None };
        let entry =
            |name: &str, value: &str, unit: &str| format!(r#""{name}":{{"unit":"{unit}","value":{value}}}"#);
        let seconds = |name, time: Duration| entry(name, &time.as_secs_f64().to_string(), "s");
        let mut entries = vec![seconds("wall_seconds", *elapsed)];
        if let Some(usage) = usage {
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
    pub(super) fn run(&self, test: &mut Test<'_>, output: &mut dyn Write) -> io::Result<AttemptEnd> {
        match self.start() {
            Ok(child) => child.to_the_end(&mut Recorder { test, output }).map(AttemptEnd::Ended),
            Err(error) => Ok(AttemptEnd::NotStarted(error)),
        }
    }

    fn start(&self) -> io::Result<Following<'_>> {
        let (program, args) = self.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let deadline = self.timeout.map_or(Deadline::NEVER, Deadline::after);
        let wait = Wait { deadline, interrupt: self.interrupt };
        let timeouts = Timeouts::COMMAND.with_grace(self.grace);
        let follow = Follow { outlet: Some(rustix::stdio::stdout()), ..Follow::new(wait, timeouts) };
        let stdin = if self.takes_stdin { Stdio::inherit() } else { Stdio::null() };
        follow.start(Command::new(program).args(args).stdin(stdin))
    }
}

/// What the command writes is gathered in batches, which are written when they are full or nothing more comes.
struct Recorder<'a, 't> {
    test: &'a mut Test<'t>,
    output: &'a mut dyn Write,
}

impl Sink for Recorder<'_, '_> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        self.test.wrote(source, bytes)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.test.batches.close();
        Ok(())
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        self.test.batches.has_full().then(rustix::stdio::stdout)
    }

    fn write(&mut self) -> io::Result<()> {
        self.test.batches.write_one(self.output)
    }
}
