//! Commands: those that are run at a place, and those that transports run here, which end in time whatever hangs.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

use process::{Cause, ChildInput, Finished, Follow, Timeouts, Wait};

use super::NodeFailure;

/// How many bytes of its output are kept.
const KEEP: usize = 64 << 10;

/// A command to be run at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCommand {
    /// The program: a path there.
    pub program: String,
    /// What it is called in lists of processes, where the transport can say so.
    pub called: String,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl NodeCommand {
    /// A program there, without arguments.
    pub fn new(program: impl Into<String>) -> Self {
        let program = program.into();
        NodeCommand { called: program.clone(), program, args: Vec::new() }
    }

    /// The same, with one argument more.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The same, called so in lists of processes.
    #[must_use]
    pub fn called(self, name: impl Into<String>) -> Self {
        NodeCommand { called: name.into(), ..self }
    }

    /// That its process here could not be started.
    pub(crate) fn not_started(&self, error: &dyn fmt::Display) -> NodeFailure {
        NodeFailure::new(format!("cannot start {}: {error}", self.called))
    }

    /// As one line that any shell takes apart again into these words.
    pub(crate) fn shell_line(&self) -> OsString {
        let words =
            std::iter::once(OsStr::new(&self.program)).chain(self.args.iter().map(OsString::as_os_str));
        let words: Vec<_> = words.map(|word| process::shell_bytes(word.as_bytes())).collect();
        OsString::from_vec(words.join(&b' '))
    }
}

/// Runs a command with this input to its end, which comes when the wait is over.
///
/// # Errors
///
/// When a signal came, or it cannot be run.
pub(crate) fn run(command: &mut Command, input: &[u8], wait: Wait<'_>) -> Result<Finished, NodeFailure> {
    let input = Some(ChildInput::Bytes(input.into()));
    let follow = Follow { input, ..Follow::new(wait, Timeouts::PROBE) };
    run_keeping(command, follow, KEEP)
}

/// The same, followed so, with this many bytes of each of its outputs.
///
/// # Errors
///
/// When a signal came, or it cannot be run.
pub(crate) fn run_keeping(
    command: &mut Command,
    follow: Follow<'_>,
    keep: usize,
) -> Result<Finished, NodeFailure> {
    match process::run(command, follow, keep) {
        Ok(finished) if finished.ending.cause == Cause::Interrupted => Err(NodeFailure::Interrupted),
        Ok(finished) => Ok(finished),
        Err(error) => {
            let program = command.get_program();
            Err(NodeFailure::new(format!("cannot run {}: {error}", program.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use process::{Deadline, Exit};

    use super::*;

    fn sh(script: &str, input: &[u8], time: Duration) -> Result<Finished, NodeFailure> {
        run(Command::new("sh").args(["-c", script]), input, Wait::until(Deadline::after(time)))
    }

    #[test]
    fn a_command_has_its_input_and_gives_its_outputs() {
        let done = sh("cat; echo no >&2; exit 3", b"yes", Duration::from_secs(5)).unwrap();
        assert_eq!((done.stdout.text().as_str(), done.stderr.text().as_str()), ("yes", "no\n"));
        assert_eq!((done.ending.exit, done.ending.cause), (Exit::Exited(3), Cause::Itself));
    }

    #[test]
    fn what_hangs_is_ended() {
        let done = sh("echo begun; trap '' TERM; kill -STOP $$; sleep 9", b"", Duration::from_millis(200));
        let done = done.unwrap();
        assert_eq!((done.ending.cause, done.stdout.text().as_str()), (Cause::TimedOut, "begun\n"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let found = run(&mut Command::new("no-such-ssh"), b"", Wait::FOREVER);
        let Err(NodeFailure::Failed { reason, .. }) = found else { panic!("it ran") };
        assert!(reason.starts_with("cannot run no-such-ssh: "), "{reason}");
    }

    #[test]
    fn a_shell_takes_a_line_apart_into_the_words() {
        let check = |words: &[&str]| {
            let mut command = NodeCommand::new("printf").arg("%s|");
            command.args.extend(words.iter().map(OsString::from));
            let line = command.shell_line();
            let done = run(Command::new("sh").arg("-c").arg(&line), b"", Wait::FOREVER).unwrap();
            assert_eq!(
                done.stdout.text(),
                words.iter().map(|word| format!("{word}|")).collect::<String>(),
                "{line:?}"
            );
        };
        check(&["plain", "--option=a/b", ""]);
        check(&["a b", "it's", "''", "$HOME", "`x`", "a\\b", "new\nline", "*", "~", "!", "é"]);
    }
}
