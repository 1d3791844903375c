//! Real children: what ends, what does not, and what they start themselves.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::{Child, Deadline, Group, Limits, Outcome, ProcState, Signal, Source};

const GRACE: Duration = Duration::from_millis(300);
const KILLED: Outcome = Outcome::Signalled { signal: 9, core: false };
const TERMINATED: Outcome = Outcome::Signalled { signal: 15, core: false };

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}

/// Starts the script and waits for its first line.
#[expect(clippy::unwrap_used, reason = "of tests only")]
fn started(script: &str) -> (Child, String) {
    let mut child = Child::spawn(shell(script).stdout(Stdio::piped())).unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

fn after(milliseconds: u64) -> Deadline {
    Deadline::after(Duration::from_millis(milliseconds))
}

fn within(limit: Duration, action: impl FnOnce()) {
    let begin = Instant::now();
    action();
    assert!(begin.elapsed() < limit, "it took {:?}", begin.elapsed());
}

#[test]
fn waiting_ends_at_the_deadline() {
    let mut child = Child::spawn(Command::new("sleep").arg("60")).unwrap();
    within(Duration::from_secs(20), || {
        assert_eq!(child.wait_until(after(50)).unwrap(), None);
        assert_eq!(child.try_wait().unwrap(), None);
    });
    assert_eq!(child.terminate(GRACE).unwrap(), TERMINATED);
    assert_eq!(child.try_wait().unwrap(), Some(TERMINATED));
}

#[test]
fn the_exit_descriptor_tells_the_end() {
    let mut child = Child::spawn(&mut shell("exit 7")).unwrap();
    let fd = child.exit_fd().unwrap();
    let mut polled = [rustix::event::PollFd::from_borrowed_fd(fd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut polled, None).unwrap();
    assert_eq!(child.try_wait().unwrap(), Some(Outcome::Exited(7)));
}

#[test]
fn what_a_child_took_is_known_when_it_was_reaped() {
    let script =
        "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; head -c 30000000 /dev/zero | tail -n 1 | wc -c";
    let mut child = Child::spawn(shell(script).stdout(Stdio::null())).unwrap();
    assert_eq!(child.usage(), None);
    assert_eq!(child.wait_until(Deadline::NEVER).unwrap(), Some(Outcome::Exited(0)));
    let usage = child.usage().unwrap();
    assert!(usage.user > Duration::ZERO && usage.peak_memory > 30_000_000, "{usage:?}");
    let usage_of_a_killed = {
        let (mut child, _) = started("echo ready; exec sleep 60");
        child.terminate(GRACE).unwrap();
        child.usage()
    };
    assert!(usage_of_a_killed.is_some_and(|usage| usage.peak_memory < 30_000_000));
}

#[test]
fn who_ignores_the_request_is_killed_after_the_grace() {
    let (mut child, _) = started("trap '' TERM; echo ready; while :; do sleep 1; done");
    within(Duration::from_secs(20), || assert_eq!(child.terminate(GRACE).unwrap(), KILLED));
}

#[test]
fn who_cleans_up_in_time_ends_by_itself() {
    let (mut child, _) = started("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    assert_eq!(child.terminate(Duration::from_secs(10)).unwrap(), Outcome::Exited(5));
}

#[test]
fn the_stopped_see_the_request_as_well() {
    let (mut child, _) = started("echo ready; exec sleep 60");
    child.signal(Signal::STOP).unwrap();
    within(Duration::from_secs(5), || {
        assert_eq!(child.terminate(Duration::from_secs(10)).unwrap(), TERMINATED);
    });
}

#[test]
fn grandchildren_end_with_the_group() {
    let (mut child, grandchild) = started("trap '' TERM; sleep 60 & echo $!; exit 0");
    let group = child.group().unwrap();
    // The child is a member until it has ended.
    for _ in 0..1000 {
        if group.members().len() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(group.members().len(), 1);
    assert_eq!(child.terminate(GRACE).unwrap(), Outcome::Exited(0));
    assert_eq!(group.members(), [0; 0]);
    let state = ProcState::of(grandchild.parse().unwrap());
    assert!(state.state.is_none_or(|state| state == 'Z'), "{state}");
    assert_eq!(child.group(), None, "the number is no longer ours");
}

#[test]
fn a_dropped_child_is_killed() {
    let (child, _) = started("echo ready; sleep 60");
    let group = Group::of(child.id()).unwrap();
    drop(child);
    assert_eq!(group.members(), [0; 0]);
}

#[test]
fn a_detached_child_lives_on() {
    let (child, _) = started("echo ready; sleep 60");
    let group = Group::of(child.id()).unwrap();
    child.detach();
    assert!(!group.members().is_empty());
    group.signal(Signal::KILL).unwrap();
}

fn limits(milliseconds: u64) -> Limits {
    Limits { deadline: after(milliseconds), grace: GRACE, keep: 20 }
}

#[test]
fn a_run_keeps_both_streams() {
    let finished = process::run(&mut shell("echo out; echo err >&2; exit 3"), limits(10_000)).unwrap();
    assert_eq!((finished.outcome, finished.timed_out), (Outcome::Exited(3), false));
    assert_eq!((finished.stdout.text(), finished.stderr.text()), ("out\n".into(), "err\n".into()));
}

#[test]
fn a_pipe_held_open_by_a_grandchild_is_not_waited_for() {
    within(Duration::from_secs(3), || {
        let finished = process::run(&mut shell("sleep 60 & echo done"), limits(60_000)).unwrap();
        assert_eq!(finished.outcome, Outcome::Exited(0));
        assert_eq!(finished.stdout.text(), "done\n");
    });
}

#[test]
fn a_pipe_held_open_from_another_session_is_not_waited_for() {
    within(Duration::from_secs(3), || {
        let finished = process::run(&mut shell("setsid sleep 4 & echo done"), limits(60_000)).unwrap();
        assert_eq!(finished.outcome, Outcome::Exited(0));
    });
}

#[test]
fn output_without_end_from_what_is_left_running_is_not_read_for_ever() {
    for script in ["yes & exit 0", "setsid yes & exit 0"] {
        within(Duration::from_secs(20), || {
            let finished = process::run(&mut shell(script), limits(60_000)).unwrap();
            assert_eq!(finished.outcome, Outcome::Exited(0), "{script}");
        });
    }
}

#[test]
fn a_run_ends_at_the_deadline_and_keeps_what_was_said() {
    within(Duration::from_secs(3), || {
        let script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done";
        let finished = process::run(&mut shell(script), limits(300)).unwrap();
        assert!(finished.timed_out);
        assert_eq!(finished.stdout.text(), "hello\nbye\n");
    });
}

#[test]
fn large_output_takes_little_memory_and_all_of_it_is_seen() {
    let mut seen = 0;
    let finished =
        process::run_with(&mut shell("head -c 3000000 /dev/zero"), limits(20_000), |from, bytes| {
            assert_eq!(from, Source::Stdout);
            seen += bytes.len();
        })
        .unwrap();
    assert_eq!((seen, finished.stdout.omitted()), (3_000_000, 2_999_980));
}

#[test]
fn a_missing_program_is_an_error() {
    let error = process::run(&mut Command::new("/no/such/program"), limits(100)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn output_can_be_read_by_the_caller() {
    let mut child =
        Child::spawn(shell("cat; echo end >&2").stdin(Stdio::piped()).stderr(Stdio::piped())).unwrap();
    drop(child.take_stdin());
    let mut text = String::new();
    child.take_stderr().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "end\n");
    assert_eq!(child.wait_until(Deadline::NEVER).unwrap(), Some(Outcome::Exited(0)));
}
