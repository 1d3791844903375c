//! Helpers: this program starts itself once more, so it has a `main` of its own.
#![expect(clippy::unwrap_used, reason = "tests, without the harness by which they are known as such")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use process::helper::{Guard, Helped, Job, Record, Refused, Stop, enter};
use process::{Cause, Deadline, Exit, Interrupt, ProcState, Signal, Timeouts, Wait};

const HELPER: &str = "--internal-helper";
const TESTS: [(&str, fn()); 10] = [
    ("records_come_in_order", records_come_in_order),
    ("a_stuck_operation_is_named_and_its_helper_killed", a_stuck_operation_is_named_and_its_helper_killed),
    ("a_helper_asked_to_end_cleans_up", a_helper_asked_to_end_cleans_up),
    ("the_deadline_of_all_operations_holds", the_deadline_of_all_operations_holds),
    ("a_helper_holds_no_descriptor_but_its_own", a_helper_holds_no_descriptor_but_its_own),
    ("a_helper_leads_its_own_session", a_helper_leads_its_own_session),
    ("the_lock_is_held_by_a_helper_left_behind", the_lock_is_held_by_a_helper_left_behind),
    ("a_failed_helper_says_how_it_ended", a_failed_helper_says_how_it_ended),
    ("a_helper_says_what_it_does_and_for_whom", a_helper_says_what_it_does_and_for_whom),
    // The last one: it has this process asked to end.
    ("an_interrupt_ends_the_wait", an_interrupt_ends_the_wait),
];

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
            reporter.value("size", 42)?;
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
                reporter.value(&entry.file_name().to_string_lossy(), target.display())?;
            }
            Ok(())
        }
        "session" => {
            let session = rustix::process::getsid(None).unwrap();
            reporter.value("own", session == rustix::process::getpid())
        }
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

fn run(job: Job<'_>) -> (Helped, Vec<Record>, Duration) {
    let (begin, mut records) = (Instant::now(), Vec::new());
    let ending = job.run(|record| records.push(record)).unwrap();
    (ending, records, begin.elapsed())
}

fn records_come_in_order() {
    let (helped, records, _) = run(job("steps"));
    assert_eq!((helped.ending.cause, helped.ending.exit), (Cause::Itself, Exit::Exited(0)));
    let [begin, done, value, begin_two, failed] = records.try_into().unwrap();
    assert_eq!(begin, Record::Begin("one".into()));
    assert!(matches!(done, Record::Done { operation, .. } if operation == "one"));
    assert_eq!(value, Record::Value { name: "size".into(), text: "42".into() });
    assert_eq!(begin_two, Record::Begin("two".into()));
    assert!(matches!(failed, Record::Failed { errno: Some(107), .. }));
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
    let (helped, records, _) = run(Job { wait, timeouts: Timeouts::COMMAND, ..job("slow") });
    assert_eq!((helped.ending.cause, helped.ending.exit), (Cause::TimedOut, Exit::Exited(0)));
    assert!(matches!(records.last(), Some(Record::Done { operation, .. }) if operation == "clean up"));
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
    let (_, records, _) = run(job("descriptors"));
    drop((reader, writer));
    let names: Vec<_> = records
        .into_iter()
        .filter_map(|record| match record {
            // The signals' pipe and the listing itself are the helper's own.
            Record::Value { name, text } if !text.starts_with("/proc/") => Some((name, text)),
            _ => None,
        })
        .collect();
    let inherited: Vec<_> = names.iter().filter(|(_, text)| text.starts_with("pipe:")).collect();
    assert_eq!(inherited.len(), 1, "{names:?}");
    assert_eq!(inherited[0].0, "1", "the pipe for results, and none other");
}

fn a_helper_leads_its_own_session() {
    let (_, records, _) = run(job("session"));
    assert_eq!(records, [Record::Value { name: "own".into(), text: "true".into() }]);
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
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(guard);
    let guard = Guard::take(folder.path(), "it", Wait::until(Deadline::now())).unwrap();
    assert_eq!(guard.created(), ["/x"]);
}

fn a_failed_helper_says_how_it_ended() {
    let (helped, records, _) = run(job("no such task"));
    assert_eq!(records, []);
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
    job.run(|record| {
        if record == Record::Begin("read".into()) {
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
