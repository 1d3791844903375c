use std::io;
use std::time::Duration;

use process::Interrupt;
use streamresult::{Stop, StreamResult, StreamResultExt as _};
use subunit::{Event, Status};

use super::super::{Limits, Output, Planned, Retries, Suite, Test};
use super::{Conditions, Run};

/// Lines `b id` and `e id` begin and end a test; it fails by `f id`.
#[derive(Default)]
struct Words(Vec<u8>);

impl Output for Words {
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            let (word, id) = line.trim().split_once(' ').unwrap();
            let status = match word {
                "b" => Status::InProgress,
                "f" => Status::Fail,
                _ => Status::Success,
            };
            sink.status(&Event::status(id, status))?;
        }
        Ok(())
    }

    fn finish(&mut self, _: Option<i32>, _: &mut dyn StreamResult) -> io::Result<()> {
        Ok(())
    }
}

fn check(script: &str, ids: &[&str], limits: Limits, expected: &[&str]) {
    check_retried(script, ids, Conditions { limits, ..Conditions::default() }, 0, expected);
}

fn check_retried(script: &str, ids: &[&str], conditions: Conditions<'_>, left: usize, expected: &[&str]) {
    let suite = Suite {
        folder: ".".into(),
        command: format!("for id in $IDLIST; do {script}; done"),
        ..Suite::default()
    };
    let tests = ids.iter().map(|id| (Test::from(*id), Planned::default())).collect();
    let mut seen = Vec::new();
    let sink = streamresult::from_fn(|event: &Event<'_>| {
        if let (Some(id), Some(status)) = (event.test_id, event.status) {
            let file =
                event.file.map(|file| String::from_utf8_lossy(file.bytes).into_owned()).unwrap_or_default();
            let first = file.lines().next().unwrap_or_default();
            // How long it took differs.
            let parts: Vec<_> = first.split(" after ").collect();
            let rest =
                parts.get(1).and_then(|rest| rest.split_once(" (")).map(|(_, rest)| format!(" ({rest}"));
            let first = parts.first().copied().unwrap_or_default();
            seen.push(format!("{id} {status:?} {first}{}", rest.unwrap_or_default()).trim().to_owned());
        }
        Ok(())
    });
    let conditions = Conditions { workers: 1, startup: Duration::from_secs(60), ..conditions };
    let output = || Box::new(Words::default()) as Box<dyn Output>;
    let stop = Stop::new();
    let mut sink = (sink, stop.clone()).fail_fast(|event| {
        if event.test_id == Some("last") {
            stop.request();
        }
    });
    let run = Run::new(&suite, tests, conditions, &output, &mut sink).unwrap();
    assert_eq!(run.run(&Interrupt::never()).unwrap(), left);
    drop(sink);
    assert_eq!(seen, expected);
}

#[test]
fn what_is_said_is_passed_on() {
    check(
        "echo b $id; echo e $id",
        &["a", "b"],
        Limits::default(),
        &["a InProgress", "a Success", "b InProgress", "b Success"],
    );
}

#[test]
fn a_test_that_ran_when_its_worker_died_has_failed_and_the_rest_is_run() {
    check(
        "echo b $id; test $id = a && kill -9 $$; echo e $id",
        &["a", "b"],
        Limits::default(),
        &[
            "a InProgress",
            "a Fail it was running when worker 0 ended (killed by signal 9 (SIGKILL))",
            "b InProgress",
            "b Success",
        ],
    );
}

#[test]
fn a_test_that_was_passed_over_has_failed() {
    check(
        "test $id = a || { echo b $id; echo e $id; }",
        &["a", "b"],
        Limits::default(),
        &[
            "b InProgress",
            "b Success",
            "a Fail not run: it was sent to worker 0, and worker 0 ended (exit code 0)",
        ],
    );
}

#[test]
fn a_worker_that_ends_badly_is_a_failure() {
    check(
        "echo b $id; echo e $id; exit 3",
        &["a"],
        Limits::default(),
        &[
            "a InProgress",
            "a Success",
            "subunit-run.worker-0 Fail worker 0 ended (exit code 3), though no test failed",
        ],
    );
}

#[test]
fn a_test_that_takes_too_long_is_ended_and_the_rest_is_run() {
    let limits = Limits { test: Some(Duration::from_millis(1500)), ..Limits::default() };
    check(
        "echo b $id; test $id = a && sleep 1000; echo e $id",
        &["a", "b"],
        limits,
        &[
            "a InProgress",
            "a Fail it was running when worker 0 was ended: timed out",
            "b InProgress",
            "b Success",
        ],
    );
}

fn once<'a>() -> Conditions<'a> {
    Conditions { retries: Retries { most: 1, flaky_fails: false }, ..Conditions::default() }
}

#[test]
fn a_test_that_fails_is_run_again_after_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "echo b $id; mkdir {}/$id 2>/dev/null && test $id = a && echo f $id || echo e $id",
        folder.path().display()
    );
    let told = ["a InProgress", "b InProgress", "b Success", "a Success"];
    check_retried(&script, &["a", "b"], once(), 0, &told);
}

#[test]
fn what_ends_its_worker_is_not_tried_again_but_what_takes_too_long() {
    check_retried(
        "echo b $id; kill -9 $$",
        &["a"],
        once(),
        0,
        &["a InProgress", "a Fail it was running when worker 0 ended (killed by signal 9 (SIGKILL))"],
    );
    let folder = tempfile::tempdir().unwrap();
    let script =
        format!("echo b $id; mkdir {}/$id 2>/dev/null && sleep 1000; echo e $id", folder.path().display());
    let limits = Limits { test: Some(Duration::from_millis(500)), ..Limits::default() };
    check_retried(&script, &["a"], Conditions { limits, ..once() }, 0, &["a InProgress", "a Success"]);
}

#[test]
fn when_no_more_is_wanted_what_runs_is_ended_and_nothing_begins() {
    check_retried(
        "echo b $id; echo b c; echo f $id; sleep 1000",
        &["last", "c", "d"],
        Conditions::default(),
        2,
        &["last InProgress", "c InProgress", "last Fail", "c Skip ended, since the run was stopped"],
    );
}
