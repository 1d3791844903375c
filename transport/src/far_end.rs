//! The far end: runs the check that it is asked for, as long as whoever asked is still there.
//!
//! Whoever asked holds the other end of the input, whatever is between: ssh, or an engine. When that ends the check
//! is ended, too. Nothing but the outputs of the check is on the outputs, and what hangs here does not hold them
//! open: it has pipes of this process, which ends in its time.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use process::timeouts::CLEANING;
use process::{Cause, Deadline, Exit, Follow, Interrupt, Sink, Source, Timeouts, Wait};
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

use super::request::{Argument, Request, Value};
use super::state::StateCopy;
use super::{ARGUMENTS, LOST};
use crate::all::PROGRAM;
use crate::all::registry::Entry;

/// How long the request may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request.
const MOST: u64 = 64 << 20;
/// What one write may have to fit into a pipe that has room.
const PIPE_BUF: usize = 4096;
/// The exit code for what goes wrong at this end.
const FAILED: u8 = 3;

pub(super) fn main() -> ExitCode {
    let interrupt = Interrupt::watch().unwrap_or_default();
    match request(&interrupt).and_then(|request| run(&request, &interrupt)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _told = writeln!(io::stderr(), "{error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Removes this program, and its folder when there is nothing else in it.
pub(super) fn remove() -> ExitCode {
    let removed = env::current_exe().and_then(|path| {
        fs::remove_file(&path)?;
        // Another one may be in it.
        path.parent().map_or(Ok(()), |folder| fs::remove_dir(folder).or(Ok(())))
    });
    match removed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

/// Is the check, with the arguments that the input holds: a command line can be seen by everyone.
pub(in crate::all) fn be(entry: &Entry) -> ExitCode {
    let mut bytes = Vec::new();
    let _read = io::stdin().read_to_end(&mut bytes);
    let words = bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let arguments: Vec<_> =
        std::iter::once(OsString::from(format!("check-{}", entry.name))).chain(words).collect();
    (entry.main)(&arguments)
}

/// Reads the request as it comes.
fn request(interrupt: &Interrupt) -> anyhow::Result<Request> {
    let (stdin, wait) = (io::stdin(), Wait { deadline: Deadline::after(PATIENCE), interrupt });
    let (mut line, mut block) = (Vec::new(), vec![0; 64 << 10]);
    while !line.ends_with(b"\n") {
        if !wait.readable(stdin.as_fd())? {
            bail!("no request came");
        }
        // Not through a buffer of the library, which would hold bytes that poll(2) then does not see.
        let got = rustix::io::read(stdin.as_fd(), &mut *block)?;
        if got == 0 || line.len() as u64 > MOST {
            bail!("the request is cut");
        }
        line.extend_from_slice(block.get(..got).unwrap_or_default());
    }
    Request::parse(&line)
}

/// Runs the check, and gives the code to exit with.
fn run(request: &Request, interrupt: &Interrupt) -> anyhow::Result<u8> {
    let entry =
        Entry::of(&request.check).with_context(|| format!("there is no check `{}`", request.check))?;
    let mut kept = Vec::new();
    let state = request.state.as_deref().map(StateCopy::new).transpose().context("cannot keep a state")?;
    let stdin = arguments(request, state.as_ref().map(StateCopy::path), &mut kept)?;
    let mut command = Command::new(PROGRAM);
    command.arg0(format!("check-{}", entry.name)).args([ARGUMENTS, entry.name]);
    command.envs(request.variables.iter().map(|(name, value)| (name, value)));
    let (input, mut relay) = (io::stdin(), Relay::default());
    let deadline = Deadline::after(Duration::from_millis(request.milliseconds));
    let timeouts = Timeouts::CHECK.with_grace(CLEANING);
    let follow =
        Follow { lifeline: Some(input.as_fd()), ..Follow::new(Wait { deadline, interrupt }, timeouts) };
    let child = follow.start(command.stdin(stdin));
    let child = child.with_context(|| format!("cannot start check-{}", entry.name))?;
    let ending = child.to_the_end(&mut relay)?;
    if ending.is_cut {
        // Nothing may follow half a packet.
        bail!("check-{} wrote more than was taken in its time", entry.name);
    }
    if let Some(state) = state.filter(|_| ending.cause != Cause::Interrupted) {
        state.give_back(io::stdout())?;
    }
    Ok(code(&ending.exit, ending.cause, entry.name))
}

/// The code to exit with; anything but an exit code of the check is reported.
fn code(outcome: &Exit, cause: Cause, check: &str) -> u8 {
    let words = match (cause, outcome) {
        (Cause::Itself | Cause::Interrupted, Exit::Exited(code)) if *code != i32::from(LOST) => {
            return u8::try_from(*code).unwrap_or(FAILED);
        }
        // It is ended as whoever is gone would have ended it.
        (Cause::Interrupted, _) => return 143,
        (Cause::TimedOut | Cause::Stopped, _) => format!("did not end in its time, and was ended: {outcome}"),
        (Cause::Itself, outcome) => format!("ended by {outcome}"),
    };
    let _told = writeln!(io::stderr(), "check-{check} {words}");
    FAILED
}

/// Passes on what the check writes, each output to ours, as fast as it is read.
#[derive(Default)]
struct Relay([Outlet; 2]);

/// What waits to be written to an output of ours.
#[derive(Default)]
struct Outlet {
    waiting: Vec<u8>,
    written: usize,
    /// Whether its reader is gone.
    is_gone: bool,
}

impl Relay {
    /// The first output with something that waits, and that.
    fn next(&mut self) -> Option<(BorrowedFd<'static>, &mut Outlet)> {
        let fds = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        fds.into_iter().zip(&mut self.0).find(|(_, outlet)| !outlet.waiting.is_empty())
    }
}

impl Sink for Relay {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let [stdout, stderr] = &mut self.0;
        let outlet = if source == Source::Stdout { stdout } else { stderr };
        if !outlet.is_gone {
            outlet.waiting.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        let fds = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        fds.into_iter().zip(&self.0).find(|(_, outlet)| !outlet.waiting.is_empty()).map(|(fd, _)| fd)
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some((fd, outlet)) = self.next() {
            outlet.write(fd);
        }
        Ok(())
    }
}

impl Outlet {
    /// Writes at most what surely fits where there is any room.
    fn write(&mut self, fd: BorrowedFd<'_>) {
        let end = self.waiting.len().min(self.written + PIPE_BUF);
        match rustix::io::write(fd, self.waiting.get(self.written..end).unwrap_or_default()) {
            Ok(count) => self.written += count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => (self.is_gone, self.written) = (true, self.waiting.len()),
        }
        if self.written == self.waiting.len() {
            (self.waiting, self.written) = (Vec::new(), 0);
        }
    }
}

/// The arguments, as the input of the check; `kept` has to live as long as it does.
fn arguments(request: &Request, state: Option<PathBuf>, kept: &mut Vec<File>) -> anyhow::Result<File> {
    let tests: String = request.tests.iter().map(|id| format!("{id}\n")).collect();
    let mut words = Vec::new();
    for Argument { option, value } in &request.arguments {
        words.push(match value {
            Value::Flag => format!("--{option}"),
            Value::Text(text) => format!("--{option}={text}"),
            Value::File(content) => {
                let content = STANDARD.decode(content).context("a file came damaged")?;
                format!("--{option}={}", keep(&content, kept)?.display())
            }
        });
    }
    words.extend(state.map(|path| format!("--state-file={}", path.display())));
    words.push(format!("--load-list={}", keep(tests.as_bytes(), kept)?.display()));
    Ok(in_memory(OsString::from(words.join("\0")).as_bytes())?)
}

/// Keeps bytes in memory, and gives the path at which the processes of this user can read them.
fn keep(bytes: &[u8], kept: &mut Vec<File>) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd as _;

    let file = in_memory(bytes)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    kept.push(file);
    Ok(path.into())
}

/// A file that exists only in memory, positioned at its beginning.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("request", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    seek(&file, SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use cli::OptionFacts;

    use super::*;
    use crate::all::unit::Setting;

    #[test]
    fn what_comes_along_can_be_read_by_the_check() {
        let setting = |long: &str, value: &str, facts| Setting {
            long: long.to_owned(),
            value: Some(value.into()),
            facts,
        };
        let settings = [
            setting("path", "/eos", OptionFacts::PLACE),
            setting("token-file", "/dev/null", OptionFacts::SECRET),
        ];
        let eos = Entry::of("eos").unwrap();
        let request = Request::new(eos, &settings, ["a".to_owned(), "b".to_owned()], None, 1).unwrap();
        let mut kept = Vec::new();
        let mut text = String::new();
        arguments(&request, None, &mut kept).unwrap().read_to_string(&mut text).unwrap();
        let words: Vec<_> = text.split('\0').collect();
        let [path, token, list] = words[..] else { panic!("{words:?}") };
        let read = |word: &str| fs::read_to_string(word.split_once('=').unwrap().1).unwrap();
        assert_eq!((path, read(token).as_str(), read(list).as_str()), ("--path=/eos", "", "a\nb\n"));
    }

    #[test]
    fn exit_codes_are_those_of_the_check() {
        let check = |outcome, cause, expected| assert_eq!(code(&outcome, cause, "x"), expected);
        let killed = Exit::Signalled { signal: 9, core: false };
        check(Exit::Exited(1), Cause::Itself, 1);
        check(Exit::Exited(143), Cause::Interrupted, 143);
        check(Exit::Exited(143), Cause::TimedOut, FAILED);
        check(Exit::Exited(255), Cause::Itself, FAILED);
        check(killed.clone(), Cause::Itself, FAILED);
        check(killed, Cause::Interrupted, 143);
    }
}
