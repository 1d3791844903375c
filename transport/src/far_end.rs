//! The far end: runs what it is asked to, as long as whoever asked is still there.
//!
//! Whoever asked holds the other end of the input, whatever is between: ssh, or an engine. When that ends the process
//! is ended, too. Nothing but the outputs of the process is on the outputs, and what hangs here does not hold them
//! open: it has pipes of this one, which ends in its time.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};
use process::timeouts::CLEANING;
use process::{Cause, Deadline, Exit, Follow, Interrupt, MemoryFile, Sink, Source, Timeouts, Wait};
use subunit::io::Writer;
use subunit::{Event, part};
use tempfile::TempDir;

use super::PROGRAM;
use super::exit::LOST;
use super::request::{KEPT, NodeRequest, Word};

/// How long the request may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request.
const MOST: usize = 64 << 20;
/// Bytes of a file that comes back.
const MOST_KEPT: usize = 2 << 20;
/// What one write may have to fit into a pipe that has room.
const PIPE_BUF: usize = 4096;
/// The exit code for what goes wrong at this end.
pub(crate) const FAILED: u8 = 3;

pub(crate) fn main() -> ExitCode {
    let interrupt = Interrupt::watch().unwrap_or_default();
    match request_line(&interrupt).and_then(|line| run(&NodeRequest::parse(&line)?, &interrupt)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _told = writeln!(io::stderr(), "{}", process::chain(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

/// Removes a file; with this program its folder, when there is nothing else in it.
pub(crate) fn remove(path: &Path) -> ExitCode {
    let removed = env::current_exe().and_then(|own| {
        fs::remove_file(path)?;
        // Another one may be in it.
        own.parent().filter(|_| path == own).map_or(Ok(()), |folder| fs::remove_dir(folder).or(Ok(())))
    });
    match removed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

/// Reads the line of a request as it comes.
pub(crate) fn request_line(interrupt: &Interrupt) -> anyhow::Result<Vec<u8>> {
    let (stdin, wait) = (io::stdin(), Wait { deadline: Deadline::after(PATIENCE), interrupt });
    let (mut line, mut block) = (Vec::new(), vec![0; 64 << 10]);
    while !line.ends_with(b"\n") {
        if !wait.readable(stdin.as_fd())? {
            bail!("no request came");
        }
        // Not through a buffer of the library, which would hold bytes that poll(2) then does not see.
        let got = rustix::io::read(stdin.as_fd(), &mut *block)?;
        if got == 0 || line.len() > MOST {
            bail!("the request is cut");
        }
        line.extend_from_slice(part(&block, ..got));
    }
    Ok(line)
}

/// Runs what is asked for, and gives the code to exit with.
fn run(request: &NodeRequest, interrupt: &Interrupt) -> anyhow::Result<u8> {
    let NodeRequest { called, args, variables, milliseconds, .. } = request;
    let input = Input::new(request)?;
    let mut command = Command::new(PROGRAM);
    command.arg0(called).args(args).envs(variables.iter().map(|(name, value)| (name, value)));
    let (lifeline, mut relay) = (io::stdin(), Relay::default());
    let deadline = Deadline::after(Duration::from_millis(*milliseconds));
    let timeouts = Timeouts::CHECK.with_grace(CLEANING);
    let follow =
        Follow { lifeline: Some(lifeline.as_fd()), ..Follow::new(Wait { deadline, interrupt }, timeouts) };
    let child = follow.start(command.stdin(input.words));
    let child = child.with_context(|| format!("cannot start {called}"))?;
    let ending = child.to_the_end(&mut relay)?;
    if ending.is_cut {
        // Nothing may follow half a packet.
        bail!("{called} wrote more than was taken in its time");
    }
    if let Some(kept) = input.kept.filter(|_| ending.cause != Cause::Interrupted) {
        kept.give_back(io::stdout())?;
    }
    Ok(code(&ending.exit, ending.cause, called))
}

/// The code to exit with; anything but an exit code of the process is reported.
fn code(exit: &Exit, cause: Cause, called: &str) -> u8 {
    let words = match (cause, exit) {
        (Cause::Itself | Cause::Interrupted, Exit::Exited(code)) if *code != i32::from(LOST) => {
            return u8::try_from(*code).unwrap_or(FAILED);
        }
        // It is ended as whoever is gone would have ended it.
        (Cause::Interrupted, _) => return 143,
        (Cause::TimedOut | Cause::Stopped, _) => format!("did not end in its time, and was ended: {exit}"),
        (Cause::Itself, exit) => format!("ended by {exit}"),
    };
    let _told = writeln!(io::stderr(), "{called} {words}");
    FAILED
}

/// Passes on what the process writes, each output to ours, as fast as it is read.
#[derive(Default)]
struct Relay([Outlet; 2]);

/// What waits to be written to an output of ours.
#[derive(Default)]
pub(crate) struct Outlet {
    waiting: Vec<u8>,
    written: usize,
    /// Whether its reader is gone.
    is_gone: bool,
}

impl Relay {
    /// The first output with something that waits, and that.
    fn next(&mut self) -> Option<(BorrowedFd<'static>, &mut Outlet)> {
        let fds = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        fds.into_iter().zip(&mut self.0).find(|(_, outlet)| !outlet.is_empty())
    }
}

impl Sink for Relay {
    fn take(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        let [stdout, stderr] = &mut self.0;
        if source == Source::Stdout { stdout } else { stderr }.take(bytes);
        Ok(())
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        let fds = [rustix::stdio::stdout(), rustix::stdio::stderr()];
        fds.into_iter().zip(&self.0).find(|(_, outlet)| !outlet.is_empty()).map(|(fd, _)| fd)
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some((fd, outlet)) = self.next() {
            outlet.write(fd);
        }
        Ok(())
    }
}

impl Outlet {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if !self.is_gone {
            self.waiting.extend_from_slice(bytes);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes at most what surely fits where there is any room.
    pub(crate) fn write(&mut self, fd: BorrowedFd<'_>) {
        let end = self.waiting.len().min(self.written + PIPE_BUF);
        match rustix::io::write(fd, part(&self.waiting, self.written..end)) {
            Ok(count) => self.written += count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => (self.is_gone, self.written) = (true, self.waiting.len()),
        }
        if self.written == self.waiting.len() {
            (self.waiting, self.written) = (Vec::new(), 0);
        }
    }
}

/// What the process reads, and the files that it names; they have to live as long as the process does.
struct Input {
    words: File,
    kept: Option<KeptCopy>,
    _files: Vec<MemoryFile>,
}

impl Input {
    fn new(request: &NodeRequest) -> anyhow::Result<Self> {
        let (mut words, mut kept, mut files) = (Vec::new(), None, Vec::new());
        for word in &request.words {
            words.push(match word {
                Word::Text(text) => text.clone(),
                Word::File { before, content } => {
                    let file = MemoryFile::new(&Word::decoded(content)?)?;
                    let word = format!("{before}{}", file.path().display());
                    files.push(file);
                    word
                }
                Word::Kept { before, content } => {
                    let copy = kept.insert(KeptCopy::new(content).context("cannot keep a state")?);
                    format!("{before}{}", copy.path().display())
                }
            });
        }
        Ok(Input { words: MemoryFile::new(words.join("\0").as_bytes())?.into_file(), kept, _files: files })
    }
}

/// A copy of a file that comes back.
struct KeptCopy(TempDir);

impl KeptCopy {
    fn new(content: &str) -> io::Result<Self> {
        let copy = KeptCopy(tempfile::tempdir()?);
        if !content.is_empty() {
            fs::write(copy.path(), content)?;
        }
        Ok(copy)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Writes what has become of it, as a packet.
    fn give_back(&self, output: impl Write) -> io::Result<()> {
        let bytes = match fs::read(self.path()) {
            Ok(bytes) if bytes.len() <= MOST_KEPT => bytes,
            _ => return Ok(()),
        };
        let mut writer = Writer::new(output);
        writer
            .write(&Event { file: Some(subunit::File { name: KEPT, bytes: &bytes }), ..Event::default() })?;
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use subunit::Frame;
    use subunit::io::Reader;

    use super::*;
    use crate::kept_file;

    #[test]
    fn what_comes_along_can_be_read_by_the_process() {
        let words = [
            Word::Text("--path=/eos".to_owned()),
            Word::file("--token-file=", b"\xffsecret"),
            Word::Kept { before: "--state-file=".to_owned(), content: "{}".to_owned() },
        ];
        let request = NodeRequest::new("check-eos", &[], Duration::from_secs(1)).words(words);
        let mut input = Input::new(&request).unwrap();
        let mut text = String::new();
        input.words.read_to_string(&mut text).unwrap();
        let words: Vec<_> = text.split('\0').collect();
        let [path, token, state] = words[..] else { panic!("{words:?}") };
        let read = |word: &str| fs::read(word.split_once('=').unwrap().1).unwrap();
        assert_eq!(
            (path, read(token).as_slice(), read(state).as_slice()),
            ("--path=/eos", &b"\xffsecret"[..], &b"{}"[..])
        );
    }

    #[test]
    fn a_kept_file_comes_back_as_it_was_left() {
        let check = |before: &str, after: Option<&str>| {
            let copy = KeptCopy::new(before).unwrap();
            assert_eq!(fs::read_to_string(copy.path()).unwrap_or_default(), before);
            if let Some(after) = after {
                fs::write(copy.path(), after).unwrap();
            }
            let mut stream = Vec::new();
            copy.give_back(&mut stream).unwrap();
            let mut reader = Reader::new(stream.as_slice());
            let expected = after.or(Some(before)).filter(|text| !text.is_empty());
            match reader.next_frame().unwrap() {
                Some(Frame::Packet(packet)) => assert_eq!(kept_file(&packet), expected.map(str::as_bytes)),
                frame => assert!(frame.is_none() && expected.is_none(), "{frame:?}"),
            }
        };
        check("", None);
        check("", Some("{\"version\":1}"));
        check("{\"version\":1}", Some("{\"version\":1,\"tests\":{}}"));
        check("{\"version\":1}", None);
    }

    #[test]
    fn exit_codes_are_those_of_the_process() {
        let check = |exit, cause, expected| assert_eq!(code(&exit, cause, "check-x"), expected);
        let killed = Exit::Signalled { signal: 9, core: false };
        check(Exit::Exited(1), Cause::Itself, 1);
        check(Exit::Exited(143), Cause::Interrupted, 143);
        check(Exit::Exited(143), Cause::TimedOut, FAILED);
        check(Exit::Exited(255), Cause::Itself, FAILED);
        check(killed.clone(), Cause::Itself, FAILED);
        check(killed, Cause::Interrupted, 143);
    }
}
