//! Helpers: this program starts itself once more, so it has a `main` of its own.
#![expect(clippy::unwrap_used, reason = "tests, without the harness by which they are known as such")]

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use process::helper::{Guard, Helped, HelperMessage, Job, Progress, Refused, Stop, enter};
use process::{Cause, Deadline, Exit, Interrupt, ProcState, Signal, Timeouts, Wait};
use serde::{Deserialize, Serialize};

const HELPER: &str = "--internal-helper";
const TESTS: [(&str, fn()); 12] = [
    ("messages_come_in_order", messages_come_in_order),
    ("a_stuck_operation_is_named_and_its_helper_killed", a_stuck_operation_is_named_and_its_helper_killed),
    ("a_helper_asked_to_end_cleans_up", a_helper_asked_to_end_cleans_up),
    ("the_deadline_of_all_operations_holds", the_deadline_of_all_operations_holds),
    ("a_helper_holds_no_descriptor_but_its_own", a_helper_holds_no_descriptor_but_its_own),
    ("a_helper_leads_its_own_session", a_helper_leads_its_own_session),
    ("the_lock_is_held_by_a_helper_left_behind", the_lock_is_held_by_a_helper_left_behind),
    ("a_failed_helper_says_how_it_ended", a_failed_helper_says_how_it_ended),
    ("what_is_not_a_message_is_told", what_is_not_a_message_is_told),
    ("a_large_fact_comes_whole", a_large_fact_comes_whole),
    ("a_helper_says_what_it_does_and_for_whom", a_helper_says_what_it_does_and_for_whom),
    // The last one: it has this process asked to end.
    ("an_interrupt_ends_the_wait", an_interrupt_ends_the_wait),
];

/// What the helpers of these tests find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Fact {
    Size(u64),
    /// A descriptor, and what it leads to.
    Descriptor(OsString, OsString),
    Leads(bool),
    Large(String),
}

type Message = HelperMessage<Fact>;

/// Bytes of a large fact.
const LARGE: usize = 3 << 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(HELPER) {
        return help(&arguments.next().unwrap_or_default());
    }
    for (name, test) in TESTS {
        test();
        let _closed = io::Write::write_all(&mut io::stdout(), format!("test {name} ... ok\n").as_bytes());
    }
}

/// What the helper does, by name.
fn help(task: &str) {
    let mut reporter = enter().unwrap();
    let ended: Result<(), Stop> = (|| match task {
        "steps" => {
            reporter.step("one", || Ok(()))?;
            reporter.tell(Fact::Size(42))?;
            reporter.step("two", || Err::<(), _>(io::Error::from_raw_os_error(107)))
        }
        "stuck" => {
            reporter.step("open", || Ok(()))?;
            reporter.step("read", || {
                let end = Instant::now() + Duration::from_secs(60);
                while Instant::now() < end {
                    sleep(Duration::from_secs(60));
                }
                Ok(())
            })
        }
        "slow" => loop {
            match reporter.step("nap", || {
                sleep(Duration::from_millis(100));
                Ok(())
            }) {
                Ok(()) => {}
                Err(Stop::Asked) => return reporter.last_step("clean up", || Ok(())),
                Err(stop) => return Err(stop),
            }
        },
        "descriptors" => {
            for entry in fs::read_dir("/proc/self/fd").unwrap().flatten() {
                let target = fs::read_link(entry.path()).unwrap_or_default();
                reporter.tell(Fact::Descriptor(entry.file_name(), target.into()))?;
            }
            Ok(())
        }
        "session" => {
            let session = rustix::process::getsid(None).unwrap();
            reporter.tell(Fact::Leads(session == rustix::process::getpid()))
        }
        "noisy" => {
            reporter.tell(Fact::Size(1))?;
            io::stdout().write_all(b"NOTICE: hello\n").unwrap();
            reporter.tell(Fact::Size(2))
        }
        "torn" => {
            reporter.tell(Fact::Size(1))?;
            io::stdout().write_all(b"{\"found\":{\"Si").and_then(|()| io::stdout().flush()).unwrap();
            std::process::abort()
        }
        "large" => reporter.tell(Fact::Large("x".repeat(LARGE))),
        _ => std::process::abort(),
    })();
    drop(ended);
}

fn job(task: &str) -> Job<'static> {
    Job {
        program: None,
        arguments: vec![OsString::from(HELPER), OsString::from(task)],
        title: format!("test: {task}"),
        operation: Duration::from_millis(500),
        wait: Wait::until(Deadline::after(Duration::from_secs(10))),
        timeouts: Timeouts::PROBE.with_grace(Duration::from_millis(200)),
        guard: None,
        creates: Vec::new(),
    }
}

fn run(job: Job<'_>) -> (Helped, Vec<Message>, Duration) {
    let (begin, mut messages) = (Instant::now(), Vec::new());
    let ending = job.run(|message| messages.push(message)).unwrap();
    (ending, messages, begin.elapsed())
}

fn messages_come_in_order() {
    let (helped, messages, _) = run(job("steps"));
    assert_eq!((helped.ending.cause, helped.ending.exit), (Cause::Itself, Exit::Exited(0)));
    assert_eq!(helped.unreadable, None);
    let [begun, done, found, begun_two, failed] = messages.try_into().unwrap();
    assert_eq!(begun, Message::Progress(Progress::Begun("one".into())));
    assert!(matches!(done, Message::Progress(Progress::Done { operation, .. }) if operation == "one"));
    assert_eq!(found, Message::Found(Fact::Size(42)));
    assert_eq!(begun_two, Message::Progress(Progress::Begun("two".into())));
    assert!(matches!(failed, Message::Progress(Progress::Failed { errno: Some(107), .. })));
}

fn a_stuck_operation_is_named_and_its_helper_killed() {
    let (helped, _, elapsed) = run(job("stuck"));
    assert_eq!(helped.ending.cause, Cause::Stopped);
    assert_eq!(helped.ending.exit, Exit::Signalled { signal: 9, core: false });
    let stuck = helped.stuck.unwrap();
    assert_eq!(stuck.operation, "read");
    let state = helped.ending.asked.unwrap().state;
    assert_eq!(state.state, Some('S'), "{state}");
    assert!(elapsed < Duration::from_secs(3), "it took {elapsed:?}");
}

fn a_helper_asked_to_end_cleans_up() {
    let wait = Wait::until(Deadline::after(Duration::from_millis(450)));
    let (helped, messages, _) = run(Job { wait, timeouts: Timeouts::COMMAND, ..job("slow") });
    assert_eq!((helped.ending.cause, helped.ending.exit), (Cause::TimedOut, Exit::Exited(0)));
    let last = messages.last();
    assert!(
        matches!(last, Some(Message::Progress(Progress::Done { operation, .. })) if operation == "clean up")
    );
}

fn the_deadline_of_all_operations_holds() {
    let wait = Wait::until(Deadline::after(Duration::from_millis(100)));
    let (helped, _, elapsed) = run(Job { wait, operation: Duration::from_secs(60), ..job("stuck") });
    assert_eq!(helped.ending.cause, Cause::TimedOut);
    assert!(elapsed < Duration::from_secs(3), "it took {elapsed:?}");
}

fn a_helper_holds_no_descriptor_but_its_own() {
    // Descriptors that a shell opened are inherited, as this one is.
    let (reader, writer) = io::pipe().unwrap();
    rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).unwrap();
    let (_, messages, _) = run(job("descriptors"));
    drop((reader, writer));
    let found = messages.into_iter().filter_map(|message| match message {
        Message::Found(Fact::Descriptor(number, target)) => Some((number, target.into_string().unwrap())),
        _ => None,
    });
    // The signals' pipe and the listing itself are the helper's own.
    let all: Vec<_> = found.filter(|(_, target)| !target.starts_with("/proc/")).collect();
    let inherited: Vec<_> = all.iter().filter(|(_, target)| target.starts_with("pipe:")).collect();
    assert_eq!(inherited.len(), 1, "{all:?}");
    assert_eq!(inherited[0].0, "1", "the pipe for results, and none other");
}

fn a_helper_leads_its_own_session() {
    let (_, messages, _) = run(job("session"));
    assert_eq!(messages, [Message::Found(Fact::Leads(true))]);
}

fn what_is_not_a_message_is_told() {
    let check = |task, found: &[u64], line, reason: &str| {
        let (helped, messages, _) = run(job(task));
        assert!(messages.into_iter().eq(found.iter().map(|size| Message::Found(Fact::Size(*size)))));
        let unreadable = helped.unreadable.unwrap();
        assert_eq!(unreadable.line, line);
        assert!(unreadable.reason.contains(reason), "{unreadable:?}");
    };
    check("noisy", &[1, 2], "NOTICE: hello", "expected value");
    check("torn", &[1], r#"{"found":{"Si"#, "EOF while parsing a string");
}

fn a_large_fact_comes_whole() {
    // However long that takes.
    let (helped, messages, _) = run(Job { operation: Duration::from_secs(10), ..job("large") });
    assert_eq!(helped.unreadable, None);
    assert!(messages == [Message::Found(Fact::Large("x".repeat(LARGE)))], "{} messages", messages.len());
}

fn the_lock_is_held_by_a_helper_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut guard = Guard::take(folder.path(), "it", Wait::FOREVER).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let guard = &mut guard;
        scope.spawn(move || run(Job { guard: Some(guard), creates: vec!["/x".into()], ..job("stuck") }));
        sleep(Duration::from_millis(200));
        let Err(Refused::Busy(busy)) =
            Guard::take(folder.path(), "it", Wait::until(Deadline::after(Duration::from_millis(50))))
        else {
            panic!("the lock was had twice");
        };
        assert!(matches!(busy.state, Some(ProcState { state: Some('S'), .. })), "{busy}");
    });
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(guard);
    let guard = Guard::take(folder.path(), "it", Wait::until(Deadline::now())).unwrap();
    assert_eq!(guard.created(), ["/x"]);
}

fn a_failed_helper_says_how_it_ended() {
    let (helped, messages, _) = run(job("no such task"));
    assert_eq!(messages, []);
    assert_eq!(helped.ending.cause, Cause::Itself);
    // No core dump: the helper turned them off.
    assert_eq!(helped.ending.exit, Exit::Signalled { signal: 6, core: false });
    assert!(std::process::ExitStatus::from_raw(6).signal().is_some());
}

fn an_interrupt_ends_the_wait() {
    let interrupt = Interrupt::watch().unwrap();
    rustix::process::kill_process(rustix::process::getpid(), Signal::TERM).unwrap();
    let wait = Wait { deadline: Deadline::NEVER, interrupt: &interrupt };
    let (helped, _, elapsed) = run(Job { wait, operation: Duration::from_secs(60), ..job("stuck") });
    assert_eq!(helped.ending.cause, Cause::Interrupted);
    assert!(elapsed < Duration::from_secs(3), "it took {elapsed:?}");
}

fn a_helper_says_what_it_does_and_for_whom() {
    let mut seen = (String::new(), String::new());
    let look = |pid| {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
        (read("cmdline"), read("comm"))
    };
    let folder = tempfile::tempdir().unwrap();
    let mut guard = Guard::take(folder.path(), "it", Wait::FOREVER).unwrap();
    let title = "check-eos: statx /eos/user".to_owned();
    let job = Job { guard: Some(&mut guard), title, operation: Duration::from_millis(900), ..job("stuck") };
    job.run(|message: Message| {
        if message == Message::Progress(Progress::Begun("read".into())) {
            let Err(Refused::Busy(busy)) = Guard::take(folder.path(), "it", Wait::until(Deadline::now()))
            else {
                panic!("the helper does not hold the lock");
            };
            seen = look(busy.pid.unwrap());
        }
    })
    .unwrap();
    assert_eq!(seen.0.split('\0').next(), Some("check-eos: statx /eos/user"));
    assert_eq!(seen.1, "read\n");
}
