//! The parent's side: starts a helper, follows what it tells, ends it in time.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::guard::NOTED;
use super::{Guard, HelperMessage, Progress, Unreadable};
use crate::{Child, Deadline, Ending, Follow, Sink, Source, Timeouts, Wait};

/// The name of what a helper does before its first and after its last operation.
const OUTSIDE: &str = "start or end";
/// The most bytes that a line of a helper may have; a longer one is not a message.
const LONGEST_LINE: usize = 16 << 20;

/// A helper to start: this program with these arguments.
#[derive(Debug)]
pub struct Job<'a> {
    /// The program; `None` is this one.
    pub program: Option<PathBuf>,
    /// Its arguments, by which `main` knows that it is a helper and what to do.
    pub arguments: Vec<OsString>,
    /// What it is called in lists of processes, in place of the program's name: what it does and for whom, since
    /// somebody will find it there when it hangs. No secret.
    pub title: String,
    /// How long a single operation may take.
    pub operation: Duration,
    /// When all must be over.
    pub wait: Wait<'a>,
    /// How long it may take to clean up when asked to end, and so on.
    pub timeouts: Timeouts,
    /// The lock that it shall hold for its life.
    pub guard: Option<&'a mut Guard>,
    /// What it is about to create: noted with the lock, until [`Guard::forget`].
    pub creates: Vec<OsString>,
}

/// How a helper ended.
#[derive(Clone, Debug)]
pub struct Helped {
    /// How the process ended, and why: [`Cause::Stopped`](crate::Cause::Stopped) when an operation took longer than it
    /// may.
    pub ending: Ending,
    /// The operation it was at, unless it ended by itself.
    pub stuck: Option<Stuck>,
    /// The first of its lines that was not a message, if there was one: what it found out may be incomplete.
    pub unreadable: Option<Unreadable>,
}

/// An operation that did not return in time.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// Its name.
    pub operation: String,
    /// For how long it had been at it.
    pub elapsed: Duration,
}

impl Job<'_> {
    /// Starts the helper, hands on its messages as they come, and sees to its end.
    ///
    /// Returns in time whatever the helper does: an operation that is not over within its limit is given
    /// `grace` to return and clean up after SIGTERM, then SIGKILL and half a second; then it is abandoned. One
    /// that creates something is abandoned without SIGKILL where the kernel holds it (state D), so that it can
    /// clean up when it comes back.
    ///
    /// # Errors
    ///
    /// When it cannot be started or watched.
    pub fn run<F: DeserializeOwned>(
        mut self,
        mut on_message: impl FnMut(HelperMessage<F>),
    ) -> io::Result<Helped> {
        let mut command = self.command()?;
        if let Some(guard) = &mut self.guard {
            guard.will_create(&self.creates)?;
        }
        let begun = Instant::now();
        let child = Child::spawn_alone(&mut command)?;
        if let Some(guard) = &mut self.guard {
            guard.held_by(child.id(), self.operation)?;
        }
        let follow =
            Follow { spares_stuck: !self.creates.is_empty(), ..Follow::new(self.wait, self.timeouts) };
        let guard = self.guard.as_deref_mut();
        let mut listener = Listener::new(self.operation, guard, &mut on_message);
        let ending = follow.adopt(child, begun, None)?.to_the_end(&mut listener)?;
        listener.finish();
        if !ending.exit.is_abandoned() {
            listener.note(Guard::note_idle);
        }
        Ok(Helped { ending, stuck: listener.stuck, unreadable: listener.unreadable })
    }

    fn command(&mut self) -> io::Result<Command> {
        // What we were started with may have been made to be inherited; a helper must not keep it open.
        close_fds::set_fds_cloexec(3, &[]);
        let program = self.program.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
        let mut command = Command::new(program);
        command.arg0(&self.title);
        command.args(&self.arguments).current_dir("/").stdout(Stdio::piped()).stderr(Stdio::null());
        match &mut self.guard {
            // The lock belongs to the open file: it is held until the helper ends, too.
            Some(guard) => command.stdin(guard.share()?),
            None => command.stdin(Stdio::null()),
        };
        Ok(command)
    }
}

/// What a helper has told so far.
struct Listener<'a, F> {
    on_message: &'a mut dyn FnMut(HelperMessage<F>),
    guard: Option<&'a mut Guard>,
    /// When an operation was last noted with the lock.
    noted: Instant,
    line: Vec<u8>,
    operation: Option<String>,
    begun: Instant,
    /// How long an operation may take.
    limit: Duration,
    stuck: Option<Stuck>,
    unreadable: Option<Unreadable>,
}

impl<'a, F: DeserializeOwned> Listener<'a, F> {
    fn new(
        limit: Duration,
        guard: Option<&'a mut Guard>,
        on_message: &'a mut dyn FnMut(HelperMessage<F>),
    ) -> Self {
        let (line, begun) = (Vec::new(), Instant::now());
        Listener {
            on_message,
            guard,
            noted: begun,
            line,
            operation: None,
            begun,
            limit,
            stuck: None,
            unreadable: None,
        }
    }

    /// Notes with the lock how it goes, for other runs; they know less where that fails.
    fn note(&mut self, note: impl FnOnce(&mut Guard) -> io::Result<()>) {
        if let Some(guard) = &mut self.guard {
            let _noted = note(guard);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // One more byte than there may be shows that it is too long.
        let room = (LONGEST_LINE + 1).saturating_sub(self.line.len());
        self.line.extend(bytes.iter().take(room));
    }

    fn end_line(&mut self) {
        match self.message() {
            Ok(message) => self.hear(message),
            Err(unreadable) => {
                self.unreadable.get_or_insert(unreadable);
            }
        }
        self.line.clear();
    }

    fn message(&self) -> Result<HelperMessage<F>, Unreadable> {
        if self.line.len() > LONGEST_LINE {
            return Err(Unreadable::new(&self.line, format!("it has more than {LONGEST_LINE} bytes")));
        }
        HelperMessage::from_line(&self.line)
    }

    fn hear(&mut self, message: HelperMessage<F>) {
        self.begun = Instant::now();
        if self.begun.duration_since(self.noted) > self.limit / NOTED {
            self.noted = self.begun;
            self.note(Guard::note_operation);
        }
        self.operation = match &message {
            HelperMessage::Progress(Progress::Begun(operation)) => Some(operation.clone()),
            HelperMessage::Progress(Progress::Done { .. } | Progress::Failed { .. }) => None,
            HelperMessage::Found(_) => self.operation.take(),
        };
        (self.on_message)(message);
    }

    /// Reads what a helper that died has left of a line.
    fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}

impl<F: DeserializeOwned> Sink for Listener<'_, F> {
    fn take(&mut self, _: Source, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.push(piece);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.begun.checked_add(self.limit).map_or(Deadline::NEVER, Deadline::from)
    }

    fn asked_to_end(&mut self) {
        let operation = self.operation.clone().unwrap_or_else(|| OUTSIDE.to_owned());
        self.stuck = Some(Stuck { operation, elapsed: self.begun.elapsed() });
    }
}
