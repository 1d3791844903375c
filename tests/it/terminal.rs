//! What is drawn on a terminal to which others write, too.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use subunit::{Event, PacketBuf, Status};

use crate::bins;

/// After this long without what was waited for, a test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const COLUMNS: u16 = 60;

/// A terminal, a report on it, and what its user sees.
struct Session {
    screen: vt100::Parser,
    shown: Receiver<Vec<u8>>,
    report: Child,
    stream: Option<ChildStdin>,
    /// The same terminal, as another program has it.
    other: File,
}

impl Session {
    fn new(rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: rows, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let other = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let terminal = || Stdio::from(other.try_clone().unwrap());
        let mut report = Command::new(bins::folder().join("subunit2text"))
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        let (send, shown) = channel();
        thread::spawn(move || {
            let mut master = File::from(master);
            let mut piece = [0; 4096];
            loop {
                match master.read(&mut piece) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // EIO is that nobody has the terminal any more.
                    Ok(0) | Err(_) => return,
                    Ok(count) => {
                        if send.send(piece[..count].to_vec()).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        let stream = report.stdin.take();
        let [height, width] = [rows, COLUMNS].map(|count| NonZero::new(count).unwrap());
        Session { screen: vt100::Parser::new(height, width, 1000), shown, report, stream, other }
    }

    fn status(&mut self, id: &str, status: Status) {
        let packet = PacketBuf::encode(&Event::status(id, status)).unwrap();
        self.stream.as_mut().unwrap().write_all(packet.as_bytes()).unwrap();
    }

    /// Another program writes to the terminal.
    fn write(&mut self, text: &str) {
        self.other.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until what is shown, from the first line that scrolled away, is like this.
    fn wait(&mut self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
        loop {
            let lines = self.lines();
            if is_so(&lines) {
                return lines;
            }
            let Ok(bytes) = self.shown.recv_timeout(PATIENCE) else { panic!("{what}: {lines:#?}") };
            self.screen.process(&bytes);
        }
    }

    /// Waits until the lines that show how far the run is end in this test.
    fn wait_for_test(&mut self, id: &str) -> Vec<String> {
        self.wait(id, |lines| lines.last().is_some_and(|line| line.ends_with(&format!("s  {id}"))))
    }

    /// All lines up to the last one that has something in it.
    fn lines(&mut self) -> Vec<String> {
        let screen = self.screen.screen_mut();
        screen.set_scrollback(usize::MAX);
        let mut lines = Vec::new();
        for above in (1..=screen.scrollback()).rev() {
            screen.set_scrollback(above);
            lines.extend(screen.rows(0, COLUMNS).next());
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, COLUMNS));
        lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Ends the stream, and waits for the report.
    fn end(mut self) -> Vec<String> {
        drop(self.stream.take());
        let lines =
            self.wait("the report", |lines| lines.last().is_some_and(|line| line.starts_with("FAILED")));
        assert_eq!(self.report.wait().unwrap().code(), Some(1));
        lines
    }
}

#[test]
fn nothing_of_others_is_erased() {
    let mut session = Session::new(24);
    session.status("net.boot", Status::InProgress);
    session.wait_for_test("net.boot");
    session.write("warning: unused import\n");
    session.status("net.link", Status::InProgress);
    let shown = session.wait_for_test("net.link");
    assert_eq!(shown[0..2], ["warning: unused import", ""], "{shown:#?}");
    assert!(shown[2].ends_with("0 done, 2 running"), "{shown:#?}");
    // A line that is written in pieces stays one.
    session.write("linking ");
    session.status("net.route", Status::InProgress);
    let shown = session.wait_for_test("net.route");
    assert_eq!(shown[1], "linking", "{shown:#?}");
    session.write("done\n");
    session.status("net.boot", Status::Fail);
    session.wait("the failure", |lines| lines.iter().any(|line| line.starts_with("FAIL ")));
    session.write("half a line");
    session.status("net.link", Status::Fail);
    session.wait("the second failure", |lines| {
        lines.iter().filter(|line| line.starts_with("FAIL ")).count() == 2
    });
    session.write("run 1: FAILED\n");
    let lines = session.end();
    let without_ages: Vec<_> = lines.iter().map(|line| line.split("s  ").last().unwrap()).collect();
    assert_eq!(
        without_ages[..6],
        ["warning: unused import", "linking done", "net.boot", "half a line", "net.link", "run 1: FAILED"],
        "{lines:#?}"
    );
}

#[test]
fn nor_is_it_at_the_end_of_the_screen() {
    let mut session = Session::new(8);
    for number in 0..30 {
        session.write(&format!("compiling {number}\n"));
        session.status(&format!("test {number}"), Status::InProgress);
        session.wait_for_test(&format!("test {number}"));
        session
            .status(&format!("test {number}"), if number % 10 == 3 { Status::Fail } else { Status::Success });
    }
    session.write("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    let lines = session.end();
    for text in (0..30).map(|number| format!("compiling {number}")) {
        assert!(lines.contains(&text), "{text}: {lines:#?}");
    }
    let is_begun = |text: char| lines.iter().any(|line| line.starts_with(text));
    assert!(('a'..='j').all(is_begun), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("FAIL ")).count(), 3 * 2, "{lines:#?}");
}
