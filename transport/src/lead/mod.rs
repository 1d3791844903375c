//! Commands that are led: in a group of their own, told what to do while they run, and gone at their end.
//!
//! Whoever leads one is at its node: a thread of this process, or the far end. There its signals are sent, to a group
//! whose number nobody else can have meanwhile; there its outputs are read, and there is looked for what it has left.

mod order;
mod place;
mod told;

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;
use process::timeouts::CLEANING;
use process::{Cause, Deadline, Follow, Interrupt, Mark, ProcessGroup, Signal, Sink, Source, Timeouts, Wait};
use serde::{Deserialize, Serialize};

use super::far_end::{FAILED, Outlet, request_line};
pub use order::Order;
pub use place::{Leading, Place};
pub(crate) use told::Reports;
pub use told::{Heard, LedEnd, Told};

/// Between the signals that end it whatever it does, once its own grace is over.
const LAST_GRACE: Duration = Duration::from_millis(300);

/// A command to be led.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Led {
    /// What the shell there is to run.
    pub script: String,
    /// Where it runs; without it, where whoever leads it does.
    pub folder: Option<String>,
    /// More of its environment.
    pub variables: Vec<(String, String)>,
    /// By what all that it starts is found at its end, in whatever groups: a value that nothing else has.
    pub mark: String,
    /// After which time it is ended.
    pub limit: Option<Duration>,
}

impl Led {
    fn command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&self.script).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env(Mark::COMMAND, &self.mark);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

/// At the far end: leads what the request says, and reports on the output.
pub(crate) fn main() -> ExitCode {
    let interrupt = Interrupt::watch().unwrap_or_default();
    let done = request_line(&interrupt).and_then(|line| {
        let led: Led = serde_json::from_slice(&line).context("the request is not what it should be")?;
        Ok(lead(&led, io::stdin().as_fd(), &interrupt, &mut Far(Outlet::default()))?)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _told = writeln!(io::stderr(), "{}", process::chain(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

/// Who hears what becomes of a command.
pub(crate) trait Audience {
    fn hear(&mut self, told: Told);

    /// To where something waits to be written.
    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn write(&mut self) {}
}

impl<F: FnMut(Told)> Audience for F {
    fn hear(&mut self, told: Told) {
        self(told);
    }
}

/// Whoever reads our output, far away.
struct Far(Outlet);

impl Audience for Far {
    fn hear(&mut self, told: Told) {
        self.0.take(&told.packet());
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        (!self.0.is_empty()).then(rustix::stdio::stdout)
    }

    fn write(&mut self) {
        self.0.write(rustix::stdio::stdout());
    }
}

/// Leads a command until it and all that it has started are gone. Orders come in on the lifeline.
///
/// # Errors
///
/// When it cannot be started or followed.
fn lead(
    led: &Led,
    lifeline: BorrowedFd<'_>,
    interrupt: &Interrupt,
    audience: &mut dyn Audience,
) -> io::Result<()> {
    let deadline = led.limit.map_or(Deadline::NEVER, Deadline::after);
    let timeouts = Timeouts { cleaning: CLEANING, ..Timeouts::COMMAND.with_grace(LAST_GRACE) };
    let follow = Follow {
        lifeline: Some(lifeline),
        finds_leaks: true,
        ..Follow::new(Wait { deadline, interrupt }, timeouts)
    };
    let following = follow.start(led.command().stdin(std::process::Stdio::null()))?;
    audience.hear(Told::Started(following.id()));
    let group = ProcessGroup::of(following.id());
    let mut leader = Leader { audience, group, orders: Vec::new(), stop: None };
    let ending = following.to_the_end(&mut leader)?;
    let was_stopped = leader.stop.is_some();
    let mut end = LedEnd::from(ending);
    let mark = Mark::of_command(&led.mark);
    end.left.extend(mark.named_bearers());
    mark.end_all(LAST_GRACE);
    end.was_stopped = was_stopped && end.cause != Cause::TimedOut;
    audience.hear(Told::Ended(end));
    while audience.backlog().is_some() {
        audience.write();
    }
    Ok(())
}

/// Hears the orders, and hands on what the command writes.
struct Leader<'a> {
    audience: &'a mut dyn Audience,
    group: Option<ProcessGroup>,
    /// The line that is not whole yet.
    orders: Vec<u8>,
    /// Until when it has to have stopped.
    stop: Option<Deadline>,
}

impl Leader<'_> {
    fn obey(&mut self, order: &Order) {
        match order {
            Order::Signal(signal) => self.signal(*signal),
            Order::Stop { signal, grace } => {
                self.stop = Some(Deadline::after(*grace));
                self.signal(*signal);
                // What is paused would not see it.
                self.signal(Signal::CONT.as_raw());
            }
        }
    }

    fn signal(&self, signal: i32) {
        // What has become another user's is ended, and found, like all that is left.
        let _another_users =
            self.group.zip(Signal::from_named_raw(signal)).map(|(group, signal)| group.signal(signal));
    }
}

impl Sink for Leader<'_> {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        self.audience.hear(Told::Wrote(source, bytes.to_vec()));
        Ok(())
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        self.audience.backlog()
    }

    fn write(&mut self) -> io::Result<()> {
        self.audience.write();
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.stop.unwrap_or(Deadline::NEVER)
    }

    fn told(&mut self, bytes: &[u8]) {
        self.orders.extend_from_slice(bytes);
        while let Some(end) = self.orders.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.orders.drain(..=end).collect();
            if let Ok(order) = serde_json::from_slice(&line) {
                self.obey(&order);
            }
        }
    }

    fn lingers(&self) -> Option<Deadline> {
        self.stop
    }
}

#[cfg(test)]
mod tests;
