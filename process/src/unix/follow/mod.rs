//! Following a child to its end: the one loop that does it.
//!
//! A child is waited for in one place, and all that can happen meanwhile is looked at in one `poll`: its outputs, its
//! input, its end, a signal, our own reader that goes away. A turn of the loop is: wait, write what waits to be
//! written, read what has come, and see how far it is:
//!
//! | phase | ends by | then |
//! |---|---|---|
//! | running | its end | ended |
//! | | its deadline, the sink's, a signal, the end of the lifeline: SIGTERM and SIGCONT, to the whole group | asked |
//! | asked | its end | ended |
//! | | the grace: SIGKILL, to the whole group | killed |
//! | killed | its end | ended |
//! | | the patience: it is in a system call that does not return (state D), and abandoned | – |
//! | ended | the ends of its outputs, the time that others may hold them open, or a signal meanwhile | – |
//!
//! Three things make it more than that:
//!
//! - *Back-pressure.* While the sink has something that it cannot write, nothing is read, so that a slow reader holds
//!   up the child; but while it runs, deadlines and signals are heeded whatever waits.
//! - *What the child started.* A pipe ends when the last one lets go of it, and that may be a process that the child
//!   left running, for ever. So the child's end is its own, and what is in the pipes is read for a while afterwards.
//!   Then the rest of its group is ended. The group's number is signalled only while the child is not reaped or a
//!   member lives: afterwards it may be another's.
//! - *No pidfd.* Where the kernel or a sandbox refuses them, the end is asked for at short intervals, and all else is
//!   the same.

mod pipes;
mod sink;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{FileType, fstat};
use rustix::process::Signal;

use crate::timeouts::{INTERVAL, LAST_TURNS, LEAK};
use crate::unix::state::name;
use crate::unix::wait::{poll_all, ready};
use crate::{Asked, Cause, Child, Deadline, Ending, Exit, Timeouts, Wait};
pub use pipes::{ChildInput, Outputs};
use pipes::{Feed, Pipes};
pub use sink::{Sink, Source};

/// How a child is followed.
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
/// use process::{Cause, Deadline, Follow, Source, Timeouts, Wait};
///
/// let wait = Wait::until(Deadline::after(Duration::from_secs(10)));
/// let mut written = Vec::new();
/// let child = Follow::new(wait, Timeouts::COMMAND).start(Command::new("echo").arg("ready"))?;
/// let ending = child.to_the_end(&mut |source: Source, bytes: &[u8]| {
///     written.extend_from_slice(bytes);
///     Ok(())
/// })?;
/// assert!(ending.is_success());
/// assert_eq!(written, b"ready\n");
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct Follow<'a> {
    /// When it is made to end.
    pub wait: Wait<'a>,
    /// How long it is waited for then.
    pub timeouts: Timeouts,
    /// How its outputs are read.
    pub outputs: Outputs,
    /// What it reads; without it, that is as its command says.
    pub input: Option<ChildInput<'a>>,
    /// Where the sink writes to: when nobody reads that any more, the child is ended, and following it fails with
    /// [`io::ErrorKind::BrokenPipe`].
    pub outlet: Option<BorrowedFd<'a>>,
    /// An input of ours that has an end when nobody wants the child any more; what else comes in is for the sink.
    pub lifeline: Option<BorrowedFd<'a>>,
    /// Whether it is abandoned without SIGKILL where it cannot be killed (state D), so that it can still clean up when
    /// it comes back.
    pub spares_stuck: bool,
    /// Whether what it leaves running in its group is looked for, before that is ended.
    pub finds_leaks: bool,
}

impl<'a> Follow<'a> {
    /// A child without an input of ours, whose outputs are read apart.
    #[must_use]
    pub fn new(wait: Wait<'a>, timeouts: Timeouts) -> Self {
        let (outlet, lifeline) = (None, None);
        Follow {
            wait,
            timeouts,
            outputs: Outputs::Apart,
            input: None,
            outlet,
            lifeline,
            spares_stuck: false,
            finds_leaks: false,
        }
    }

    /// Starts the command in a group of its own. It is to be followed at once.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(self, command: &mut Command) -> io::Result<Following<'a>> {
        let merged = self.outputs.configure(command)?;
        if self.input.is_some() {
            command.stdin(Stdio::piped());
        }
        let begun = Instant::now();
        let child = Child::spawn(command);
        // A copy of the writing end would keep the pipe open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.adopt(child?, begun, merged.map(OwnedFd::from))
    }

    /// Follows a child that was started elsewhere; `merged` is what it writes to, unless that is a pipe of its own.
    pub(crate) fn adopt(
        mut self,
        mut child: Child,
        begun: Instant,
        merged: Option<OwnedFd>,
    ) -> io::Result<Following<'a>> {
        let stdout = merged.or_else(|| child.take_stdout().map(OwnedFd::from));
        let pipes = Pipes::new([stdout, child.take_stderr().map(OwnedFd::from)]);
        let feed = match self.input.take().zip(child.take_stdin()) {
            Some((input, stdin)) => Some(Feed::new(stdin.into(), input)?).filter(Feed::is_open),
            None => None,
        };
        self.outlet = self.outlet.filter(|fd| has_reader(*fd));
        Ok(Following {
            follow: self,
            child,
            begun,
            pipes,
            feed,
            phase: Phase::Running,
            cause: Cause::Itself,
            asked: None,
            ended: None,
            kill_at: None,
            is_killed: false,
            last_turns: LAST_TURNS,
            is_fresh: false,
            told: Vec::new(),
            left: Vec::new(),
        })
    }
}

/// Whether it is of a kind that somebody reads at the other end.
fn has_reader(fd: BorrowedFd<'_>) -> bool {
    let kind = fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

/// Where a child is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    /// It was asked to end.
    Asked,
    /// It was killed; until it is given up.
    Killed(Deadline),
    Ended {
        /// Until what others may still write is given up.
        drain: Deadline,
        /// Until whoever reads from us is given up.
        reader: Deadline,
    },
}

/// What there is to do.
#[derive(Clone, Copy, Debug)]
struct Ready {
    outputs: [bool; 2],
    /// Whether the outputs were looked at.
    has_looked: bool,
    /// The child reads.
    input: bool,
    has_ended: bool,
    is_unwanted: bool,
    /// The sink's reader takes more, or has gone away.
    outlet: bool,
}

/// A child that was started, to be followed; see [`Follow`].
#[derive(Debug)]
pub struct Following<'a> {
    follow: Follow<'a>,
    child: Child,
    begun: Instant,
    pipes: Pipes,
    feed: Option<Feed<'a>>,
    phase: Phase,
    cause: Cause,
    asked: Option<Asked>,
    ended: Option<Instant>,
    /// When what still lives of the group is killed, once the child was asked to end.
    kill_at: Option<Deadline>,
    is_killed: bool,
    last_turns: usize,
    /// Whether the sink took something and was not told since that it is all for now.
    is_fresh: bool,
    /// What came on the lifeline.
    told: Vec<u8>,
    /// What it left running.
    left: Vec<String>,
}

impl Following<'_> {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Another handle of what it reads, where that is [held](ChildInput::Held): its input ends when this one is dropped,
    /// too. What is written there comes in behind what is not yet written of the bytes it was given.
    ///
    /// # Errors
    ///
    /// When no handle can be had.
    pub fn input(&self) -> io::Result<Option<OwnedFd>> {
        self.feed.as_ref().filter(|feed| feed.is_held).map(Feed::handle).transpose()
    }

    /// Hands on what it writes until it has ended, or is given up; nothing of its group lives on then.
    ///
    /// # Errors
    ///
    /// When it cannot be watched, the sink fails, or nobody reads the outlet any more. It was ended then, too.
    pub fn to_the_end(mut self, sink: &mut dyn Sink) -> io::Result<Ending> {
        let followed = self.follow(sink);
        let elapsed = self.ended.unwrap_or_else(Instant::now).saturating_duration_since(self.begun);
        let exit = self.end(sink);
        followed?;
        let is_cut = !self.take_the_rest(sink)?;
        let usage = self.child.usage();
        let left = std::mem::take(&mut self.left);
        Ok(Ending { exit: exit?, cause: self.cause, asked: self.asked, elapsed, usage, is_cut, left })
    }

    fn follow(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        loop {
            let ready = self.wait(sink)?;
            if !self.told.is_empty() {
                sink.told(&std::mem::take(&mut self.told));
            }
            match (ready.outlet, sink.backlog().is_some()) {
                (true, true) => sink.write()?,
                (true, false) if ready.has_looked => return Err(io::ErrorKind::BrokenPipe.into()),
                _ => {}
            }
            if ready.input {
                self.feed.take_if(|feed| !feed.write());
            }
            self.read(ready.outputs, sink)?;
            self.advance(ready, sink)?;
            if self.is_over(ready) {
                return Ok(());
            }
        }
    }

    fn wait(&mut self, sink: &mut dyn Sink) -> io::Result<Ready> {
        if self.is_fresh && sink.backlog().is_none() {
            let ready = self.poll(None, Deadline::now())?;
            // What came on the lifeline comes once: nothing would wake us for it again.
            if ready.outputs.contains(&true) || !self.told.is_empty() {
                return Ok(ready);
            }
            self.is_fresh = false;
            sink.idle()?;
        }
        let limit = self.limit(sink);
        self.poll(sink.backlog(), limit)
    }

    /// When to look at the time again.
    fn limit(&self, sink: &dyn Sink) -> Deadline {
        let limit = match self.phase {
            Phase::Running => self.follow.wait.deadline.earlier(sink.deadline()),
            Phase::Asked => Deadline::NEVER,
            Phase::Killed(limit) => limit,
            // Whatever is still to be read, the reader takes its time.
            Phase::Ended { reader, .. } if sink.backlog().is_some() => reader,
            Phase::Ended { drain, .. } => drain,
        };
        let is_unwatched = !self.has_ended() && self.child.exit_fd().is_none();
        let slice = if is_unwatched { Deadline::after(INTERVAL) } else { Deadline::NEVER };
        let kill_at = self.kill_at.filter(|_| !self.is_killed);
        limit.earlier(slice).earlier(kill_at.unwrap_or(Deadline::NEVER))
    }

    /// Waits for the outputs, or where something is to be written for room there; and for all that ends a child.
    fn poll(&mut self, backlog: Option<BorrowedFd<'_>>, limit: Deadline) -> io::Result<Ready> {
        let is_heeded = match self.phase {
            Phase::Running => true,
            Phase::Ended { .. } => self.is_lingering(),
            Phase::Asked | Phase::Killed(_) => false,
        };
        let [stdout, stderr] = self.pipes.fds();
        let fd = |fd: Option<_>, wanted: bool, flags| fd.filter(|_| wanted).map(|fd| (fd, flags));
        let outlet = match backlog {
            Some(backlog) => Some((backlog, PollFlags::OUT)),
            // Asked for nothing, it tells only that its reader has gone away.
            None => self.follow.outlet.map(|outlet| (outlet, PollFlags::empty())),
        };
        let fds = [
            fd(stdout, backlog.is_none(), PollFlags::IN),
            fd(stderr, backlog.is_none(), PollFlags::IN),
            fd(self.child.exit_fd(), !self.has_ended(), PollFlags::IN),
            fd(self.follow.wait.interrupt.wake(), is_heeded, PollFlags::IN),
            fd(self.follow.lifeline, is_heeded, PollFlags::IN),
            fd(self.feed.as_ref().and_then(Feed::fd), true, PollFlags::OUT),
            outlet,
        ];
        let ready = poll_all(fds, limit)?.map(|flags| !flags.is_empty());
        let [stdout, stderr, has_ended, woken, lifeline, input, outlet] = ready;
        Ok(Ready {
            outputs: [stdout, stderr],
            has_looked: backlog.is_none(),
            input,
            has_ended,
            is_unwanted: (lifeline && self.has_lifeline_ended()) || woken,
            outlet,
        })
    }

    fn has_lifeline_ended(&mut self) -> bool {
        let Some(lifeline) = self.follow.lifeline else { return false };
        let mut block = [0; 4096];
        match rustix::io::read(lifeline, &mut block) {
            Ok(count) => {
                self.told.extend(block.iter().take(count));
                count == 0
            }
            Err(error) => !matches!(error, rustix::io::Errno::INTR | rustix::io::Errno::AGAIN),
        }
    }

    fn read(&mut self, ready: [bool; 2], sink: &mut dyn Sink) -> io::Result<()> {
        self.is_fresh |= ready.contains(&true);
        self.pipes.read(ready, sink)
    }

    /// Goes on to the next phase when it is time.
    fn advance(&mut self, ready: Ready, sink: &mut dyn Sink) -> io::Result<()> {
        if self.kill_at.is_some_and(Deadline::has_passed) && !self.is_killed {
            // Also when the child itself has ended: what it started may be left.
            self.kill();
        }
        if self.has_ended() {
            if ready.is_unwanted {
                self.stop_lingering();
            }
            return Ok(());
        }
        if ready.has_ended || (self.child.exit_fd().is_none() && self.child.has_ended()?) {
            self.note_end(sink.lingers());
        } else if matches!(self.phase, Phase::Running)
            && let Some(cause) = self.why_to_end(ready, sink.deadline())
        {
            self.ask_to_end(cause);
            sink.asked_to_end();
        }
        Ok(())
    }

    fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// Whether it ended by itself, and what it left running is waited for.
    fn is_lingering(&self) -> bool {
        self.has_ended() && self.cause == Cause::Itself && self.follow.timeouts.is_lingering()
    }

    /// What was left running is not waited for any longer: the output is cut.
    fn stop_lingering(&mut self) {
        self.cause = Cause::Interrupted;
        if let Phase::Ended { drain, .. } = &mut self.phase {
            *drain = Deadline::now();
        }
    }

    fn note_end(&mut self, lingers: Option<Deadline>) {
        let Timeouts { reader, .. } = self.follow.timeouts;
        let drain = Deadline::after(self.follow.timeouts.drain(self.cause == Cause::Itself));
        self.phase = Phase::Ended { drain: lingers.unwrap_or(drain), reader: Deadline::after(reader) };
        self.ended = Some(Instant::now());
        self.feed = None;
    }

    fn why_to_end(&self, ready: Ready, limit: Deadline) -> Option<Cause> {
        match () {
            () if ready.is_unwanted => Some(Cause::Interrupted),
            () if self.follow.wait.deadline.has_passed() => Some(Cause::TimedOut),
            () if limit.has_passed() => Some(Cause::Stopped),
            () => None,
        }
    }

    fn ask_to_end(&mut self, cause: Cause) {
        self.cause = cause;
        self.asked = Some(Asked { after: self.begun.elapsed(), state: self.child.state() });
        let Timeouts { grace, cleaning, .. } = self.follow.timeouts;
        let grace = if cause == Cause::Interrupted { cleaning } else { grace };
        if !self.feed.take().is_some_and(|feed| feed.is_held) {
            // What may not be signalled, because it has become another user's, is waited for and given up like what
            // cannot be killed.
            let _another_users = self.child.ask_to_end();
        }
        (self.kill_at, self.phase) = (Some(Deadline::after(grace)), Phase::Asked);
    }

    fn kill(&mut self) {
        self.is_killed = true;
        let is_asked = matches!(self.phase, Phase::Asked);
        if is_asked && self.follow.spares_stuck && self.child.state().state == Some('D') {
            self.phase = Phase::Killed(Deadline::now());
            return;
        }
        let _another_users = self.child.signal(Signal::KILL);
        if is_asked {
            self.phase = Phase::Killed(Deadline::after(self.follow.timeouts.patience));
        }
    }

    fn is_over(&mut self, ready: Ready) -> bool {
        match self.phase {
            Phase::Running | Phase::Asked => false,
            Phase::Killed(limit) => limit.has_passed(),
            Phase::Ended { .. } if self.pipes.have_ended() => true,
            Phase::Ended { reader, .. } if !ready.has_looked => reader.has_passed(),
            Phase::Ended { drain, .. } if drain.has_passed() => {
                self.last_turns = self.last_turns.saturating_sub(1);
                self.last_turns == 0 || !ready.outputs.contains(&true)
            }
            Phase::Ended { .. } => false,
        }
    }

    /// Ends what still lives of the group, and reaps the child; what belongs to another user by now is left alone.
    fn end(&mut self, sink: &dyn Sink) -> io::Result<Exit> {
        // When it was reaped, a group without other members is known to be gone, and need not be looked for.
        if let (Some(exit), None) = (self.child.try_wait()?, self.child.group()) {
            return Ok(exit);
        }
        if matches!(self.phase, Phase::Killed(_)) {
            return Ok(self.child.abandon());
        }
        if self.follow.finds_leaks && self.cause == Cause::Itself {
            self.left = self.leaks(sink.lingers());
        }
        let Timeouts { grace, patience, .. } = self.follow.timeouts;
        let grace = self.kill_at.map_or(grace, |limit| limit.remaining().unwrap_or_default());
        match self.child.terminate_within(grace, patience) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(self.child.abandon()),
            done => done,
        }
    }

    /// What lives on in its group a moment after its end.
    fn leaks(&self, lingers: Option<Deadline>) -> Vec<String> {
        let Some(group) = self.child.group() else { return Vec::new() };
        let ended = self.ended.map_or(Duration::ZERO, |ended| ended.elapsed());
        let deadline = lingers.unwrap_or_else(|| Deadline::after(LEAK.saturating_sub(ended)));
        if group.wait_until_empty(deadline) {
            return Vec::new();
        }
        group.members().into_iter().map(|pid| format!("{pid} ({})", name(pid))).collect()
    }

    /// Takes what was written and not yet read, when nobody is left to write; false if the reader of what is passed
    /// on takes too long for it.
    fn take_the_rest(&mut self, sink: &mut dyn Sink) -> io::Result<bool> {
        let reader = match self.phase {
            Phase::Ended { reader, .. } => reader,
            _ => Deadline::after(self.follow.timeouts.reader),
        };
        for _ in 0..LAST_TURNS {
            if !write_all(sink, reader)? {
                return Ok(false);
            }
            let ready = ready(self.pipes.fds(), Deadline::now())?;
            if !ready.contains(&true) {
                break;
            }
            self.read(ready, sink)?;
        }
        sink.idle()?;
        write_all(sink, reader)
    }
}

/// Writes what waits; false when the deadline passes first.
fn write_all(sink: &mut dyn Sink, deadline: Deadline) -> io::Result<bool> {
    while let Some(backlog) = sink.backlog() {
        if poll_all([Some((backlog, PollFlags::OUT))], deadline)?[0].is_empty() {
            return Ok(false);
        }
        sink.write()?;
    }
    Ok(true)
}
