//! The other side: runs the check it is asked to, for as long as somebody is there who asked.
//!
//! Whoever asked holds the other end of the input, whatever is between: ssh, or an engine. When that ends the check
//! is ended, too. Nothing but the outputs of the check is on the outputs, and what hangs here does not hold them
//! open: they are pipes of this process, which ends in its time.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use process::Interrupt;
use process::{Child, Deadline, Outcome, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

use super::request::{Argument, Request};
use super::state::Lent;
use super::{ARGUMENTS, LOST};
use crate::all::registry::Entry;
use crate::all::{PROGRAM, SELF};

/// How long the request may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a check is given to remove what it made, when it is ended.
const CLEANING: Duration = Duration::from_secs(6);
/// How long SIGKILL is given.
const KILLING: Duration = Duration::from_millis(200);
/// How long the last words of a check that has ended may take.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often to look for an end that no descriptor tells.
const SLICE: Duration = Duration::from_millis(50);
/// Bytes of a request.
const MOST: u64 = 64 << 20;
/// The exit code for what is wrong on this side.
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
    let (stdin, end) = (io::stdin(), Deadline::after(PATIENCE));
    let (mut line, mut block) = (Vec::new(), vec![0; 64 << 10]);
    while !line.ends_with(b"\n") {
        let ready = wait(&[Some(stdin.as_fd()), interrupt.wake()], end)?;
        if interrupt.has_come() || end.has_passed() || !ready {
            bail!("no request came");
        }
        // Not through a buffer of the library, which would keep what poll(2) shall see.
        let got = rustix::io::read(stdin.as_fd(), &mut *block)?;
        if got == 0 || line.len() as u64 > MOST {
            bail!("the request is cut");
        }
        line.extend_from_slice(block.get(..got).unwrap_or_default());
    }
    Request::parse(&line)
}

/// Waits until one of them is ready; false when the deadline passes first.
fn wait(fds: &[Option<std::os::fd::BorrowedFd<'_>>], end: Deadline) -> io::Result<bool> {
    let fds = fds.iter().flatten();
    let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let left = end.remaining().and_then(|left| Timespec::try_from(left).ok());
    match poll(&mut fds, left.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Runs the check, and gives the code to exit with.
fn run(request: &Request, interrupt: &Interrupt) -> anyhow::Result<u8> {
    let entry =
        Entry::of(&request.check).with_context(|| format!("there is no check `{}`", request.check))?;
    let mut kept = Vec::new();
    let state = request.state.as_deref().map(Lent::new).transpose().context("cannot keep a state")?;
    let stdin = arguments(request, state.as_ref().map(Lent::path), &mut kept)?;
    let mut command = Command::new(PROGRAM);
    command.arg0(format!("check-{}", entry.name)).arg(ARGUMENTS).env(SELF, entry.name);
    command.envs(request.variables.iter().map(|(name, value)| (name, value)));
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        Child::spawn(&mut command).with_context(|| format!("cannot start check-{}", entry.name))?;
    let outputs = [
        child.take_stdout().map(|pipe| pump(pipe, io::stdout())),
        child.take_stderr().map(|pipe| pump(pipe, io::stderr())),
    ];
    let end = Deadline::after(Duration::from_millis(request.milliseconds));
    let (outcome, cause) = watch(&mut child, end, interrupt)?;
    let last = Deadline::after(LAST_WORDS);
    for output in outputs.into_iter().flatten() {
        // One that does not end is held open by what hangs.
        let _ended = output.recv_timeout(last.remaining().unwrap_or_default());
    }
    if let Some(state) = state.filter(|_| cause != Cause::Left) {
        state.give_back(io::stdout())?;
    }
    Ok(code(&outcome, cause, entry.name))
}

/// Why a check was ended, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Itself,
    /// Nobody is there any more who wants it, or a signal came.
    Left,
    Late,
}

/// The code to exit with; what is no exit code of the check is said.
fn code(outcome: &Outcome, cause: Cause, check: &str) -> u8 {
    let words = match (cause, outcome) {
        (Cause::Itself | Cause::Left, Outcome::Exited(code)) if *code != i32::from(LOST) => {
            return u8::try_from(*code).unwrap_or(FAILED);
        }
        // It is ended as whoever is not there any more would have ended it.
        (Cause::Left, _) => return 143,
        (Cause::Late, _) => format!("did not end in its time, and was ended: {outcome}"),
        (Cause::Itself, outcome) => format!("ended by {outcome}"),
    };
    let _told = writeln!(io::stderr(), "check-{check} {words}");
    FAILED
}

/// Waits for the end of the check, and asks it to end when its time is up or nobody wants it any more.
fn watch(child: &mut Child, mut end: Deadline, interrupt: &Interrupt) -> io::Result<(Outcome, Cause)> {
    let (stdin, mut cause) = (io::stdin(), Cause::Itself);
    loop {
        if let Some(outcome) = child.try_wait()? {
            // What it left behind in its group.
            let _ended = child.kill(KILLING);
            return Ok((outcome, cause));
        }
        let is_asked = cause != Cause::Itself;
        if is_asked && end.has_passed() {
            return Ok((child.kill(KILLING)?, cause));
        }
        let is_left = || io::Result::Ok(interrupt.has_come() || is_at_end(stdin.as_fd())?);
        if !is_asked && (end.has_passed() || is_left()?) {
            cause = if end.has_passed() { Cause::Late } else { Cause::Left };
            child.signal(Signal::TERM)?;
            child.signal(Signal::CONT)?;
            end = Deadline::after(CLEANING);
            continue;
        }
        let exit = child.exit_fd();
        let slice = if exit.is_some() { Deadline::NEVER } else { Deadline::after(SLICE) };
        let [line, wake] = if is_asked { [None, None] } else { [Some(stdin.as_fd()), interrupt.wake()] };
        wait(&[exit, line, wake], end.earlier(slice))?;
    }
}

/// Whether the input has ended; whatever else comes in is of no interest.
fn is_at_end(stdin: std::os::fd::BorrowedFd<'_>) -> io::Result<bool> {
    if !wait(&[Some(stdin)], Deadline::after(Duration::ZERO))? {
        return Ok(false);
    }
    match rustix::io::read(stdin, &mut [0; 256]) {
        Ok(0) => Ok(true),
        Ok(_) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Ok(false),
        Err(_) => Ok(true),
    }
}

/// Copies by a thread of its own; the receiver is told when that ends.
fn pump(mut from: impl Read + Send + 'static, mut to: impl Write + Send + 'static) -> Receiver<()> {
    let (done, receiver) = channel();
    let copy = move || {
        // Not io::copy, which would keep lines back.
        let mut block = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut block) {
            let bytes = block.get(..count).unwrap_or_default();
            if to.write_all(bytes).and_then(|()| to.flush()).is_err() {
                break;
            }
        }
        let _told = done.send(());
    };
    // Without the thread the check writes into a pipe that nobody reads, and ends by that.
    let _started = thread::Builder::new().name("output".to_owned()).spawn(copy);
    receiver
}

/// The arguments, as the input of the check; `kept` has to live as long as it does.
fn arguments(request: &Request, state: Option<PathBuf>, kept: &mut Vec<File>) -> anyhow::Result<File> {
    let tests: String = request.tests.iter().map(|id| format!("{id}\n")).collect();
    let mut words = Vec::new();
    for argument in &request.arguments {
        match argument {
            Argument::Plain(text) => words.push(text.clone()),
            Argument::File { option, content } => {
                let content = STANDARD.decode(content).context("a file came damaged")?;
                words.push(format!("--{option}={}", keep(&content, kept)?.display()));
            }
        }
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

/// A file that is nowhere but in memory, at its beginning.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("request", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    seek(&file, SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_along_can_be_read_by_the_check() {
        let arguments = ["--path=/eos", "--token-file=/dev/null"].map(OsString::from);
        let request = Request::new("eos", &arguments, ["a".to_owned(), "b".to_owned()], None, 1).unwrap();
        let mut kept = Vec::new();
        let mut text = String::new();
        super::arguments(&request, None, &mut kept).unwrap().read_to_string(&mut text).unwrap();
        let words: Vec<_> = text.split('\0').collect();
        let [path, token, list] = words[..] else { panic!("{words:?}") };
        let read = |word: &str| fs::read_to_string(word.split_once('=').unwrap().1).unwrap();
        assert_eq!((path, read(token).as_str(), read(list).as_str()), ("--path=/eos", "", "a\nb\n"));
    }

    #[test]
    fn exit_codes_are_those_of_the_check() {
        let check = |outcome, cause, expected| assert_eq!(code(&outcome, cause, "x"), expected);
        let killed = Outcome::Signalled { signal: 9, core: false };
        check(Outcome::Exited(1), Cause::Itself, 1);
        check(Outcome::Exited(143), Cause::Left, 143);
        check(Outcome::Exited(143), Cause::Late, FAILED);
        check(Outcome::Exited(255), Cause::Itself, FAILED);
        check(killed.clone(), Cause::Itself, FAILED);
        check(killed, Cause::Left, 143);
    }
}
