//! A command whose output is read as it comes, and whose exit counts.

use std::io;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use process::{Cause, Deadline, Ending, Exit, Follow, Interrupt, Outputs, Sink, Timeouts, Wait};
use streamresult::{StreamResult, failure};
use subunit::{Event, Status, Timestamp};

/// Runs a command for the shell, in a process group of its own and without input, and hands on what it writes as it
/// comes; nothing of the group lives on.
///
/// # Errors
///
/// When it cannot be started or watched, the sink fails, or the reader of stdout has gone away. The command has been
/// ended then.
pub(crate) fn run(
    command: &str,
    outputs: Outputs,
    interrupt: &Interrupt,
    sink: &mut dyn Sink,
) -> anyhow::Result<Ending> {
    let wait = Wait { deadline: Deadline::NEVER, interrupt };
    let outlet = Some(rustix::stdio::stdout());
    let follow = Follow { outputs, outlet, ..Follow::new(wait, Timeouts::PRODUCER) };
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    let child = follow.start(&mut shell).with_context(|| format!("cannot run {command:?}"))?;
    Ok(child.to_the_end(sink)?)
}

/// Notes whether a test failed, to tell whether the command's exit adds anything.
pub(crate) struct FailureWatch<'a, P> {
    inner: &'a mut dyn StreamResult,
    is_test: P,
    has_failed: bool,
}

impl<'a, P: FnMut(&Event<'_>) -> bool> FailureWatch<'a, P> {
    /// Passes everything on to `inner`; only tests count.
    pub(crate) fn new(inner: &'a mut dyn StreamResult, is_test: P) -> Self {
        FailureWatch { inner, is_test, has_failed: false }
    }

    /// A failing test of this id when a signal ended the command, or an exit status says that something failed of
    /// which nothing was told. If we ended it, the test says so.
    pub(crate) fn tell_end(&mut self, id: &str, command: &str, end: &Ending) -> io::Result<()> {
        let why = match end.exit {
            Exit::Exited(0) => return Ok(()),
            _ if end.cause != Cause::Itself => " (ended because the conversion was to end)",
            Exit::Exited(_) if self.has_failed => return Ok(()),
            Exit::Exited(_) => ", though no test failed",
            _ => "",
        };
        let reason = format!("{}{why}: {command}\n", end.exit);
        self.inner.status(&Event { timestamp: Some(Timestamp::now()), ..failure(id, &reason) })
    }
}

impl<P: FnMut(&Event<'_>) -> bool> StreamResult for FailureWatch<'_, P> {
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

#[cfg(test)]
mod tests {
    use process::Source;

    use super::*;

    fn check(command: &str, outputs: Outputs, output: &str, outcome: Exit) {
        let mut taken = Vec::new();
        let end = run(command, outputs, &Interrupt::never(), &mut |source: Source, bytes: &[u8]| {
            if source == Source::Stderr {
                taken.extend_from_slice(b"stderr: ");
            }
            taken.extend_from_slice(bytes);
            Ok(())
        });
        let end = end.unwrap();
        assert_eq!((String::from_utf8_lossy(&taken).as_ref(), end.exit), (output, outcome));
        assert_eq!(end.cause, Cause::Itself);
    }

    #[test]
    fn both_outputs_come_in_the_order_of_writing() {
        check("echo a; echo b >&2; echo c; exit 3", Outputs::Merged, "a\nb\nc\n", Exit::Exited(3));
        let killed = Exit::Signalled { signal: 9, core: false };
        check("printf x; kill -9 $$", Outputs::Merged, "x", killed);
        check("cat", Outputs::Merged, "", Exit::Exited(0));
    }

    #[test]
    fn each_output_comes_by_itself() {
        check("echo a; sleep 0.2; echo b >&2", Outputs::Apart, "a\nstderr: b\n", Exit::Exited(0));
    }

    #[test]
    fn a_failure_to_take_output_ends_the_command() {
        let fails = &mut |_: Source, _: &[u8]| Err(io::Error::other("full"));
        let error = run("echo a; exec sleep 1000", Outputs::Apart, &Interrupt::never(), fails).unwrap_err();
        assert_eq!(error.to_string(), "full");
    }
}
