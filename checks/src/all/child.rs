//! The process that checks a target: started, followed and ended in time.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use process::Interrupt;
use process::{Captured, Child, Deadline, Outcome, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use subunit::io::Reader;
use subunit::{Frame, Packet, PacketBuf, Status};

use super::SELF;

/// How much later than its time a process may end by itself.
const TOLERANCE: Duration = Duration::from_millis(400);
/// The time between asking it to end and killing it, when it is late.
const GRACE: Duration = Duration::from_millis(300);
/// The same when a signal came: what was made has to be removed.
const CLEANING: Duration = Duration::from_secs(6);
/// How long SIGKILL is given.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often to look for what no descriptor tells.
const SLICE: Duration = Duration::from_millis(100);
/// Bytes of errors, and of what is no subunit, that are kept.
const KEEP: usize = 8 << 10;

/// What is to be started.
#[derive(Debug)]
pub(super) struct Job {
    /// The program with its arguments.
    pub(super) command: Command,
    /// Its name, for people.
    pub(super) called: String,
    pub(super) input: Input,
    /// The ids of the tests to run.
    pub(super) tests: BTreeSet<String>,
    /// When it must have ended.
    pub(super) deadline: Deadline,
}

/// What the process reads.
#[derive(Debug)]
pub(super) enum Input {
    /// The tests to run, one a line.
    Tests,
    /// This, and then nothing for as long as it shall go on: it is the way to a process elsewhere, and the end of
    /// its input is the only thing that is sure to come through.
    Request {
        request: Vec<u8>,
        /// Where the other process is.
        place: String,
    },
}

/// How a process ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// What is wrong with that, if anything.
    pub(super) fault: Option<String>,
    /// Whether it ended because we were asked to.
    pub(super) interrupted: bool,
    /// What it said besides its results.
    pub(super) stderr: String,
    /// What it wrote among its results that is no subunit.
    pub(super) damage: Option<Damage>,
}

/// What is no subunit in a stream.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    /// Where it begins and what it is.
    pub(super) words: String,
    /// Its bytes, as text.
    pub(super) text: String,
}

impl Job {
    /// A check here: this program under another name.
    pub(super) fn here(
        program: &Path,
        check: &'static str,
        args: &[OsString],
        tests: BTreeSet<String>,
        deadline: Deadline,
    ) -> Self {
        let called = format!("check-{check}");
        let mut command = Command::new(program);
        command.arg0(&called).args(args).env(SELF, check);
        Job { command, called, input: Input::Tests, tests, deadline }
    }

    /// Runs it to its end, and hands its packets on.
    pub(super) fn run(self, interrupt: &Interrupt, on_packet: impl FnMut(PacketBuf)) -> Ended {
        let called = self.called.clone();
        match self.start() {
            Ok(mut follow) => match follow.follow(interrupt, on_packet) {
                Ok(ending) => follow.ended(ending),
                Err(error) => Ended::broken(format!("cannot follow {called}: {error}")),
            },
            Err(error) => Ended::broken(format!("cannot start {called}: {error}")),
        }
    }

    fn start(mut self) -> io::Result<Follow> {
        let stdin = match &self.input {
            Input::Tests => Stdio::from(list(&self.tests)?),
            Input::Request { .. } => Stdio::piped(),
        };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(&mut self.command)?;
        let far = match self.input {
            Input::Tests => None,
            Input::Request { request, place } => Some(Far::new(child.take_stdin(), request, place)?),
        };
        let missing = || io::Error::other("it has no pipe");
        let stdout = child.take_stdout().ok_or_else(missing)?;
        let stderr = child.take_stderr().ok_or_else(missing)?;
        unblock(stdout.as_fd())?;
        unblock(stderr.as_fd())?;
        let stream =
            Reader::new(Source { pipe: stdout, at_end: Cell::new(false), is_over: Cell::new(false) });
        Ok(Follow {
            child,
            far,
            stream,
            stderr: Some(stderr),
            errors: Captured::new(KEEP),
            damage: None,
            unended: self.tests,
            called: self.called,
            deadline: self.deadline,
        })
    }
}

/// A file with these lines that has no name.
fn list(tests: &BTreeSet<String>) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    for id in tests {
        writeln!(file, "{id}")?;
    }
    file.rewind()?;
    Ok(file)
}

fn unblock(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?)
}

impl Ended {
    pub(super) fn broken(fault: String) -> Self {
        Ended { fault: Some(fault), ..Ended::default() }
    }
}

/// A process elsewhere, to which the one that is followed is only the way.
struct Far {
    place: String,
    /// Its input ends when this is dropped.
    line: Option<Sender<()>>,
}

impl Far {
    /// Sends the request, by a thread of its own: what hangs may not take it.
    fn new(stdin: Option<ChildStdin>, request: Vec<u8>, place: String) -> io::Result<Self> {
        let (line, end) = channel::<()>();
        let send = move || {
            let Some(mut stdin) = stdin else { return };
            // Why it was not taken is what the process itself tells.
            let _sent = stdin.write_all(&request).and_then(|()| stdin.flush());
            let _end = end.recv();
        };
        thread::Builder::new().name("request".to_owned()).spawn(send)?;
        Ok(Far { place, line: Some(line) })
    }
}

/// The process's output. Nobody waits for its end when the process has ended: others may hold it open.
struct Source {
    pipe: ChildStdout,
    /// Whether the process has ended.
    at_end: Cell<bool>,
    /// Whether the pipe has.
    is_over: Cell<bool>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.pipe.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.at_end.get() => Ok(0),
            Ok(0) => {
                self.is_over.set(true);
                Ok(0)
            }
            read => read,
        }
    }
}

struct Follow {
    child: Child,
    far: Option<Far>,
    stream: Reader<Source>,
    stderr: Option<ChildStderr>,
    errors: Captured,
    damage: Option<(String, Captured)>,
    /// The tests that have no result yet.
    unended: BTreeSet<String>,
    called: String,
    deadline: Deadline,
}

/// How it came to an end.
struct Ending {
    outcome: Outcome,
    cause: Cause,
}

enum Cause {
    Itself,
    Interrupted,
    /// It was late; what it was at then.
    Late(String),
}

impl Follow {
    fn follow(&mut self, interrupt: &Interrupt, mut on_packet: impl FnMut(PacketBuf)) -> io::Result<Ending> {
        let mut end =
            Deadline::after(self.deadline.remaining().unwrap_or(Duration::MAX).saturating_add(TOLERANCE));
        let mut cause = Cause::Itself;
        let mut may_clean = true;
        loop {
            let wake = interrupt.wake().filter(|_| matches!(cause, Cause::Itself));
            self.wait(wake, end)?;
            self.read(&mut on_packet)?;
            if let Some(outcome) = self.child.try_wait()? {
                self.finish(&mut on_packet)?;
                return Ok(Ending { outcome, cause });
            }
            if matches!(cause, Cause::Itself) && interrupt.has_come() {
                (cause, end) = (Cause::Interrupted, self.ask_to_end(CLEANING)?);
            } else if end.has_passed() {
                match cause {
                    // All is told, and what was made is being removed.
                    Cause::Itself if self.unended.is_empty() && may_clean => {
                        may_clean = false;
                        end = Deadline::after(CLEANING);
                    }
                    Cause::Itself => {
                        cause = Cause::Late(self.child.state().summary());
                        end = self.ask_to_end(GRACE)?;
                    }
                    _ => {
                        let outcome = self.child.kill(PATIENCE)?;
                        self.finish(&mut on_packet)?;
                        return Ok(Ending { outcome, cause });
                    }
                }
            }
        }
    }

    fn ask_to_end(&mut self, grace: Duration) -> io::Result<Deadline> {
        if let Some(far) = &mut self.far {
            // The other side ends its check, whose last words still come through.
            far.line = None;
            return Ok(Deadline::after(grace));
        }
        self.child.signal(Signal::TERM)?;
        self.child.signal(Signal::CONT)?;
        Ok(Deadline::after(grace))
    }

    /// Waits until there is something to read, the process ends, or `wake` can be read.
    fn wait(&self, wake: Option<BorrowedFd<'_>>, end: Deadline) -> io::Result<()> {
        let source = self.stream.get_ref();
        let stdout = (!source.is_over.get()).then(|| source.pipe.as_fd());
        let stderr = self.stderr.as_ref().map(AsFd::as_fd);
        let exit = self.child.exit_fd();
        let slice = if exit.is_some() { Deadline::NEVER } else { Deadline::after(SLICE) };
        let fds = [stdout, stderr, exit, wake].into_iter().flatten();
        let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let left = end.earlier(slice).remaining().map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads once what is there.
    fn read(&mut self, on_packet: &mut impl FnMut(PacketBuf)) -> io::Result<bool> {
        self.read_errors()?;
        let more = match self.stream.fill() {
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => return Err(error),
        };
        let Follow { stream, damage, unended, .. } = self;
        loop {
            let offset = stream.offset();
            let (words, bytes) = match stream.buffered_frame() {
                None => return Ok(more),
                Some(Frame::Packet(packet)) => {
                    note(&packet, unended);
                    on_packet(packet.to_owned());
                    continue;
                }
                Some(Frame::Text(bytes)) => ("text".to_owned(), bytes),
                Some(Frame::Corrupt(bytes, error)) => (error.to_string(), bytes),
            };
            let new = || (format!("at byte {offset}: {words}"), Captured::new(KEEP));
            damage.get_or_insert_with(new).1.push(bytes);
        }
    }

    fn read_errors(&mut self) -> io::Result<()> {
        let mut block = [0; 4096];
        let Some(pipe) = &mut self.stderr else { return Ok(()) };
        match pipe.read(&mut block) {
            Ok(0) => self.stderr = None,
            Ok(count) => self.errors.push(block.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads what is left when the process has ended, and ends what it left behind in its group.
    fn finish(&mut self, on_packet: &mut impl FnMut(PacketBuf)) -> io::Result<()> {
        let _all_ended = self.child.kill(PATIENCE);
        self.stream.get_ref().at_end.set(true);
        // As much as a large pipe holds: whoever holds it open may go on writing for ever.
        for _ in 0..64 {
            if !self.read(on_packet)? {
                break;
            }
        }
        Ok(())
    }

    fn ended(&self, Ending { outcome, cause }: Ending) -> Ended {
        let stderr = self.errors.text().trim_end().to_owned();
        let interrupted = matches!(cause, Cause::Interrupted);
        let called = &self.called;
        let fault = match (cause, &outcome) {
            (Cause::Late(state), _) => {
                Some(format!("{called} did not end in its time and was ended: {state}"))
            }
            (_, Outcome::Exited(0 | 1 | 4)) => None,
            (_, Outcome::Exited(126 | 127)) if self.far.is_some() => {
                let said = self.damage.as_ref().map(|(_, kept)| kept.text()).unwrap_or_default();
                let said =
                    [stderr.as_str(), said.as_str()].into_iter().find_map(last_line).unwrap_or_default();
                self.far.as_ref().map(|far| format!("{} does not run the program: {said}", far.place))
            }
            (_, Outcome::Exited(255)) if self.far.is_some() => self.far.as_ref().map(|far| far.lost(&stderr)),
            (Cause::Interrupted, Outcome::Exited(129 | 130 | 143)) => None,
            (Cause::Interrupted, Outcome::Signalled { signal: 9, .. }) => {
                Some(format!("{called} was asked to end, did not, and was killed"))
            }
            _ => {
                let line = stderr.lines().next_back().unwrap_or_default();
                let colon = if line.is_empty() { "" } else { ": " };
                Some(format!("{called} ended by {outcome}{colon}{line}"))
            }
        };
        let damage = self.damage.as_ref();
        let damage = damage.map(|(words, kept)| Damage { words: words.clone(), text: kept.text() });
        Ended { fault, interrupted, stderr, damage }
    }
}

impl Far {
    /// What it means that the way there failed.
    fn lost(&self, stderr: &str) -> String {
        let words = last_line(stderr).unwrap_or("without a word: the check may have been killed there");
        format!("the connection to {} was lost: {words}", self.place)
    }
}

/// The last line in which something is said.
pub(super) fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

/// Notes a result.
fn note(packet: &Packet<'_>, unended: &mut BTreeSet<String>) {
    let is_result = |status: Status| status.is_final() && status != Status::Exists;
    let id = packet.test_id().filter(|_| packet.status().is_some_and(is_result));
    if let Some(id) = id {
        unended.remove(id);
    }
}
