//! This test binary again, as another process: a test that does nothing unless it is asked to by a variable.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use repository::{Repository, Retention, RunEnd, RunInfo};
use streamresult::StreamResult;
use subunit::{Event, Status, Timestamp};

const FOLDER: &str = "REPOSITORY_TEST_FOLDER";
const JOB: &str = "REPOSITORY_TEST_JOB";

/// Starts a process that does this job in the repository in `folder`.
pub(crate) fn start(job: &str, folder: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper::does_a_job", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(JOB, job)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn does_a_job() {
    let Ok(job) = std::env::var(JOB) else { return };
    let repository = Repository::open(std::env::var(FOLDER).unwrap()).unwrap();
    match job.as_str() {
        // Stores what comes on its standard input.
        "load" => {
            let run = repository.load(std::io::stdin(), RunInfo::default(), RunEnd::default()).unwrap();
            assert_eq!(repository.run(run.id).unwrap(), run);
        }
        // Runs tests for ever, and says so of each.
        "run" => {
            let mut run = repository.begin(RunInfo::default()).unwrap();
            for number in 0_u64.. {
                let id = format!("test_{number}");
                run.status(&Event::status(&id, Status::InProgress)).unwrap();
                StreamResult::flush(&mut run).unwrap();
                writeln!(std::io::stdout(), "began {id}").unwrap();
                run.status(&Event::status(&id, Status::Success)).unwrap();
            }
        }
        // Stores one run after the other.
        "many" => loop {
            let stream = super::support::long_stream(200);
            let run = repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap();
            writeln!(std::io::stdout(), "stored {}", run.id).unwrap();
        },
        // Makes everything anew, again and again.
        "rebuild" => loop {
            repository.rebuild().unwrap();
            writeln!(std::io::stdout(), "rebuilt").unwrap();
        },
        // Removes all streams that may go, again and again.
        "prune" => loop {
            let retention = Retention { runs: Some(1), failing_too: true, ..Retention::default() };
            let pruned = repository.prune(&retention, Timestamp::now()).unwrap();
            writeln!(std::io::stdout(), "pruned {}", pruned.len()).unwrap();
        },
        other => panic!("no such job: {other}"),
    }
}

/// What a process said until it ended, which it must have done well.
pub(crate) fn end(mut child: Child) {
    drop(child.stdin.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
}
