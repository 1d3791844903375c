//! Writers that are killed.

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use repository::{Note, RunInfo, RunState, Standing};

use crate::helper;
use crate::support::{all_answers, bytes, failing, load, stream, temporary};

#[test]
fn a_killed_run_keeps_all_that_was_flushed() {
    let temporary = temporary();
    let mut child = helper::start("run", temporary.folder.path());
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().take(300) {
        let line = line.unwrap();
        if let Some((_, id)) = line.split_once("began ") {
            last = id.to_owned();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let number: u64 = last.strip_prefix("test_").unwrap().parse().unwrap();

    let run = temporary.repository.run(repository::RunRef::LATEST).unwrap();
    assert_eq!(run.state, RunState::Incomplete);
    assert!(run.counts.success >= number, "{:?} after {last}", run.counts);
    assert_eq!(run.counts.damaged, 0);
    assert_ne!(run.standing(), Standing::Passed);
    let notes = temporary.repository.take_notes();
    assert!(matches!(notes[..], [Note::Recovered { run: id, .. }] if id == run.id), "{notes:?}");
}

#[test]
fn a_test_that_took_its_process_down_is_failing() {
    let temporary = temporary();
    load(&temporary.repository, &["a success", "b success"]);
    let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
    writer.load(&*stream(&["a success", "b inprogress"])).unwrap();
    drop(writer);
    assert_eq!(failing(&temporary.repository), ["b unfinished 2"]);
}

#[test]
fn the_front_of_a_packet_at_the_end_is_left_out_and_said() {
    let temporary = temporary();
    let events = stream(&["a success", "b success"]);
    for cut in 0..events.len() {
        let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
        let id = writer.id();
        writer.load(&events[..cut]).unwrap();
        drop(writer);
        let run = temporary.repository.run(id).unwrap();
        let whole = if cut < events.len() / 2 { 0 } else { 1 };
        assert_eq!((run.state, run.counts.success, run.counts.damaged), (RunState::Incomplete, whole, 0));
        assert_eq!(run.tail, (cut - whole as usize * events.len() / 2) as u64);
        assert_eq!(bytes(&temporary.repository, id), &events[..cut]);
    }
}

#[test]
fn loads_killed_at_any_moment_leave_readable_runs() {
    let temporary = temporary();
    let mut stored = 0;
    for round in 0..30 {
        let mut child = helper::start("many", temporary.folder.path());
        let output = child.stdout.take().unwrap();
        std::thread::sleep(Duration::from_micros(20_000 + 3_700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = BufReader::new(output).lines().map_while(Result::ok);
        stored += said.filter(|line| line.contains("stored ")).count();
    }
    let runs = temporary.repository.runs().unwrap();
    let complete = runs.iter().filter(|run| run.state == RunState::Complete).count();
    // What was said to be stored is; a run may have been complete right before it was to be said.
    assert!((stored..=stored + 30).contains(&complete), "{complete} of {stored}");
    assert!(runs.iter().all(|run| matches!(run.state, RunState::Complete | RunState::Incomplete)));
    for run in &runs {
        assert_eq!(bytes(&temporary.repository, run.id).len() as u64, run.bytes);
    }
    let answers = all_answers(&temporary.repository);
    temporary.repository.rebuild().unwrap();
    assert_eq!(all_answers(&temporary.again()), answers);
}

#[test]
fn rebuilding_and_pruning_killed_at_any_moment_lose_nothing() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail", "b inprogress", "!"]);
    for number in 0..6 {
        let stream = crate::support::long_stream(300 * (number % 3 + 1));
        temporary.repository.load(&*stream, RunInfo::default(), Default::default()).unwrap();
    }
    let told = |repository: &repository::Repository| {
        let counts: Vec<_> =
            repository.runs().unwrap().iter().map(|run| (run.id, run.state, run.counts)).collect();
        (counts, failing(repository), repository.history("suite.test_3").unwrap())
    };
    let before = told(&temporary.repository);
    for round in 0..20 {
        let job = if round % 2 == 0 { "rebuild" } else { "prune" };
        let mut child = helper::start(job, temporary.folder.path());
        std::thread::sleep(Duration::from_micros(10_000 + 3_100 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told(&temporary.again()), before, "round {round}");
    }
}

#[test]
fn a_writer_whose_input_fails_keeps_what_came() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    let temporary = temporary();
    let mut writer = temporary.repository.begin(RunInfo::default()).unwrap();
    writer.write_all(&stream(&["a success"])).unwrap();
    let error = writer.load(Broken).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the stream: unplugged");
    drop(writer);
    let run = temporary.repository.run(repository::RunRef::LATEST).unwrap();
    assert_eq!((run.counts.success, run.standing()), (1, Standing::Incomplete));
}
