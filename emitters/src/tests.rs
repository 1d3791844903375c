//! No packet goes to a terminal.

use cli::{Command, Terminal, Verdict, run_on};

use crate::combine::Combine;
use crate::exec::Exec;
use crate::gojson::FromGoJson;
use crate::junitxml::FromJunitXml;
use crate::libtest::FromLibtest;
use crate::output::Output;
use crate::tap::FromTap;

/// Whether a command does nothing where stdout is a terminal, and says what to do.
fn check<C: Command>(args: &[&str]) {
    let outcome = run_on::<C>(args, b"", Terminal { output: true, ..Terminal::default() });
    assert_eq!((outcome.verdict, outcome.output()), (Verdict::Error, ""), "{args:?}");
    assert!(outcome.errors().contains("stdout is a terminal"), "{}", outcome.errors());
}

#[test]
fn emitters_refuse_a_terminal() {
    check::<Combine>(&["/no/such/file"]);
    check::<Exec>(&["a", "--", "/no/such/program"]);
    check::<FromGoJson>(&[]);
    check::<FromJunitXml>(&[]);
    check::<FromLibtest>(&[]);
    check::<FromTap>(&[]);
    check::<Output>(&["--success", "a"]);
}
