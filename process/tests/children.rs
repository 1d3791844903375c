//! Real children: what ends, what does not, and what they start themselves.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use process::{
    Cause, Child, ChildInput, Deadline, Ending, Exit, Follow, Interrupt, Outputs, ProcState, ProcessGroup,
    Signal, Sink, Source, Timeouts, Wait,
};

const GRACE: Duration = Duration::from_millis(300);
const KILLED: Exit = Exit::Signalled { signal: 9, core: false };
const TERMINATED: Exit = Exit::Signalled { signal: 15, core: false };

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
    assert_eq!(child.try_wait().unwrap(), Some(Exit::Exited(7)));
}

#[test]
fn what_a_child_took_is_known_when_it_was_reaped() {
    let script =
        "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; head -c 100000000 /dev/zero | tail -n 1 | wc -c";
    let mut child = Child::spawn(shell(script).stdout(Stdio::null())).unwrap();
    assert_eq!(child.usage(), None);
    assert_eq!(child.wait_until(Deadline::NEVER).unwrap(), Some(Exit::Exited(0)));
    let usage = child.usage().unwrap();
    assert!(usage.user > Duration::ZERO && usage.peak_memory > 100_000_000, "{usage:?}");
    let usage_of_a_killed = {
        let (mut child, _) = started("echo ready; exec sleep 60");
        child.terminate(GRACE).unwrap();
        child.usage()
    };
    assert!(usage_of_a_killed.is_some_and(|usage| usage.peak_memory < 100_000_000));
}

#[test]
fn who_ignores_the_request_is_killed_after_the_grace() {
    let (mut child, _) = started("trap '' TERM; echo ready; while :; do sleep 1; done");
    within(Duration::from_secs(20), || assert_eq!(child.terminate(GRACE).unwrap(), KILLED));
}

#[test]
fn who_cleans_up_in_time_ends_by_itself() {
    let (mut child, _) = started("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    assert_eq!(child.terminate(Duration::from_secs(10)).unwrap(), Exit::Exited(5));
}

#[test]
fn the_stopped_see_the_request_as_well() {
    let (mut child, _) = started("echo ready; exec sleep 60");
    child.signal(Signal::STOP).unwrap();
    within(Duration::from_secs(5), || {
        assert_eq!(child.terminate(Duration::from_secs(10)).unwrap(), TERMINATED);
    });
}

/// Nothing of the group is left. A killed process takes a moment to go away.
fn check_gone(group: ProcessGroup) {
    for _ in 0..1000 {
        if group.members().is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(group.members(), [0; 0]);
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
    assert_eq!(child.terminate(GRACE).unwrap(), Exit::Exited(0));
    check_gone(group);
    let state = ProcState::of(grandchild.parse().unwrap());
    assert!(state.state.is_none_or(|state| state == 'Z'), "{state}");
    // Whether the group has gone is looked at when something is done to it.
    assert_eq!(child.kill(GRACE).unwrap(), Exit::Exited(0));
    assert_eq!(child.group(), None, "the number is no longer ours");
}

#[test]
fn a_dropped_child_is_killed() {
    let (child, _) = started("echo ready; sleep 60");
    let group = ProcessGroup::of(child.id()).unwrap();
    drop(child);
    check_gone(group);
}

#[test]
fn a_detached_child_lives_on() {
    let (child, _) = started("echo ready; sleep 60");
    let group = ProcessGroup::of(child.id()).unwrap();
    child.detach();
    assert!(!group.members().is_empty());
    group.signal(Signal::KILL).unwrap();
}

fn follow(milliseconds: u64) -> Follow<'static> {
    Follow::new(Wait::until(after(milliseconds)), Timeouts::COMMAND.with_grace(GRACE))
}

/// What a run kept in twenty bytes of each output, and how it ended.
fn run(script: &str, follow: Follow<'_>) -> (Ending, String, String) {
    let Ok(finished) = process::run(&mut shell(script), follow, 20) else { panic!("cannot run {script}") };
    (finished.ending, finished.stdout.text(), finished.stderr.text())
}

#[test]
fn a_run_keeps_both_streams() {
    let (ending, stdout, stderr) = run("echo out; echo err >&2; exit 3", follow(10_000));
    assert_eq!((ending.exit, ending.cause), (Exit::Exited(3), Cause::Itself));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
}

#[test]
fn both_streams_can_be_one() {
    let follow = Follow { outputs: Outputs::Merged, ..follow(10_000) };
    let (_, stdout, stderr) = run("echo a; echo b >&2; echo c", follow);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("a\nb\nc\n", ""));
}

#[test]
fn a_pipe_held_open_by_a_grandchild_is_not_waited_for() {
    within(Duration::from_secs(3), || {
        let (ending, stdout, _) = run("sleep 60 & echo done", follow(60_000));
        assert_eq!((ending.exit, stdout.as_str()), (Exit::Exited(0), "done\n"));
    });
}

#[test]
fn a_pipe_held_open_from_another_session_is_not_waited_for() {
    within(Duration::from_secs(3), || {
        let (ending, ..) = run("setsid sleep 4 & echo done", follow(60_000));
        assert_eq!(ending.exit, Exit::Exited(0));
    });
}

#[test]
fn what_a_producer_leaves_running_may_still_say_something() {
    let follow = Follow { timeouts: Timeouts::PRODUCER, ..follow(60_000) };
    assert_eq!(run("(sleep 0.5; echo late) & echo early", follow).1, "early\nlate\n");
}

#[test]
fn output_without_end_from_what_is_left_running_is_not_read_for_ever() {
    for script in ["yes & exit 0", "setsid yes & exit 0"] {
        within(Duration::from_secs(20), || {
            assert_eq!(run(script, follow(60_000)).0.exit, Exit::Exited(0), "{script}");
        });
    }
}

#[test]
fn a_run_ends_at_the_deadline_and_keeps_what_was_said() {
    within(Duration::from_secs(3), || {
        let script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done";
        let (ending, stdout, _) = run(script, follow(300));
        assert_eq!((ending.exit, ending.cause), (Exit::Exited(0), Cause::TimedOut));
        assert_eq!(stdout, "hello\nbye\n");
        assert!(ending.asked.is_some_and(|asked| asked.state.state.is_some()));
    });
}

#[test]
fn the_last_words_of_one_that_is_asked_to_end_need_not_fit_into_a_pipe() {
    let script = "trap 'head -c 3000000 /dev/zero; exit 0' TERM; echo hello; while :; do sleep 0.05; done";
    let follow = Follow { timeouts: Timeouts::COMMAND, ..follow(300) };
    let finished = process::run(&mut shell(script), follow, 2).unwrap();
    assert_eq!((finished.ending.exit, finished.stdout.omitted()), (Exit::Exited(0), 3_000_004));
}

#[test]
fn a_run_ends_when_a_signal_comes() {
    let interrupt = Interrupt::watch().unwrap();
    let wait = Wait { deadline: Deadline::NEVER, interrupt: &interrupt };
    let follow = Follow { wait, ..follow(0) };
    within(Duration::from_secs(20), || {
        let (ending, ..) = run(&format!("kill -TERM {}; exec sleep 60", std::process::id()), follow);
        assert_eq!((ending.exit, ending.cause), (TERMINATED, Cause::Interrupted));
    });
    assert_eq!(interrupt.signal(), Some(Signal::TERM));
    assert!(!wait.sleep(Duration::from_secs(60)));
    let (reader, _writer) = io::pipe().unwrap();
    assert!(!wait.readable(reader.as_fd()).unwrap());
}

#[test]
fn a_run_ends_with_the_lifeline() {
    let (lifeline, mut other) = io::pipe().unwrap();
    let follow = Follow { lifeline: Some(lifeline.as_fd()), ..follow(60_000) };
    let child = follow.start(&mut shell("echo ready; exec sleep 60")).unwrap();
    other.write_all(b"what comes in is of no interest").unwrap();
    let mut other = Some(other);
    let ending = child.to_the_end(&mut |_: Source, _: &[u8]| {
        other = None;
        Ok(())
    });
    let ending = ending.unwrap();
    assert_eq!((ending.exit, ending.cause), (TERMINATED, Cause::Interrupted));
}

#[test]
fn large_output_takes_little_memory() {
    let finished = process::run(&mut shell("head -c 3000000 /dev/zero"), follow(20_000), 20).unwrap();
    assert_eq!(finished.stdout.omitted(), 2_999_980);
}

#[test]
fn input_of_any_length_is_written_as_it_is_read() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    let follow = Follow { input: Some(ChildInput::Bytes((&bytes).into())), ..follow(20_000) };
    let mut read = Vec::new();
    let child = follow.start(&mut Command::new("cat")).unwrap();
    let ending = child.to_the_end(&mut |_: Source, bytes: &[u8]| {
        read.extend_from_slice(bytes);
        Ok(())
    });
    assert!(ending.unwrap().is_success() && read == bytes);
}

#[test]
fn who_does_not_read_its_input_loses_it() {
    let bytes = vec![0; 3_000_000];
    let input = Some(ChildInput::Bytes((&bytes).into()));
    for script in ["exit 3", "exec <&-; sleep 0.1; exit 3"] {
        let follow = Follow { input: input.clone(), ..follow(20_000) };
        assert_eq!(run(script, follow).0.exit, Exit::Exited(3), "{script}");
    }
    let empty = Follow { input: Some(ChildInput::Bytes(b"".into())), ..follow(20_000) };
    assert_eq!(run("cat; echo end", empty).1, "end\n");
}

#[test]
fn the_end_of_a_held_input_asks_to_end() {
    let input = Some(ChildInput::Held(b"go\n".into()));
    let follow = Follow { input, timeouts: Timeouts::COMMAND, ..follow(300) };
    let (ending, stdout, _) = run("trap 'echo no' TERM; read a; echo $a; cat; echo end", follow);
    assert_eq!((ending.exit, ending.cause), (Exit::Exited(0), Cause::TimedOut));
    assert_eq!(stdout, "go\nend\n");
}

/// Takes no more than a byte at a time, and only when there is room for it.
struct Slow<'a> {
    outlet: BorrowedFd<'a>,
    waiting: usize,
    written: usize,
}

impl Sink for Slow<'_> {
    fn take(&mut self, _: Source, bytes: &[u8]) -> io::Result<()> {
        assert_eq!(self.waiting, 0, "nothing is read while something waits to be written");
        self.waiting += bytes.len();
        Ok(())
    }

    fn backlog(&self) -> Option<BorrowedFd<'_>> {
        (self.waiting > 0).then_some(self.outlet)
    }

    fn write(&mut self) -> io::Result<()> {
        let count = self.waiting.min(4096);
        self.waiting -= count;
        self.written += rustix::io::write(self.outlet, &[0; 4096][..count])?;
        Ok(())
    }
}

#[test]
fn a_slow_reader_holds_up_the_child_and_not_the_deadline() {
    let (_reader, writer) = io::pipe().unwrap();
    let outlet = writer.as_fd();
    let mut slow = Slow { outlet, waiting: 0, written: 0 };
    let timeouts = Timeouts { reader: GRACE, ..Timeouts::COMMAND.with_grace(GRACE) };
    let follow = Follow { outlet: Some(outlet), timeouts, ..follow(300) };
    within(Duration::from_secs(20), || {
        let ending = follow.start(&mut shell("exec yes")).unwrap().to_the_end(&mut slow).unwrap();
        assert_eq!((ending.exit, ending.cause, ending.is_cut), (TERMINATED, Cause::TimedOut, true));
    });
    assert_eq!(slow.written, 65_536, "what a pipe holds");
}

#[test]
fn a_reader_that_goes_away_ends_the_child() {
    let (reader, writer) = io::pipe().unwrap();
    let outlet = Some(writer.as_fd());
    let child = Follow { outlet, ..follow(60_000) }.start(&mut shell("echo ready; exec sleep 60")).unwrap();
    let group = ProcessGroup::of(child.id()).unwrap();
    let mut reader = Some(reader);
    let ended = child.to_the_end(&mut |_: Source, _: &[u8]| {
        reader = None;
        Ok(())
    });
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    check_gone(group);
}

/// Gives the child as long as it says something.
struct Impatient(Deadline);

impl Sink for Impatient {
    fn take(&mut self, _: Source, _: &[u8]) -> io::Result<()> {
        self.0 = after(1000);
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.0
    }
}

#[test]
fn a_sink_ends_a_child_by_what_it_says() {
    let child =
        follow(60_000).start(&mut shell("for i in 1 2 3; do echo $i; sleep 0.5; done; exec sleep 60"));
    let ending = child.unwrap().to_the_end(&mut Impatient(after(1000))).unwrap();
    assert_eq!((ending.exit, ending.cause), (TERMINATED, Cause::Stopped));
    assert!(ending.elapsed > Duration::from_millis(1500));
}

#[test]
fn a_missing_program_is_an_error() {
    let error = follow(100).start(&mut Command::new("/no/such/program")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn output_can_be_read_by_the_caller() {
    let mut child =
        Child::spawn(shell("cat; echo end >&2").stdin(Stdio::piped()).stderr(Stdio::piped())).unwrap();
    drop(child.take_stdin());
    let mut text = String::new();
    child.take_stderr().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "end\n");
    assert_eq!(child.wait_until(Deadline::NEVER).unwrap(), Some(Exit::Exited(0)));
}

/// Orders the end of a child as soon as it has written something.
struct Orders {
    lifeline: io::PipeWriter,
    is_told: bool,
}

impl Sink for Orders {
    fn take(&mut self, _: Source, _: &[u8]) -> io::Result<()> {
        self.lifeline.write_all(b"end\n")
    }

    fn told(&mut self, bytes: &[u8]) {
        self.is_told = bytes == b"end\n";
    }

    fn deadline(&self) -> Deadline {
        if self.is_told { Deadline::now() } else { Deadline::NEVER }
    }
}

#[test]
fn an_order_that_comes_with_an_output_is_heard() {
    let (reader, lifeline) = io::pipe().unwrap();
    let follow = Follow { lifeline: Some(reader.as_fd()), ..Follow::new(Wait::FOREVER, Timeouts::PROBE) };
    let child = follow.start(Command::new("sh").args(["-c", "echo up; exec sleep 1000"])).unwrap();
    let ending = child.to_the_end(&mut Orders { lifeline, is_told: false }).unwrap();
    assert_eq!(ending.cause, Cause::Stopped);
}
