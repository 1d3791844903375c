//! Events that no packet can carry: whoever ignores the error at hand is told at the end.

use repository::{RunEnd, RunInfo, RunState, Standing};
use streamresult::StreamResult;
use subunit::{Event, Status};

use crate::support::temporary;

/// Writes a test that passes, one that cannot be stored, and finishes the run.
fn check(refused: Event<'_>, why: &str) {
    let temporary = temporary();
    let mut run = temporary.repository.begin(RunInfo::default()).unwrap();
    run.status(&Event::status("a", Status::Success)).unwrap();
    assert!(run.status(&refused).is_err());
    run.status(&Event::status("b", Status::Success)).unwrap();
    run.stop_run().unwrap();
    let id = run.id();
    let error = run.finish(RunEnd { exit: Some(0), ..RunEnd::default() }).unwrap_err().to_string();
    assert!(error.contains("not all of the stream could be stored") && error.contains(why), "{error}");
    let run = temporary.repository.run(id).unwrap();
    assert_eq!((run.state, run.counts.success), (RunState::Incomplete, 2), "what came is kept");
    assert_eq!(run.standing(), Standing::Incomplete);
}

#[test]
fn a_run_with_an_event_that_was_refused_is_not_finished() {
    check(Event::status("boot\0login", Status::Fail), "NUL");
    let long = "x".repeat(5 << 20);
    check(Event::status(&long, Status::Fail), "packet would take");
    check(Event { route_code: Some("a\0"), ..Event::status("c", Status::Fail) }, "NUL");
}
