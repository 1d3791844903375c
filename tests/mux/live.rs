//! What comes is passed on at once, whatever else hangs.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

use rustix::process::Signal;
use subunit::Status;

use crate::support::{Folder, Live, mux, status};

#[test]
fn an_event_is_passed_on_while_the_other_sources_hang() {
    let folder = Folder::new();
    let (silent, fifo) = (folder.fifo("silent"), folder.fifo("fifo"));
    let sleeper = "--exec=sleeper=sleep 60";
    let live =
        Live::start(&mut mux(&["--grace=1s", &format!("silent={silent}"), &format!("w={fifo}"), sleeper]));
    let mut writer = File::options().write(true).open(&fifo).unwrap();
    for number in 0..3 {
        let packet = status(&format!("t{number}"), Status::Success);
        let (front, back) = packet.split_at(9);
        writer.write_all(front).unwrap();
        writer.flush().unwrap();
        writer.write_all(back).unwrap();
        assert_eq!(live.next(), format!("w t{number} success"));
    }
    writer.write_all(b"(Pdb) ").unwrap();
    assert_eq!(live.next(), "w - - stdout=(Pdb) ");
    live.signal(Signal::TERM);
    let (code, lines) = live.end();
    assert_eq!(code, Some(143));
    assert!(lines.iter().any(|line| line.contains("subunit-mux.sleeper fail")), "{lines:?}");
}

#[test]
fn stdin_alone_is_live_too() {
    let live_stdin = |args: &[&str]| {
        let mut live = Live::start(mux(args).stdin(Stdio::piped()));
        let mut stdin = live.child.stdin.take().unwrap();
        for id in ["a", "b"] {
            stdin.write_all(&status(id, Status::Fail)).unwrap();
            assert_eq!(live.next(), format!("- {id} fail"));
        }
        drop(stdin);
        assert_eq!(live.end(), (Some(0), Vec::new()));
    };
    live_stdin(&[]);
    live_stdin(&["--no-route", "-", "/dev/null"]);
}

#[test]
fn a_flood_does_not_hold_back_a_trickle() {
    let folder = Folder::new();
    let fifo = folder.fifo("fifo");
    let flood = "--exec=flood=exec yes 'a line of a log that never ends'";
    let drop = format!("--exec=drop=cat {fifo}; sleep 60");
    let live = Live::start(&mut mux(&["--grace=1s", flood, &drop]));
    live.wait_for("flood - ");
    std::fs::write(&fifo, "drop\n").unwrap();
    assert_eq!(live.wait_for("drop - "), "drop - - stdout=drop\\n");
    live.signal(Signal::TERM);
    assert_eq!(live.end().0, Some(143));
}

#[test]
fn what_begins_like_a_packet_and_stalls_becomes_text() {
    let folder = Folder::new();
    let fifo = folder.fifo("fifo");
    let live = Live::start(&mut mux(&["--stall-timeout=200ms", &format!("w={fifo}")]));
    let mut writer = File::options().write(true).open(&fifo).unwrap();
    writer.write_all(b"\xb3\x20\x50\xbf\xff\xff").unwrap();
    let note = live.next();
    assert!(
        note.starts_with("w - - subunit-mux=what begins like a packet at offset 0 was not complete"),
        "{note}"
    );
    assert!(live.next().starts_with("w - - stdout="));
    writer.write_all(&status("t", Status::Success)).unwrap();
    assert_eq!(live.wait_for("success"), "w t success");
    drop(writer);
    assert_eq!(live.end(), (Some(0), Vec::new()));
}
