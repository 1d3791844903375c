//! Commands as sources: their ends, their errors, what they leave behind.

use std::io::Read as _;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use subunit::Status;

use crate::support::{Folder, Live, PATIENCE, check, mux, run, status};

#[test]
fn the_end_of_a_command_is_an_event_unless_it_is_zero() {
    check(&["--exec", "true"], 0, &[]);
    check(&["--exec", "w=exit 3"], 0, &["w subunit-mux.w fail reason=exit code 3: exit 3\\n"]);
    let killed = "0 subunit-mux.0 fail reason=killed by signal 9 (SIGKILL): kill -9 $$\\n";
    check(&["--exec", "kill -9 $$"], 0, &[killed]);
    let folder = Folder::new();
    let failed = folder.file("failed", &status("t", Status::Fail));
    let passed = folder.file("passed", &status("t", Status::Success));
    let own = "w t fail";
    check(&["--exec", &format!("w=cat {failed}; exit 1")], 0, &[own]);
    let note = format!("w - - subunit-mux=exit code 3: cat {failed}; exit 3\\n");
    check(&["--exec", &format!("w=cat {failed}; exit 3")], 0, &[own, &note]);
    let told = format!("w subunit-mux.w fail reason=exit code 1: cat {passed}; exit 1\\n");
    check(&["--exec", &format!("w=cat {passed}; exit 1")], 0, &["w t success", &told]);
    let killed =
        format!("w subunit-mux.w fail reason=killed by signal 9 (SIGKILL): cat {failed}; kill -9 $$\\n");
    check(&["--exec", &format!("w=cat {failed}; kill -9 $$")], 0, &[own, &killed]);
    let missing = run(&["--exec", "no-such-command-anywhere"], b"");
    assert!(missing.of_route("0").iter().any(|line| line.contains("exit code 127")), "{:?}", missing.lines());
}

#[test]
fn output_is_a_stream_and_errors_are_a_file() {
    let ended = run(&["--exec", "w=echo out; echo err >&2"], b"");
    let mut lines = ended.lines();
    lines.sort();
    assert_eq!(lines, ["w - - stderr=err\\n", "w - - stdout=out\\n"]);
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""));
}

#[test]
fn the_exit_status_follows_the_children_when_asked_to() {
    let code = |mode: &str, commands: [&str; 2]| {
        run(&["--exit-status", mode, "--exec", commands[0], "--exec", commands[1]], b"").code
    };
    assert_eq!(code("none", ["false", "false"]), Some(0));
    assert_eq!(code("any", ["true", "false"]), Some(1));
    assert_eq!(code("any", ["true", "true"]), Some(0));
    assert_eq!(code("all", ["true", "false"]), Some(0));
    assert_eq!(code("all", ["false", "kill -9 $$"]), Some(1));
    assert_eq!(run(&["--exit-status=any", "--exec=false", "/no/file"], b"").code, Some(2));
}

#[test]
fn a_packet_cut_by_the_end_of_its_writer_is_damage_and_the_others_lose_nothing() {
    let folder = Folder::new();
    let packet = status("t", Status::Success);
    let cut = folder.file("cut", &[&*packet, &packet[..packet.len() - 3]].concat());
    let whole = folder.file("whole", &packet.repeat(1000));
    let ended = run(&["--exec", &format!("cut=cat {cut}; kill -9 $$"), &format!("whole={whole}")], b"");
    assert_eq!(ended.of_route("whole").len(), 1000);
    let lines = ended.of_route("cut");
    assert_eq!((lines.len(), &*lines[0]), (4, "cut t success"), "{lines:?}");
    assert!(lines[2].contains("Parser Error") && lines[3].contains("killed by signal 9"));
}

#[test]
fn what_a_command_leaves_running_does_not_hold_its_output_for_ever() {
    let ended = run(&["--grace=300ms", "--exec", "w=echo before; setsid sleep 10 & exit 0"], b"");
    let lines = ended.lines();
    assert_eq!((lines.len(), ended.code), (2, Some(0)), "{lines:?}");
    assert_eq!(lines[0], "w - - stdout=before\\n");
    assert!(lines[1].starts_with("w - - subunit-mux=what the command left running still held its output"));
}

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn wait_until_gone(pid: &str) {
    let start = Instant::now();
    while lives(pid) {
        assert!(start.elapsed() < PATIENCE, "process {pid} was left behind");
        sleep(Duration::from_millis(20));
    }
}

/// Runs children, one of which does not want to end; gives the run and their process ids.
fn with_stubborn_children(command: &mut Command) -> (Live, Vec<String>) {
    let live = Live::start(command);
    let pids = (0..2).map(|_| {
        let line = live.wait_for("pid ");
        line.rsplit_once("pid ").unwrap().1.trim_end_matches("\\n").to_owned()
    });
    let pids = pids.collect();
    (live, pids)
}

const STUBBORN: [&str; 3] = [
    "--grace=2s",
    "--exec=soft=echo pid $$; trap 'echo told; exit 0' TERM; while :; do sleep 0.05; done",
    "--exec=hard=trap '' TERM; echo pid $$; while :; do sleep 0.05; done",
];

#[test]
fn a_signal_ends_the_children_and_keeps_what_came() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let (live, pids) = with_stubborn_children(&mut mux(&STUBBORN));
        live.signal(signal);
        let (found, lines) = live.end();
        assert_eq!(found, Some(code));
        assert!(lines.contains(&"soft - - stdout=told\\n".to_owned()), "{lines:?}");
        assert!(
            lines.iter().any(|line| line.starts_with("hard subunit-mux.hard fail reason=killed by signal 9"))
        );
        pids.iter().for_each(|pid| wait_until_gone(pid));
    }
}

#[test]
fn a_closed_pipe_ends_the_children_even_when_they_write_nothing() {
    let mut child = mux(&["--grace=300ms", "--exec", "echo $$ >&2; exec sleep 60"]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut first = [0; 1];
    output.read_exact(&mut first).unwrap();
    drop(output);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.len()), (Some(141), 0));
}

#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = mux(&["--exec=echo text"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("No space left"));
}
