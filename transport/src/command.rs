//! The commands that transports run here, which end in time whatever hangs.

use std::process::Command;

use process::{Cause, ChildInput, Finished, Follow, Timeouts, Wait};

/// How many bytes of its output are kept.
const KEEP: usize = 64 << 10;

/// Why a node cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A signal came.
    Interrupted,
    /// It cannot be reached: why, and what the transport's program wrote to stderr.
    Failed { reason: String, stderr: String },
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Failure::Failed { reason: reason.into(), stderr: String::new() }
    }
}

/// Runs a command with this input to its end, which comes when the wait is over.
///
/// # Errors
///
/// When a signal came, or it cannot be run.
pub(super) fn run(command: &mut Command, input: &[u8], wait: Wait<'_>) -> Result<Finished, Failure> {
    let follow = Follow { input: Some(ChildInput::Bytes(input)), ..Follow::new(wait, Timeouts::PROBE) };
    match process::run(command, follow, KEEP) {
        Ok(finished) if finished.ending.cause == Cause::Interrupted => Err(Failure::Interrupted),
        Ok(finished) => Ok(finished),
        Err(error) => {
            let program = command.get_program();
            Err(Failure::new(format!("cannot run {}: {error}", program.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use process::{Deadline, Exit};

    use super::*;

    fn sh(script: &str, input: &[u8], time: Duration) -> Result<Finished, Failure> {
        run(Command::new("sh").args(["-c", script]), input, Wait::until(Deadline::after(time)))
    }

    #[test]
    fn a_command_has_its_input_and_gives_its_outputs() {
        let done = sh("cat; echo no >&2; exit 3", b"yes", Duration::from_secs(5)).ok().unwrap();
        assert_eq!((done.stdout.text().as_str(), done.stderr.text().as_str()), ("yes", "no\n"));
        assert_eq!((done.ending.exit, done.ending.cause), (Exit::Exited(3), Cause::Itself));
    }

    #[test]
    fn what_hangs_is_ended() {
        let begin = Instant::now();
        let done = sh("echo begun; trap '' TERM; kill -STOP $$; sleep 9", b"", Duration::from_millis(200));
        let done = done.ok().unwrap();
        assert_eq!((done.ending.cause, done.stdout.text().as_str()), (Cause::TimedOut, "begun\n"));
        assert!(begin.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_missing_program_is_named() {
        let found = run(&mut Command::new("no-such-ssh"), b"", Wait::FOREVER);
        let Err(Failure::Failed { reason, .. }) = found else { panic!("it ran") };
        assert!(reason.starts_with("cannot run no-such-ssh: "), "{reason}");
    }
}
