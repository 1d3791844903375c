use std::{fs, io};

use clap::CommandFactory as _;
use subunit::Frame;
use subunit::io::Reader;

use super::*;

/// What a stream says, a line an event: id, status, file.
fn told(stream: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(stream);
    let mut lines = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        let Frame::Packet(packet) = frame else { panic!("{frame:?}") };
        let event = packet.event();
        let status = event.status.map_or("-", |status| status.as_str());
        let file = event.file.map(|file| format!(" {}: {}", file.name, file.bytes.escape_ascii()));
        lines.push(format!("{} {status}{}", event.test_id.unwrap_or("-"), file.unwrap_or_default()));
    }
    lines
}

fn check(args: &[&str], input: &[u8], verdict: Verdict, expected: &[&str]) {
    let outcome = cli::run_with::<FromTap>(args, input);
    assert_eq!(outcome.errors(), "");
    assert_eq!(
        (outcome.verdict, &*told(&outcome.output)),
        (verdict, &*expected.iter().map(ToString::to_string).collect::<Vec<_>>())
    );
}

#[test]
fn the_arguments_are_sound() {
    FromTap::command().debug_assert();
}

#[test]
fn the_exit_code_is_the_verdict_of_the_document() {
    check(&[], b"ok 1 - a\n1..1\n", Verdict::Passed, &["a success"]);
    check(&[], b"not ok 1 - a\n1..1\n", Verdict::Failed, &["a fail"]);
    check(&["--exit-zero"], b"not ok 1 - a\n1..1\n", Verdict::Passed, &["a fail"]);
    check(&[], b"1..0\n", Verdict::Nothing, &[]);
    let why = "tap document fail tap meta: there is no plan: it may have been cut off\\n";
    check(&[], b"ok\n", Verdict::Failed, &["test 1 success", why]);
    check(&["--allow-missing-plan"], b"ok\n", Verdict::Passed, &["test 1 success"]);
    check(&["--allow-missing-plan"], b"", Verdict::Nothing, &[]);
}

#[test]
fn ids_begin_with_the_prefix_and_of_several_files_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.tap");
    fs::write(&path, "1..1\nok 1 - a").unwrap();
    let path = path.to_str().unwrap();
    check(&[path], b"", Verdict::Passed, &["a success"]);
    check(&["--prefix", "x", path], b"", Verdict::Passed, &["x/a success"]);
    let of_file = format!("x/{path}/a success");
    check(
        &["--prefix", "x", path, "-"],
        b"1..1\nok 1 - a\n",
        Verdict::Passed,
        &[&of_file, "x/stdin/a success"],
    );
    let [first, second] = ["a", "a #2"].map(|id| format!("{path}/{id} success"));
    check(&[path, path], b"", Verdict::Passed, &[&first, &second]);
}

#[test]
fn what_arrives_has_its_time_and_what_is_in_a_file_has_none() {
    let times = |args: &[&str], input: &[u8]| {
        let output = cli::run_with::<FromTap>(args, input).output;
        let mut reader = Reader::new(&*output);
        let mut has_time = Vec::new();
        while let Some(Frame::Packet(packet)) = reader.next_frame().unwrap() {
            has_time.push(packet.event().timestamp.is_some());
        }
        has_time
    };
    let document = b"1..2\nok 1 - a\nok 2 - b # time=2s\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tap");
    fs::write(&path, document).unwrap();
    assert_eq!(times(&[], document), [true, true, true]);
    assert_eq!(times(&[path.to_str().unwrap()], b""), [false, true, true]);
}

#[test]
fn what_was_to_do_and_is_done_passes_unless_that_is_not_wanted() {
    let document = b"1..1\nok 1 - a # TODO\n";
    check(&[], document, Verdict::Passed, &["a success"]);
    check(&["--strict-todo"], document, Verdict::Failed, &["a uxsuccess"]);
}

#[test]
fn what_came_before_a_file_that_cannot_be_read_is_told() {
    let outcome = cli::run_with::<FromTap>(&["-", "/no/file"], b"1..1\nok 1 - a\n");
    assert_eq!((outcome.verdict, told(&outcome.output)[0].as_str()), (Verdict::Error, "stdin/a success"));
    assert!(outcome.errors().starts_with("tap2subunit: cannot open /no/file"));
}

#[test]
fn the_end_of_a_command_counts() {
    let check =
        |command: &str, verdict, expected: &[&str]| check(&["--exec", command], b"", verdict, expected);
    check("echo 1..1; echo ok 1 - a", Verdict::Passed, &["a success"]);
    let reason =
        "tap2subunit fail reason: exit code 3, though no test failed: echo 1..1; echo ok 1 - a; exit 3\\n";
    check("echo 1..1; echo ok 1 - a; exit 3", Verdict::Failed, &["a success", reason]);
    check("echo 1..1; echo not ok 1 - a; exit 3", Verdict::Failed, &["a fail"]);
    let reason = "tap2subunit fail reason: killed by signal 9 (SIGKILL): echo 1..0; kill -9 $$\\n";
    check("echo 1..0; kill -9 $$", Verdict::Failed, &[reason]);
}

#[test]
fn the_error_output_of_a_command_is_a_file() {
    check(
        &["--exec", "echo oops >&2; sleep 0.2; echo 1..1; echo ok"],
        b"",
        Verdict::Passed,
        &["- - stderr: oops\\n", "test 1 success"],
    );
}

#[test]
fn a_command_whose_events_cannot_be_written_is_ended() {
    struct Full;
    impl StreamResult for Full {
        fn status(&mut self, _: &Event<'_>) -> io::Result<()> {
            Err(io::Error::other("full"))
        }
    }
    let mut lines = Lines::new(TapParser::new());
    let command = "echo ok; exec sleep 1000";
    let error = run(command, "", &mut lines, &Interrupt::never(), &mut Full).unwrap_err();
    assert_eq!(error.to_string(), "full");
}
