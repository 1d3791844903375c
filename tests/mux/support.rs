//! Streams to read, the command to run, and its output as lines.

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use subunit::io::Reader;
use subunit::{Event, Frame, PacketBuf, Status, Timestamp};
use tempfile::TempDir;

/// How long anything may take that should take no time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The packet of a test's status, with a time.
pub(crate) fn status(id: &str, status: Status) -> Vec<u8> {
    bytes(&Event { timestamp: Some(Timestamp::from_seconds(7)), ..Event::status(id, status) })
}

pub(crate) fn bytes(event: &Event<'_>) -> Vec<u8> {
    PacketBuf::encode(event).unwrap().as_bytes().to_vec()
}

/// A folder for files and FIFOs.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its path as an argument.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).unwrap();
        arg(&self.path(name))
    }

    pub(crate) fn fifo(&self, name: &str) -> String {
        let made = Command::new("mkfifo").arg(self.path(name)).status().unwrap();
        assert!(made.success());
        arg(&self.path(name))
    }
}

pub(crate) fn arg(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The path of the command.
pub(crate) fn program() -> PathBuf {
    crate::bins::folder().join("subunit-mux")
}

pub(crate) fn mux<S: AsRef<str>>(args: &[S]) -> Command {
    let mut command = Command::new(program());
    command.args(args.iter().map(AsRef::as_ref));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run that is over.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: String,
}

impl Ended {
    /// The events, a line each; see [`line`].
    pub(crate) fn lines(&self) -> Vec<String> {
        lines(&self.output)
    }

    /// The lines that begin with this route.
    pub(crate) fn of_route(&self, route: &str) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.split(' ').next() == Some(route));
        lines
    }
}

pub(crate) fn run<S: AsRef<str>>(args: &[S], stdin: &[u8]) -> Ended {
    let mut child = mux(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = thread::spawn(move || {
        // Who does not read its stdin may end before it is written.
        let _ = input.write_all(&stdin);
    });
    let ended = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
    Ended { code: ended.status.code(), output: ended.stdout, errors }
}

/// What these arguments make of no stdin: the exit code and the lines.
pub(crate) fn check<S: AsRef<str>>(args: &[S], code: i32, expected: &[&str]) {
    let ended = run(args, b"");
    assert_eq!((ended.lines(), ended.code), (owned(expected), Some(code)), "{}", ended.errors);
}

pub(crate) fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// An event as `ROUTE ID STATUS`, `-` for what is absent, and `NAME=CONTENT` of its file.
pub(crate) fn line(event: &Event<'_>) -> String {
    let status = event.status.map_or("-", Status::as_str);
    let file = event.file.map_or_else(String::new, |file| {
        format!(" {}={}", file.name, String::from_utf8_lossy(file.bytes).escape_debug())
    });
    format!("{} {} {status}{file}", event.route_code.unwrap_or("-"), event.test_id.unwrap_or("-"))
}

/// The lines of an output, which must be packets alone.
pub(crate) fn lines(output: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    each_packet(output, |event| lines.push(line(event))).unwrap();
    lines
}

pub(crate) fn each_packet(output: impl Read, mut each: impl FnMut(&Event<'_>)) -> io::Result<()> {
    let mut reader = Reader::new(output);
    while let Some(frame) = reader.next_frame()? {
        match frame {
            Frame::Packet(packet) => each(&packet.event()),
            other => panic!("{other:?} in the output"),
        }
    }
    Ok(())
}

/// A run that goes on, with its lines as they come.
pub(crate) struct Live {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Live {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        Live { child, lines }
    }

    /// The next line; panics when none comes.
    pub(crate) fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("no event came")
    }

    /// Waits for a line that holds this text.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until the text that came holds this one, in however many pieces.
    pub(crate) fn wait_for_text(&self, text: &str) {
        let mut come = String::new();
        while !come.contains(text) {
            let line = self.next();
            come.push_str(line.split_once(" stdout=").map_or("", |(_, piece)| piece));
        }
    }

    pub(crate) fn signal(&self, name: Signal) {
        signal(&self.child, name);
    }

    /// The exit code and the lines that were left.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

fn read_lines(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || each_packet(output, |event| drop(sender.send(line(event)))));
    lines
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The most memory a process has held, in KiB.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Waits until this process and all that it has started are asleep: then nothing moves until somebody else does.
pub(crate) fn wait_until_asleep(pid: u32) {
    let start = Instant::now();
    let mut looks = 0;
    while looks < 3 {
        looks = if tasks(pid).iter().all(|state| matches!(state, 'S' | 'Z')) { looks + 1 } else { 0 };
        assert!(start.elapsed() < PATIENCE, "{pid} does not come to rest");
        sleep(Duration::from_millis(5));
    }
}

/// The states of all threads of a process and of those that it has started.
fn tasks(pid: u32) -> Vec<char> {
    let stats = |folder: &Path| {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter_map(|entry| stat(&entry.path())).collect::<Vec<_>>()
    };
    let all = stats(Path::new("/proc"));
    let mut family = vec![pid];
    let mut known = 0;
    while let Some(parent) = family.get(known).copied() {
        known += 1;
        family.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.id));
    }
    let threads = |pid| stats(&PathBuf::from(format!("/proc/{pid}/task")));
    family.into_iter().flat_map(threads).map(|thread| thread.state).collect()
}

/// What `/proc` says of a process or thread.
struct Stat {
    id: u32,
    state: char,
    parent: u32,
}

fn stat(folder: &Path) -> Option<Stat> {
    let id = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    Some(Stat { id, state: words.next()?.chars().next()?, parent: words.next()?.parse().ok()? })
}
