//! All reports count alike: what is a test, what has failed, and how the run went.

#![expect(clippy::unwrap_used, reason = "what a test needs and cannot have fails it")]

use cli::{Command, RunOutput, Verdict, run_with};
use filters::csv::Csv;
use filters::junitxml::JunitXml;
use filters::ls::Ls;
use filters::pyunit::Pyunit;
use filters::stats::Stats;
use filters::tap::Tap;
use subunit::{Event, File, Status, encode};

/// What a report says of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    /// Tests that are listed; damage is one of them.
    tests: usize,
    /// Those that count against the run.
    failed: usize,
    /// Failures of the run as a whole.
    global: usize,
}

impl Account {
    /// How a run of this account went, where a run of nothing is a verdict of its own.
    fn verdict(self) -> Verdict {
        match self {
            Account { failed: 0, global: 0, tests: 0 } => Verdict::Nothing,
            Account { failed: 0, global: 0, .. } => Verdict::Passed,
            _ => Verdict::Failed,
        }
    }
}

/// Runs a command, with the loose output of the stream held back.
fn run<C: Command>(args: &[&str], stream: &[u8], verdict: Verdict) -> RunOutput {
    let outcome = run_with::<C>(&[args, &["--no-passthrough"]].concat(), stream);
    assert_eq!(outcome.verdict, verdict, "{} {args:?}", C::command().get_name());
    outcome
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

fn lines(text: &str, is_one: impl Fn(&str) -> bool) -> usize {
    text.lines().filter(|line| is_one(line)).count()
}

fn ls(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<Ls>(&["--json"], stream, verdict);
    let failed = ["fail", "uxsuccess", "unfinished"]
        .map(|word| count(text.output(), &format!(r#""status":"{word}""#)));
    assert_eq!(lines(run::<Ls>(&[], stream, verdict).output(), |_| true), lines(text.output(), |_| true));
    let global = usize::from(text.errors().contains("fail"));
    Account { tests: lines(text.output(), |_| true), failed: failed.iter().sum(), global }
}

fn stats(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<Stats>(&[], stream, verdict);
    let number = |label: &str| {
        let line = text.output().lines().find_map(|line| line.strip_prefix(label)).unwrap();
        line.trim().parse().unwrap()
    };
    let global = usize::from(text.output().contains("test id: 1 fail"));
    Account { tests: number("Total tests: "), failed: number("Failed tests: "), global }
}

fn csv(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<Csv>(&["--columns=status"], stream, verdict);
    let failed = lines(text.output(), |word| matches!(word, "failure" | "uxsuccess" | "unfinished"));
    let global = usize::from(text.errors().contains("fail"));
    Account { tests: lines(text.output(), |_| true) - 1, failed, global }
}

fn tap(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<Tap>(&[], stream, verdict);
    let global = count(text.output(), "run as a whole: fail");
    let points = lines(text.output(), |line| line.starts_with("ok ") || line.starts_with("not ok "));
    let failed = lines(text.output(), |line| line.starts_with("not ok ") && !line.contains("# TODO"));
    assert!(text.output().contains(&format!("\n1..{points}\n")));
    Account { tests: points - global, failed: failed - global, global }
}

fn pyunit(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<Pyunit>(&[], stream, verdict);
    let text = text.errors();
    let number = |before: &str| {
        let rest = text.rsplit_once(before).map_or("", |(_, rest)| rest);
        rest.split(|character: char| !character.is_ascii_digit()).next().unwrap().parse().unwrap_or(0)
    };
    let global = count(text, "FAIL: the run as a whole");
    let failed = ["(failures=", "errors=", "unexpected successes="].map(number);
    Account { tests: number("\nRan "), failed: failed.iter().sum::<usize>() - global, global }
}

fn junitxml(stream: &[u8], verdict: Verdict) -> Account {
    let text = run::<JunitXml>(&[], stream, verdict);
    let global = count(text.errors(), "of the run as a whole");
    let failed = count(text.output(), "<failure") + count(text.output(), "<error");
    Account { tests: count(text.output(), "<testcase") - global, failed: failed - global, global }
}

fn check(name: &str, stream: &[u8], expected: Account) {
    let verdict = expected.verdict();
    let lenient = if verdict == Verdict::Nothing { Verdict::Passed } else { verdict };
    assert_eq!(ls(stream, lenient), expected, "{name}: subunit-ls");
    assert_eq!(stats(stream, lenient), expected, "{name}: subunit-stats");
    assert_eq!(csv(stream, lenient), expected, "{name}: subunit2csv");
    assert_eq!(tap(stream, verdict), expected, "{name}: subunit2tap");
    assert_eq!(pyunit(stream, verdict), expected, "{name}: subunit2pyunit");
    assert_eq!(junitxml(stream, verdict), expected, "{name}: subunit2junitxml");
}

fn check_events(name: &str, events: &[Event<'_>], tests: usize, failed: usize, global: usize) {
    let mut stream = Vec::new();
    events.iter().for_each(|event| encode(event, &mut stream).unwrap());
    check(name, &stream, Account { tests, failed, global });
}

fn status(status: Status) -> Event<'static> {
    Event::status("a", status)
}

fn file() -> Event<'static> {
    let file = Some(File { name: "log", bytes: b"text\n" });
    Event { file, status: None, ..status(Status::Success) }
}

#[test]
fn every_status_counts_alike() {
    check_events("nothing", &[], 0, 0, 0);
    check_events("exists", &[status(Status::Exists)], 0, 0, 0);
    check_events("inprogress", &[status(Status::InProgress)], 1, 1, 0);
    check_events("success", &[status(Status::Success)], 1, 0, 0);
    check_events("uxsuccess", &[status(Status::UxSuccess)], 1, 1, 0);
    check_events("skip", &[status(Status::Skip)], 1, 0, 0);
    check_events("fail", &[status(Status::Fail)], 1, 1, 0);
    check_events("xfail", &[status(Status::XFail)], 1, 0, 0);
    check_events("a file alone", &[file()], 1, 1, 0);
    check_events("not runnable", &[Event { runnable: false, ..status(Status::Fail) }], 1, 1, 0);
    check_events("an empty id", &[Event::status("", Status::Success)], 1, 0, 0);
}

#[test]
fn several_events_of_a_test_count_alike() {
    use Status::{Exists, Fail, InProgress, Success};
    check_events("announced, then run", &[status(Exists), status(Success)], 1, 0, 0);
    check_events("run, then announced", &[status(Success), status(Exists)], 1, 0, 0);
    check_events("announced while running", &[status(InProgress), status(Exists), status(Success)], 1, 0, 0);
    check_events("a late attachment", &[status(Success), file()], 1, 0, 0);
    check_events("begun again", &[status(Success), status(InProgress)], 2, 1, 0);
    check_events("run again", &[status(Fail), status(InProgress), status(Success)], 2, 1, 0);
    let other = Event { route_code: Some("0"), ..status(Fail) };
    check_events("two routes", &[status(InProgress), other, status(Success)], 2, 1, 0);
    check_events(
        "a route never ends",
        &[status(InProgress), Event { status: Some(Success), ..other }],
        2,
        1,
        0,
    );
}

#[test]
fn what_is_no_test_counts_alike() {
    let global = |status| Event { status: Some(status), ..Event::default() };
    check_events("fail of the run", &[global(Status::Fail)], 0, 0, 1);
    check_events("fail of the run, tests passed", &[global(Status::Fail), status(Status::Success)], 1, 0, 1);
    check_events("success of the run", &[global(Status::Success)], 0, 0, 0);
    check_events("a file of the run", &[Event::file("stdout", b"text\n")], 0, 0, 0);
}

#[test]
fn damage_counts_alike() {
    const FOO: &[u8] = b"\xb3\x2b\x03\x0c\x03foo\x61\x1e\x57\x6c";
    let damaged = Account { tests: 1, failed: 1, global: 0 };
    check("a bad checksum", b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1c", damaged);
    check("a cut packet", FOO.get(..9).unwrap(), damaged);
    let mut stream = Vec::new();
    encode(&status(Status::Success), &mut stream).unwrap();
    stream.extend(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1c\ntext\n\xb3\x29");
    check("two after a test", &stream, Account { tests: 3, failed: 2, global: 0 });
    check("text alone", b"make: nothing to be done\n", Account::default());
}
