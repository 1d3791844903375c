//! Stdin as the way back to the children.

use std::io::Write as _;
use std::process::{ChildStdin, Command, Stdio};

use subunit::{Event, Status};

use crate::support::{Folder, Live, bytes, mux, program, run, status};

fn start(args: &[&str]) -> (Live, ChildStdin) {
    let mut live = Live::start(mux(args).stdin(Stdio::piped()));
    let stdin = live.child.stdin.take().unwrap();
    (live, stdin)
}

fn send(stdin: &mut ChildStdin, route: &str, text: &str, eof: bool) {
    let event = Event { route_code: Some(route), eof, ..Event::file("stdin", text.as_bytes()) };
    stdin.write_all(&bytes(&event)).unwrap();
}

#[test]
fn a_debugger_in_a_child_can_be_driven() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skipped("no python3");
    }
    let folder = Folder::new();
    let script = folder.file("test.py", b"answer = 6 * 7\nbreakpoint()\nprint('went on')\n");
    let (live, mut stdin) = start(&["--stdin-route", "--exec", &format!("dbg=python3 -u {script}")]);
    live.wait_for_text("(Pdb) ");
    send(&mut stdin, "dbg", "print('answer', answer)\n", false);
    live.wait_for_text("answer 42");
    send(&mut stdin, "dbg", "c\n", false);
    live.wait_for_text("went on");
    assert_eq!(live.end().0, Some(0), "a control that is still open holds nobody");
}

/// Says on stderr, which the test harness shows, why a test did nothing.
fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

#[test]
fn each_child_gets_what_is_for_it_and_the_end_of_its_file() {
    let (live, mut stdin) = start(&["--stdin-route", "--exec=a=cat", "--exec=b=cat"]);
    send(&mut stdin, "b", "for b\n", false);
    assert_eq!(live.next(), "b - - stdout=for b\\n");
    send(&mut stdin, "a", "for a\n", true);
    assert_eq!(live.next(), "a - - stdout=for a\\n");
    drop(stdin);
    assert_eq!(live.end(), (Some(0), Vec::new()));
}

#[test]
fn a_child_that_is_a_multiplexer_gets_packets_for_its_own_children() {
    let inner = format!("m={} --stdin-route --exec w=cat", program().display());
    let (live, mut stdin) = start(&["--route=host", "--stdin-route", "--exec", &inner]);
    send(&mut stdin, "host/m/w", "deep\n", true);
    assert_eq!(live.next(), "host/m/w - - stdout=deep\\n");
    drop(stdin);
    assert_eq!(live.end(), (Some(0), Vec::new()));
}

#[test]
fn what_is_for_nobody_is_noted() {
    let stray = Event { route_code: Some("x"), ..Event::file("stdin", b"c\n") };
    let last = Event { route_code: Some("w"), ..Event::file("stdin", b"end\n") };
    let control = [&*bytes(&stray), b"text\n", &*status("t", Status::Success), &*bytes(&last)].concat();
    let mut lines = run(&["--stdin-route", "--exec=w=read word"], &control).lines();
    lines.sort();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("- - - subunit-mux=")));
}

#[test]
fn without_children_there_is_no_control() {
    assert_eq!(run(&["--stdin-route"], b"").code, Some(2));
    assert_eq!(run(&["--stdin-route", "--exec=true", "-"], b"").code, Some(2));
}
