//! A command whose output is read as it goes, and whose end counts.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use process::{Child, Deadline, Interrupt, Outcome, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use streamresult::StreamResult;
use subunit::{Event, Status, TEXT_TYPE, Timestamp};

/// The time between SIGTERM and SIGKILL, and for what the command leaves running to let go of its output.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait at a time for an end that no descriptor announces.
const WITHOUT_PIDFD: Duration = Duration::from_millis(20);
/// How much is read at a time.
const BLOCK: usize = 64 * 1024;
/// As many blocks as a pipe may hold are read from it when nobody is to write any more.
const REST: usize = 32;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    /// Whether it was ended because this process is to end.
    pub(crate) was_ended: bool,
}

/// How the output and the error output of a command are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// Each by itself.
    Apart,
    /// As one, [`Source::Stdout`], in the order in which it is written.
    Merged,
}

/// Runs a command for the shell, in a process group of its own and without input, and hands on what it writes as it
/// comes; nothing of the group lives on.
///
/// # Errors
///
/// When it cannot be started or watched, `take` fails, or the reader of stdout has gone away. The command has been
/// ended then.
pub(crate) fn run(
    command: &str,
    outputs: Outputs,
    interrupt: &Interrupt,
    take: &mut Take<'_>,
) -> anyhow::Result<End> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    let (mut child, pipes) = spawn(&mut shell, outputs).with_context(|| format!("cannot run {command:?}"))?;
    drop(shell);
    let mut output = Output { pipes, block: vec![0; BLOCK] };
    let passed = output.pass(&mut child, interrupt, take);
    // Whatever happened, nothing of it lives on.
    let outcome = child.terminate(GRACE);
    let was_ended = passed?;
    let outcome = outcome.with_context(|| format!("cannot end {command:?}"))?;
    output.take_rest(take)?;
    Ok(End { outcome, was_ended })
}

/// What takes what a command writes.
type Take<'t> = dyn FnMut(Source, &[u8]) -> io::Result<()> + 't;

fn spawn(shell: &mut Command, outputs: Outputs) -> io::Result<(Child, [Option<File>; 2])> {
    if outputs == Outputs::Apart {
        let mut child = Child::spawn(shell.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let stdout = child.take_stdout().map(|pipe| OwnedFd::from(pipe).into());
        let stderr = child.take_stderr().map(|pipe| OwnedFd::from(pipe).into());
        return Ok((child, [stdout, stderr]));
    }
    let (reader, writer) = io::pipe()?;
    let child = Child::spawn(shell.stdout(writer.try_clone()?).stderr(writer))?;
    Ok((child, [Some(OwnedFd::from(reader).into()), None]))
}

/// What the command writes.
struct Output {
    /// Its output and its error output, each until its end.
    pipes: [Option<File>; 2],
    block: Vec<u8>,
}

/// What there is to do.
#[derive(Clone, Copy)]
struct Ready {
    pipes: [bool; 2],
    has_ended: bool,
    is_interrupted: bool,
    has_reader_gone: bool,
}

impl Output {
    /// Reads until the command has ended and its output too, or this process is to end: then true.
    fn pass(&mut self, child: &mut Child, interrupt: &Interrupt, take: &mut Take<'_>) -> io::Result<bool> {
        let mut end = None;
        while end.is_none() || self.pipes.iter().any(Option::is_some) {
            let ready = self.wait(child, end, interrupt)?;
            if ready.is_interrupted {
                return Ok(true);
            }
            if ready.has_reader_gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.read(ready.pipes, take)?;
            if end.is_none() && (ready.has_ended || child.try_wait()?.is_some()) {
                end = Some(Deadline::after(GRACE));
            }
            if end.is_some_and(Deadline::has_passed) {
                break;
            }
        }
        Ok(false)
    }

    fn wait(&self, child: &Child, end: Option<Deadline>, interrupt: &Interrupt) -> io::Result<Ready> {
        let exit = child.exit_fd().filter(|_| end.is_none());
        let limit = match end {
            Some(end) => end,
            None if exit.is_some() => Deadline::NEVER,
            None => Deadline::after(WITHOUT_PIDFD),
        };
        let fds = [
            (self.pipes[0].as_ref().map(|pipe| pipe.as_fd()), PollFlags::IN),
            (self.pipes[1].as_ref().map(|pipe| pipe.as_fd()), PollFlags::IN),
            (exit, PollFlags::IN),
            (interrupt.wake(), PollFlags::IN),
            // Asked for nothing, it tells only that its reader has gone away.
            (Some(rustix::stdio::stdout()), PollFlags::empty()),
        ];
        let known = fds.iter().filter_map(|(fd, flags)| fd.map(|fd| PollFd::from_borrowed_fd(fd, *flags)));
        let mut polled: Vec<_> = known.collect();
        retry_on_intr(|| poll(&mut polled, timespec(limit).as_ref()))?;
        let mut answers = polled.iter().map(PollFd::revents);
        let [output, errors, exit, wake, stdout] = fds.map(|(fd, _)| fd.and_then(|_| answers.next()));
        let is_ready = |flags: Option<PollFlags>| flags.is_some_and(|flags| !flags.is_empty());
        Ok(Ready {
            pipes: [is_ready(output), is_ready(errors)],
            has_ended: is_ready(exit),
            is_interrupted: is_ready(wake),
            has_reader_gone: stdout.is_some_and(|flags| flags.contains(PollFlags::ERR)),
        })
    }

    /// Reads what was written and not yet read. Somebody may have left the group, and go on writing.
    fn take_rest(&mut self, take: &mut Take<'_>) -> io::Result<()> {
        for _ in 0..REST {
            let fds = self.pipes.each_ref().map(|pipe| pipe.as_ref().map(|pipe| pipe.as_fd()));
            let mut polled: Vec<_> =
                fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
            if retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())))? == 0 {
                break;
            }
            let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
            let ready = fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false));
            self.read(ready, take)?;
        }
        Ok(())
    }

    fn read(&mut self, ready: [bool; 2], take: &mut Take<'_>) -> io::Result<()> {
        let sources = [Source::Stdout, Source::Stderr];
        for ((pipe, is_ready), source) in self.pipes.iter_mut().zip(ready).zip(sources) {
            let Some(reader) = pipe.as_mut().filter(|_| is_ready) else { continue };
            match reader.read(&mut self.block) {
                Ok(0) => *pipe = None,
                Ok(count) => take(source, self.block.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Notes whether a test failed, so that it can be told whether the command's end says more.
pub(crate) struct Watched<'a, P> {
    inner: &'a mut dyn StreamResult,
    is_test: P,
    has_failed: bool,
}

impl<'a, P: FnMut(&Event<'_>) -> bool> Watched<'a, P> {
    /// Of what passes on to `inner`, only what is a test counts.
    pub(crate) fn new(inner: &'a mut dyn StreamResult, is_test: P) -> Self {
        Watched { inner, is_test, has_failed: false }
    }

    /// A failing test of this id when a signal ended the command, or an exit status says that something failed of
    /// which nothing was told. Where it was us who ended it, that is said.
    pub(crate) fn tell_end(&mut self, id: &str, command: &str, end: &End) -> io::Result<()> {
        let why = match end.outcome {
            Outcome::Exited(0) => return Ok(()),
            _ if end.was_ended => " (ended because the conversion was to end)",
            Outcome::Exited(_) if self.has_failed => return Ok(()),
            Outcome::Exited(_) => ", though no test failed",
            _ => "",
        };
        let reason = format!("{}{why}: {command}\n", end.outcome);
        self.inner.status(&Event {
            file: Some(subunit::File { name: "reason", bytes: reason.as_bytes() }),
            mime_type: Some(TEXT_TYPE),
            eof: true,
            runnable: false,
            timestamp: Some(Timestamp::now()),
            ..Event::status(id, Status::Fail)
        })
    }
}

impl<P: FnMut(&Event<'_>) -> bool> StreamResult for Watched<'_, P> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.has_failed |= event.status.is_some_and(Status::is_failure) && (self.is_test)(event);
        self.inner.status(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.inner.stop_run()
    }
}

fn timespec(deadline: Deadline) -> Option<Timespec> {
    let left = deadline.remaining()?;
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Some(Timespec { tv_sec: seconds, tv_nsec: left.subsec_nanos().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, outputs: Outputs, output: &str, outcome: Outcome) {
        let mut taken = Vec::new();
        let end = run(command, outputs, &Interrupt::never(), &mut |source, bytes| {
            if source == Source::Stderr {
                taken.extend_from_slice(b"stderr: ");
            }
            taken.extend_from_slice(bytes);
            Ok(())
        });
        let end = end.unwrap();
        assert_eq!((String::from_utf8_lossy(&taken).as_ref(), end.outcome), (output, outcome));
        assert!(!end.was_ended);
    }

    #[test]
    fn both_outputs_come_in_the_order_of_writing() {
        check("echo a; echo b >&2; echo c; exit 3", Outputs::Merged, "a\nb\nc\n", Outcome::Exited(3));
        let killed = Outcome::Signalled { signal: 9, core: false };
        check("printf x; kill -9 $$", Outputs::Merged, "x", killed);
        check("cat", Outputs::Merged, "", Outcome::Exited(0));
    }

    #[test]
    fn each_output_comes_by_itself() {
        check("echo a; sleep 0.2; echo b >&2", Outputs::Apart, "a\nstderr: b\n", Outcome::Exited(0));
    }

    #[test]
    fn a_failure_to_take_output_ends_the_command() {
        let fails = &mut |_: Source, _: &[u8]| Err(io::Error::other("full"));
        let error = run("echo a; exec sleep 1000", Outputs::Apart, &Interrupt::never(), fails).unwrap_err();
        assert_eq!(error.to_string(), "full");
    }
}
