//! A command whose output and error output are read as one, in the order in which it writes them.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use cli::Interrupt;
use process::{Child, Deadline, Outcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;

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

/// Runs a command for the shell, in a process group of its own and without input, and hands on what it writes as it
/// comes; nothing of the group lives on.
///
/// # Errors
///
/// When it cannot be started or watched, `take` fails, or the reader of stdout has gone away. The command has been
/// ended then.
pub(crate) fn run_merged(
    command: &str,
    interrupt: &Interrupt,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> anyhow::Result<End> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    let mut child = {
        let mut shell = Command::new("sh");
        // With the command our copies of the writing end go away: then the output ends when the child's do.
        shell.args(["-c", command]).stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        Child::spawn(&mut shell).with_context(|| format!("cannot run {command:?}"))?
    };
    let mut output = Output { reader: Some(reader), block: vec![0; BLOCK] };
    let passed = output.pass(&mut child, interrupt, take);
    // Whatever happened, nothing of it lives on.
    let outcome = child.terminate(GRACE);
    let was_ended = passed?;
    let outcome = outcome.with_context(|| format!("cannot end {command:?}"))?;
    output.take_rest(take)?;
    Ok(End { outcome, was_ended })
}

/// What the command writes.
struct Output {
    /// Until its end.
    reader: Option<PipeReader>,
    block: Vec<u8>,
}

/// What there is to do.
#[derive(Clone, Copy)]
struct Ready {
    output: bool,
    has_ended: bool,
    is_interrupted: bool,
    has_reader_gone: bool,
}

impl Output {
    /// Reads until the command has ended and its output too, or this process is to end: then true.
    fn pass(
        &mut self,
        child: &mut Child,
        interrupt: &Interrupt,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut end = None;
        while end.is_none() || self.reader.is_some() {
            let ready = self.wait(child, end, interrupt)?;
            if ready.is_interrupted {
                return Ok(true);
            }
            if ready.has_reader_gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if ready.output {
                self.read(take)?;
            }
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
            (self.reader.as_ref().map(|pipe| pipe.as_fd()), PollFlags::IN),
            (exit, PollFlags::IN),
            (interrupt.wake(), PollFlags::IN),
            // Asked for nothing, it tells only that its reader has gone away.
            (Some(rustix::stdio::stdout()), PollFlags::empty()),
        ];
        let known = fds.iter().filter_map(|(fd, flags)| fd.map(|fd| PollFd::from_borrowed_fd(fd, *flags)));
        let mut polled: Vec<_> = known.collect();
        retry_on_intr(|| poll(&mut polled, timespec(limit).as_ref()))?;
        let mut answers = polled.iter().map(PollFd::revents);
        let [output, exit, wake, stdout] = fds.map(|(fd, _)| fd.and_then(|_| answers.next()));
        let is_ready = |flags: Option<PollFlags>| flags.is_some_and(|flags| !flags.is_empty());
        Ok(Ready {
            output: is_ready(output),
            has_ended: is_ready(exit),
            is_interrupted: is_ready(wake),
            has_reader_gone: stdout.is_some_and(|flags| flags.contains(PollFlags::ERR)),
        })
    }

    /// Reads what was written and not yet read. Somebody may have left the group, and go on writing.
    fn take_rest(&mut self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for _ in 0..REST {
            let Some(reader) = &self.reader else { break };
            let mut polled = [PollFd::new(reader, PollFlags::IN)];
            if retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())))? == 0 {
                break;
            }
            self.read(take)?;
        }
        Ok(())
    }

    fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        match reader.read(&mut self.block) {
            Ok(0) => self.reader = None,
            Ok(count) => take(self.block.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
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

    fn check(command: &str, output: &str, outcome: Outcome) {
        let mut taken = Vec::new();
        let end = run_merged(command, &Interrupt::never(), &mut |bytes| {
            taken.extend_from_slice(bytes);
            Ok(())
        });
        let end = end.unwrap();
        assert_eq!((String::from_utf8_lossy(&taken).as_ref(), end.outcome), (output, outcome));
        assert!(!end.was_ended);
    }

    #[test]
    fn both_outputs_come_in_the_order_of_writing() {
        check("echo a; echo b >&2; echo c; exit 3", "a\nb\nc\n", Outcome::Exited(3));
        check("printf x; kill -9 $$", "x", Outcome::Signalled { signal: 9, core: false });
        check("cat", "", Outcome::Exited(0));
    }

    #[test]
    fn a_failure_to_take_output_ends_the_command() {
        let fails = &mut |_: &[u8]| Err(io::Error::other("full"));
        let error = run_merged("echo a; exec sleep 1000", &Interrupt::never(), fails).unwrap_err();
        assert_eq!(error.to_string(), "full");
    }
}
