//! A command that writes TAP: it is run, read as it goes, and its end counts.

use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use cli::Interrupt;
use formats::lines::Lines;
use formats::tap::Parser;
use process::{Child, Deadline, Outcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use streamresult::StreamResult;
use subunit::{Event, File, Status, Timestamp};

/// The time between SIGTERM and SIGKILL, and for what the command leaves running to let go of its output.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait at a time for an end that no descriptor announces.
const WITHOUT_PIDFD: Duration = Duration::from_millis(20);
const TEXT_TYPE: &str = "text/plain;charset=utf8";

/// Runs a command for the shell and reads its output as TAP, to the end of both.
///
/// # Errors
///
/// When it cannot be started or watched, or the sink fails. It has been ended then.
pub(super) fn run(
    command: &str,
    prefix: &str,
    lines: &mut Lines<Parser>,
    interrupt: &Interrupt,
    sink: &mut dyn StreamResult,
) -> anyhow::Result<()> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Child::spawn(&mut shell).with_context(|| format!("cannot run {command:?}"))?;
    let mut sink = Watched { inner: sink, has_failed: false };
    let mut pipes = Pipes {
        stdout: child.take_stdout(),
        stderr: child.take_stderr(),
        block: vec![0; super::BLOCK],
        interrupt,
    };
    let passed = pipes.pass(&mut child, lines, &mut sink);
    // Whatever happened, nothing of it lives on.
    let outcome = child.terminate(GRACE);
    let was_ended = passed?;
    let outcome = outcome.with_context(|| format!("cannot end {command:?}"))?;
    pipes.take_what_is_there(lines, &mut sink)?;
    lines.finish(&mut sink)?;
    let why = match (&outcome, was_ended) {
        (Outcome::Exited(0), _) => return Ok(()),
        (Outcome::Exited(_), false) if sink.has_failed => return Ok(()),
        (Outcome::Exited(_), false) => ", though no test failed",
        (_, false) => "",
        (_, true) => " (ended because tap2subunit was to end)",
    };
    fail(prefix, &format!("{outcome}{why}: {command}\n"), &mut sink)?;
    Ok(())
}

fn fail(prefix: &str, reason: &str, sink: &mut dyn StreamResult) -> io::Result<()> {
    let id = if prefix.is_empty() { "tap2subunit".to_owned() } else { format!("{prefix}/tap2subunit") };
    sink.status(&Event {
        file: Some(File { name: "reason", bytes: reason.as_bytes() }),
        mime_type: Some(TEXT_TYPE),
        eof: true,
        runnable: false,
        timestamp: Some(Timestamp::now()),
        ..Event::status(&id, Status::Fail)
    })
}

/// Notes whether a test failed.
struct Watched<'a> {
    inner: &'a mut dyn StreamResult,
    has_failed: bool,
}

impl StreamResult for Watched<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        // What the reader itself says of the document is no test.
        let is_told_by_reader = event.file.is_some_and(|file| file.name == "tap meta");
        self.has_failed |= event.status.is_some_and(Status::is_failure) && !is_told_by_reader;
        self.inner.status(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What the command writes.
struct Pipes<'a> {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    block: Vec<u8>,
    interrupt: &'a Interrupt,
}

/// What there is to do.
#[derive(Default)]
struct Ready {
    stdout: bool,
    stderr: bool,
    has_ended: bool,
    is_interrupted: bool,
    has_reader_gone: bool,
}

impl Pipes<'_> {
    /// Reads until the command has ended and its output too, or this process is to end: then true.
    fn pass(
        &mut self,
        child: &mut Child,
        lines: &mut Lines<Parser>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<bool> {
        let mut end = None;
        while end.is_none() || self.stdout.is_some() || self.stderr.is_some() {
            let ready = self.wait(child, end)?;
            if ready.is_interrupted {
                return Ok(true);
            }
            if ready.has_reader_gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.read(&ready, lines, sink)?;
            if end.is_none() && (ready.has_ended || child.try_wait()?.is_some()) {
                end = Some(Deadline::after(GRACE));
            }
            if end.is_some_and(Deadline::has_passed) {
                break;
            }
        }
        Ok(false)
    }

    /// Reads what was written and not yet read, when nobody is to write any more.
    fn take_what_is_there(
        &mut self,
        lines: &mut Lines<Parser>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        // As much as a pipe holds: somebody may have left the group, and go on writing.
        for _ in 0..32 {
            let fds = [
                self.stdout.as_ref().map(|pipe| pipe.as_fd()),
                self.stderr.as_ref().map(|pipe| pipe.as_fd()),
            ];
            let mut polled: Vec<_> =
                fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
            retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())))?;
            let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
            let [stdout, stderr] = fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false));
            if !stdout && !stderr {
                break;
            }
            self.read(&Ready { stdout, stderr, ..Ready::default() }, lines, sink)?;
        }
        Ok(())
    }

    fn wait(&self, child: &Child, end: Option<Deadline>) -> io::Result<Ready> {
        let exit = child.exit_fd().filter(|_| end.is_none());
        let limit = match end {
            Some(end) => end,
            None if exit.is_some() => Deadline::NEVER,
            None => Deadline::after(WITHOUT_PIDFD),
        };
        let own_output = rustix::stdio::stdout();
        let fds = [
            (self.stdout.as_ref().map(|pipe| pipe.as_fd()), PollFlags::IN),
            (self.stderr.as_ref().map(|pipe| pipe.as_fd()), PollFlags::IN),
            (exit, PollFlags::IN),
            (self.interrupt.wake(), PollFlags::IN),
            // Asked for nothing, it tells only that its reader has gone away.
            (Some(own_output), PollFlags::empty()),
        ];
        let known = fds.iter().filter_map(|(fd, flags)| fd.map(|fd| PollFd::from_borrowed_fd(fd, *flags)));
        let mut polled: Vec<_> = known.collect();
        retry_on_intr(|| poll(&mut polled, timespec(limit).as_ref()))?;
        let mut answers = polled.iter().map(PollFd::revents);
        let [stdout, stderr, exit, wake, own_output] = fds.map(|(fd, _)| fd.and_then(|_| answers.next()));
        let is_ready = |flags: Option<PollFlags>| flags.is_some_and(|flags| !flags.is_empty());
        Ok(Ready {
            stdout: is_ready(stdout),
            stderr: is_ready(stderr),
            has_ended: is_ready(exit),
            is_interrupted: is_ready(wake),
            has_reader_gone: own_output.is_some_and(|flags| flags.contains(PollFlags::ERR)),
        })
    }

    fn read(
        &mut self,
        ready: &Ready,
        lines: &mut Lines<Parser>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        if ready.stdout {
            let bytes = take(&mut self.stdout, &mut self.block)?;
            lines.feed(bytes, sink)?;
        }
        if ready.stderr {
            let bytes = take(&mut self.stderr, &mut self.block)?;
            if !bytes.is_empty() {
                // In the order of arrival.
                lines.flush(sink)?;
                let timestamp = Some(Timestamp::now());
                sink.status(&Event {
                    mime_type: Some(TEXT_TYPE),
                    timestamp,
                    ..Event::file("stderr", bytes)
                })?;
            }
        }
        if ready.stdout || ready.stderr { lines.flush(sink) } else { Ok(()) }
    }
}

/// Reads once from a pipe, and lets go of it at its end.
fn take<'a>(pipe: &mut Option<impl Read>, block: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let Some(reader) = pipe else { return Ok(&[]) };
    loop {
        match reader.read(block) {
            Ok(count) => {
                if count == 0 {
                    *pipe = None;
                }
                return Ok(block.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn timespec(deadline: Deadline) -> Option<Timespec> {
    let left = deadline.remaining()?;
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Some(Timespec { tv_sec: seconds, tv_nsec: left.subsec_nanos().into() })
}
