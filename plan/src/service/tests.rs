//! Services of real processes, on this machine.

use std::net::TcpListener;
use std::time::Duration;

use fancy_regex::Regex;
use process::{Interrupt, Mark, Signal, Wait};
use transport::{Led, Place};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn led(script: &str) -> Led {
    Led { script: script.to_owned(), mark: Mark::new().value().to_owned(), ..Led::default() }
}

fn start(script: &str) -> Member {
    Member::start("db[0]".to_owned(), &Place::Here, led(script), Wait::FOREVER, |_| {}).unwrap()
}

fn log(regex: &str) -> Condition {
    Condition::Log(Regex::new(regex).unwrap())
}

fn ready(member: &Member, conditions: &[Condition], timeout: Duration) -> Result<(), String> {
    let interrupt = Interrupt::never();
    until_ready(
        member,
        conditions,
        Patience { timeout, every: Duration::from_millis(5), interrupt: &interrupt },
    )
}

#[test]
fn it_is_ready_when_all_conditions_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("up").display().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let member = start(&format!("echo listening; sleep 0.1; touch {file}; exec sleep 1000"));
    let conditions =
        [log("^listen"), Condition::Tcp(address), Condition::Run(led(&format!("test -e {file}")))];
    assert_eq!(ready(&member, &conditions, LONG), Ok(()));
    let stopped = member.stop(Signal::TERM, LONG);
    assert_eq!((stopped.trouble, stopped.left), (None, Vec::new()));
}

#[test]
fn what_never_holds_is_told_with_what_was_seen() {
    let check = |condition: Condition, expected: &str| {
        let member = start("echo starting; exec sleep 1000");
        assert_eq!(ready(&member, &[log("starting")], LONG), Ok(()));
        let told = ready(&member, &[condition], Duration::ZERO).unwrap_err();
        assert_eq!(told, format!("db[0] is not ready after 0ns: not yet {expected}\nstarting\n"));
    };
    check(log("listening"), "a line with `listening`: no such line has come");
}

#[test]
fn one_that_dies_is_not_waited_for() {
    let member = start("echo 'no room' >&2; exit 3");
    let told = ready(&member, &[log("listening")], LONG).unwrap_err();
    assert_eq!(told, "before a line with `listening`, db[0] ended: exit code 3\nno room\n");
    assert!(member.stop(Signal::TERM, LONG).trouble.unwrap().starts_with("db[0] ended: exit code 3"));
}

#[test]
fn one_that_is_killed_is_seen_and_a_log_is_read_from_a_mark() {
    let member = start("echo listening; exec sleep 1000");
    assert_eq!(ready(&member, &[log("listening")], LONG), Ok(()));
    assert_eq!(member.find(&Regex::new("listening").unwrap(), member.mark()), None);
    member.signal(Signal::KILL);
    let told = ready(&member, &[log("never")], LONG).unwrap_err();
    assert_eq!(told, "before a line with `never`, db[0] ended: killed by signal 9 (SIGKILL)\nlistening\n");
}

#[test]
fn what_does_not_stop_or_leaves_something_is_told() {
    let stop = |script: &str, grace: Duration| {
        let member = start(script);
        assert_eq!(ready(&member, &[log("up")], LONG), Ok(()));
        member.stop(Signal::TERM, grace)
    };
    let stubborn = stop("trap '' TERM; echo up; while :; do sleep 0.01; done", Duration::ZERO);
    assert_eq!(stubborn.trouble.as_deref(), Some("db[0] did not stop within 0ns and was killed"));
    let daemon = stop("trap 'exit 0' TERM; setsid sh -c 'echo up; exec sleep 1000 >&- 2>&-' & wait", LONG);
    assert_eq!((daemon.trouble, daemon.left.len()), (None, 1), "{:?}", daemon.left);
}

#[test]
fn a_paused_one_goes_on_and_stops() {
    let member = start("trap 'exit 0' TERM; while :; do echo tick; sleep 0.01; done");
    member.signal(Signal::STOP);
    member.signal(Signal::CONT);
    let mark = member.mark();
    while member.find(&Regex::new("tick").unwrap(), mark).is_none() {
        member.watch(LONG);
    }
    member.signal(Signal::STOP);
    assert_eq!(member.stop(Signal::TERM, LONG).trouble, None);
}

#[test]
fn what_is_not_known_is_not_filled_in() {
    let check = |text: &str, expected: Result<&str, &str>| {
        let variables =
            [("PORT", "4242"), ("NODE", "w1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let filled = fill(text, &variables.into());
        assert_eq!(filled.as_deref().map_err(String::as_str), expected);
    };
    check("listen ${NODE}:$PORT\n", Ok("listen w1:4242\n"));
    check("$$HOME é", Ok("$HOME é"));
    check("a\nb $PROT", Err("line 2: $PROT is not known; is it `PORT`?"));
    check("${PORT", Err("line 1: a $ without a name; write $NAME or ${NAME}, and $$ for a dollar"));
    check("5 $", Err("line 1: a $ without a name; write $NAME or ${NAME}, and $$ for a dollar"));
}
