//! What is exported, and read back.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use cli::Verdict;
use formats::v1;
use repository::{Repository, RunEnd, RunId, RunInfo};
use streamresult::{Records, StreamResult, drive, record_fn};
use subunit::{Event, File, Status, Timestamp, encode};

use super::super::import::testing::{corpus, subunit};

/// A stream with all that is hard to write elsewhere.
fn stream() -> Vec<u8> {
    let at = |seconds| Timestamp::new(seconds, 250_000_001);
    let file = Some(File { name: "log\nContent-Type: x", bytes: b"ready\n]\n0\r\n" });
    let tags = ["-gone", "two words"];
    let events = [
        Event { timestamp: at(10), ..Event::status("a\nsuccess: a", Status::InProgress) },
        Event {
            file,
            timestamp: at(12),
            tags: tags[..].into(),
            ..Event::status("a\nsuccess: a", Status::Fail)
        },
        Event { route_code: Some("0"), timestamp: at(12), ..Event::status("[b] é", Status::Success) },
        Event::status("hangs", Status::InProgress),
        Event::status("later", Status::Exists),
    ];
    let mut stream = b"text\n".to_vec();
    events.iter().for_each(|event| encode(event, &mut stream).unwrap());
    stream
}

fn loaded(streams: &[&[u8]]) -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init(folder.path()).unwrap();
    for stream in streams {
        repository.load(*stream, RunInfo::default(), RunEnd::default()).unwrap();
    }
    (folder, repository)
}

fn exported(folder: &Path, args: &[&str]) -> Vec<u8> {
    let outcome = subunit(folder, &[&["export"], args].concat());
    assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
    outcome.output
}

/// A line a test: what of it both versions can say.
fn told(read: impl FnOnce(&mut dyn StreamResult) -> std::io::Result<()>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        let tags: Vec<&str> = record.tags().iter().collect();
        let mut files = Vec::new();
        for file in record.attachments() {
            let mut bytes = Vec::new();
            file.reader().read_to_end(&mut bytes)?;
            files.push(format!("{} {:?} {}", file.name(), file.mime_type(), bytes.escape_ascii()));
        }
        let (first, last) = (record.first(), record.last());
        let outcome = record.outcome();
        lines.push(format!("{} {outcome} {tags:?} {first:?} {last:?} {files:?}", record.test_id()));
        Ok(())
    }));
    read(&mut records).unwrap();
    drop(records);
    lines
}

#[test]
fn v2_is_the_bytes_that_came_in() {
    let (folder, _) = loaded(&[&stream(), b"damage \xb3 \x00"]);
    assert_eq!(exported(folder.path(), &["1"]), stream());
    assert_eq!(exported(folder.path(), &[]), b"damage \xb3 \x00");
    assert_eq!(exported(folder.path(), &["--all"]), [&stream()[..], b"damage \xb3 \x00"].concat());
    let again = tempfile::tempdir().unwrap();
    let ours = Repository::init(again.path()).unwrap();
    ours.load(&*exported(folder.path(), &["1"]), RunInfo::default(), RunEnd::default()).unwrap();
    let mut bytes = Vec::new();
    ours.stream(RunId(1)).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, stream());
}

#[test]
fn what_was_imported_goes_out_as_it_came() {
    for repository in ["testr/.testrepository", "stestr/.stestr"] {
        let folder = tempfile::tempdir().unwrap();
        let source = corpus(repository);
        subunit(folder.path(), &["import", source.to_str().unwrap()]);
        for run in 0..3 {
            let before = fs::read(source.join(run.to_string())).unwrap();
            let after = exported(folder.path(), &["--format", "v1", &(run + 1).to_string()]);
            let events = |bytes: &[u8]| told(|sink| v1::drive(bytes, sink));
            assert_eq!(events(&after), events(&before), "run {run} of {repository}");
        }
    }
}

#[test]
fn no_name_can_forge_a_line_of_v1() {
    let (folder, _) = loaded(&[&stream()]);
    let v1 = exported(folder.path(), &["--format", "v1"]);
    let lines = told(|sink| v1::drive(&*v1, sink));
    let ids: Vec<&str> = lines.iter().map(|line| line.split(" {").next().unwrap_or(line)).collect();
    assert_eq!(lines.len(), 3, "{ids:?}");
    assert!(lines[0].starts_with(r#"a\nsuccess: a fail ["\\x2dgone", "two\\x20words"]"#), "{}", lines[0]);
}

#[test]
fn each_format_shows_all_runs() {
    let (folder, _) = loaded(&[&stream(), &stream()]);
    let text = |args: &[&str]| String::from_utf8(exported(folder.path(), args)).unwrap();
    let csv = text(&["--all", "--format", "csv"]);
    assert_eq!(csv.matches(",success,").count(), 2, "{csv}");
    assert!(csv.contains(",1/0,") && csv.contains(",2/0,") && csv.starts_with("test,status,"), "{csv}");
    let junit = text(&["--format", "junit", "1", "2"]);
    assert!(junit.contains("name=\"1/0\"") && junit.contains("name=\"2\""), "{junit}");
    let json = text(&["--format", "json", "-1"]);
    assert_eq!(json.lines().count(), 6, "{json}");
    let one = text(&["--format", "csv", "1"]);
    assert!(one.contains(",0,") && !one.contains(",1/0,"), "{one}");
}

#[test]
fn an_empty_repository_is_nothing_and_a_folder_is_not_replaced() {
    let (folder, _) = loaded(&[]);
    assert_eq!(subunit(folder.path(), &["export"]).verdict, Verdict::Nothing);
    assert_eq!(subunit(folder.path(), &["export", "--all"]).verdict, Verdict::Nothing);
    let (folder, _) = loaded(&[&stream()]);
    let path = folder.path().to_str().unwrap();
    let outcome = subunit(folder.path(), &["export", "--format", "testrepository", "-o", path]);
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.errors().contains("exists already"), "{}", outcome.errors());
}

#[test]
fn what_is_exported_to_testr_is_imported_as_it_was() {
    for name in [".testrepository", ".stestr"] {
        let (folder, ours) = loaded(&[&stream(), &stream()]);
        let path = folder.path().join(name);
        exported(folder.path(), &["--format", "testrepository", "-o", path.to_str().unwrap()]);
        assert_eq!(fs::read_to_string(path.join("next-stream")).unwrap(), "3\n");
        let again = tempfile::tempdir().unwrap();
        let outcome = subunit(again.path(), &["import", path.to_str().unwrap()]);
        assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
        let made = format!("made {}/.subunit\n", again.path().display());
        assert_eq!(outcome.errors().replace(&made, ""), "");
        let theirs = Repository::open(again.path()).unwrap();
        let failing = |repository: &Repository| -> Vec<String> {
            let failing = repository.failing().unwrap();
            failing.tests.into_iter().map(|test| test.test_id.replace('\n', "\\n")).collect()
        };
        assert_eq!(failing(&ours), failing(&theirs));
        let of = |repository: &Repository| {
            let stream = repository.stream(RunId(2)).unwrap();
            told(|sink| drive(stream, sink)).len()
        };
        // `exists` is what v1 cannot say.
        assert_eq!(of(&ours), of(&theirs) + 1);
    }
}

#[test]
fn a_run_that_did_not_succeed_is_not_green_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init(folder.path()).unwrap();
    let mut passed = Vec::new();
    encode(&Event::status("a", Status::Success), &mut passed).unwrap();
    for end in
        [RunEnd { exit: Some(7), ..RunEnd::default() }, RunEnd { interrupted: true, ..RunEnd::default() }]
    {
        repository.load(&*passed, RunInfo::default(), end).unwrap();
    }
    let path = folder.path().join("out.stestr");
    let args = ["export", "--format", "testrepository", "-o", path.to_str().unwrap()];
    assert_eq!(subunit(folder.path(), &args).verdict, Verdict::Passed);
    for (run, why) in [("1", "run 1: the command exited with 7"), ("2", "run 2: the run is incomplete")] {
        let text = fs::read_to_string(path.join(run)).unwrap();
        assert!(text.contains("failure: process-returncode") && text.contains(why), "{text}");
    }
}
