use std::borrow::Cow;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use streamresult::{StreamResult, StreamResultExt, Summary, from_fn};
use subunit::{Event, Status, Timestamp};

use crate::script::{Lines, check_lines, run};

const SCRIPT: &str = "
    a inprogress t=1 tags=x
    - - file=stdout:x
    a success route=7";

/// What comes out of an adaptor for the same three events.
fn check(adapt: impl for<'l> FnOnce(&'l mut Lines) -> Box<dyn StreamResult + 'l>, expected: &str) {
    let mut lines = Lines::default();
    run(SCRIPT, &mut adapt(&mut lines));
    check_lines(&lines.0, &format!("start\n{expected}\nstop"));
}

#[test]
fn a_filter_passes_what_is_wanted() {
    check(|lines| Box::new(lines.filtered(|event| event.test_id.is_none())), "- - file=stdout:x");
}

#[test]
fn tags_are_added_to_every_event_and_discarded_ones_win() {
    check(
        |lines| Box::new(lines.tagged(["new", "gone"], ["x", "gone"])),
        "a inprogress tags=new t=1
         - - file=stdout:x tags=new
         a success tags=new route=7",
    );
    check(
        |lines| Box::new(lines.tagged([""; 0], ["x"])),
        "a inprogress t=1
         - - file=stdout:x
         a success route=7",
    );
}

#[test]
fn a_route_goes_in_front() {
    check(
        |lines| Box::new(lines.routed("w").routed("x")),
        "a inprogress tags=x t=1 route=w/x
         - - file=stdout:x route=w/x
         a success route=w/x/7",
    );
}

#[test]
fn tests_are_renamed() {
    check(
        |lines| Box::new(lines.renamed(|id| Cow::Owned(format!("{id}.{id}")))),
        "a.a inprogress tags=x t=1
         - - file=stdout:x
         a.a success route=7",
    );
}

#[test]
fn a_time_is_given_where_there_is_none() {
    let mut seconds = 5;
    let clock = move || {
        seconds += 1;
        Timestamp::from_seconds(seconds)
    };
    check(
        |lines| Box::new(lines.stamped_by(clock)),
        "a inprogress tags=x t=1
         - - file=stdout:x t=6
         a success t=7 route=7",
    );
}

#[test]
fn adaptors_chain_and_the_last_one_is_first() {
    check(
        |lines| {
            let wanted = |event: &Event<'_>| event.route_code == Some("w/7");
            Box::new(lines.tagged(["t"], [""; 0]).filtered(wanted).routed("w"))
        },
        "a success tags=t route=w/7",
    );
}

#[test]
fn the_alarm_is_raised_and_everything_passes() {
    let mut alarms = 0;
    let mut lines = Lines::default();
    let mut result = (&mut lines).fail_fast(|event| {
        assert_eq!(event.status, Some(Status::Fail));
        alarms += 1;
    });
    run("a fail\nb fail\nc inprogress", &mut result);
    assert_eq!(alarms, 1);
    check_lines(&lines.0, "start\na fail\nb fail\nc inprogress\nstop");
}

#[test]
fn pairs_lists_and_options_pass_everything_to_all() {
    let (mut one, mut other) = (Lines::default(), Lines::default());
    {
        let list: Vec<Box<dyn StreamResult + '_>> = vec![Box::new(&mut one)];
        run(SCRIPT, &mut (list, (Some(&mut other), None::<Lines>)));
    }
    assert_eq!(one.0, other.0);
    assert_eq!(one.0.len(), 5);
}

#[test]
fn arrays_tuples_and_what_threads_share_are_results() {
    let shared = Arc::new(Mutex::new(Summary::new()));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let mut result = shared.clone().routed(number.to_string());
            thread::spawn(move || {
                (0..100).try_for_each(|test| {
                    result.status(&Event::status(&format!("test {test}"), Status::Success))
                })
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
    assert_eq!(shared.lock().unwrap().total(), 400);

    let (mut a, mut b, mut c) = (Summary::new(), Summary::new(), [Summary::new(), Summary::new()]);
    let mut all = (&mut a, from_fn(|_| Err(io::Error::other("no"))), &mut b, None::<Summary>, &mut c);
    assert_eq!(all.status(&Event::test("t").with_status(Status::Fail)).unwrap_err().to_string(), "no");
    assert!([a, b].iter().chain(&c).all(|summary| summary.failures() == 1));
}

#[test]
fn what_is_in_an_adaptor_can_be_looked_at() {
    let mut result = Summary::new().filtered(|_| true).tagged(["x"], [""; 0]).routed("0").stamped();
    result.status(&Event::test("t").with_status(Status::Success)).unwrap();
    assert_eq!(result.get_ref().get_ref().get_ref().get_ref().total(), 1);
    result.get_mut().get_mut().get_mut().get_mut().start_run().unwrap();
    assert!(!result.get_ref().get_ref().get_ref().get_ref().ran());
}
