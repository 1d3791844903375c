//! Repositories that the other tools made, imported.

use std::fs;
use std::path::Path;

use cli::Verdict;
use repository::{Repository, RunId, Standing, StoredRun};
use streamresult::{Records, StreamResult, drive, record_fn};

use super::testing::{copy, corpus, subunit};

/// Imports a repository of the corpus, and gives ours.
fn imported(name: &str, words: &str) -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let source = corpus(name);
    let source = source.to_str().unwrap();
    let outcome = subunit(folder.path(), &["import", source]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
    let made = format!("made {}/.subunit\n", folder.path().display());
    assert_eq!(outcome.errors().replace(&made, "").replace(source, "S"), words);
    let repository = Repository::open(folder.path()).unwrap();
    (folder, repository)
}

/// A line a test of a run, as it ended: id, outcome, route, tags, seconds, attachments.
fn told(repository: &Repository, run: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        let route = record.route_code().map(|route| format!(" @{route}")).unwrap_or_default();
        let mut tags: Vec<&str> = record.tags().iter().collect();
        tags.sort_unstable();
        let files = record.attachments().map(|file| format!(" {}:{}", file.name(), file.len()));
        let files: String = files.collect();
        let seconds = record.duration().unwrap_or_default().as_secs_f64();
        lines.push(format!("{} {}{route} {tags:?} {seconds}{files}", record.test_id(), record.outcome()));
        Ok(())
    }));
    drive(repository.stream(RunId(run)).unwrap(), &mut records).unwrap();
    drop(records);
    lines
}

fn runs(repository: &Repository) -> Vec<StoredRun> {
    repository.runs().unwrap()
}

fn failing(repository: &Repository) -> Vec<String> {
    repository.failing().unwrap().tests.into_iter().map(|failure| failure.test_id).collect()
}

const TESTS: [&str; 6] = [
    "net.boot success [\"net\", \"slow\"] 1.5",
    "net.tést[café] fail [] 1.000001 core:256 log:20",
    "db.skip skip [] 0 reason:11",
    "db.xfail xfail [] 0.25",
    "it's \"quoted\" \\ x success [] 0.0625",
    "hangs fail [] 0",
];

#[test]
fn nothing_of_a_run_of_stestr_is_lost() {
    let (_folder, repository) = imported("stestr/.stestr", "");
    let standings: Vec<_> = runs(&repository).iter().map(StoredRun::standing).collect();
    assert_eq!(standings, [Standing::Failed, Standing::Passed, Standing::Failed]);
    assert_eq!(told(&repository, 1), TESTS);
    assert_eq!(failing(&repository), ["hangs", "net.tést[café]"]);
    let run = &runs(&repository)[2];
    assert_eq!(run.info.arguments, [".stestr", "2"]);
    assert_eq!(run.start().unwrap().seconds(), 1_767_268_800 + 200);
}

#[test]
fn testr_adds_the_tag_of_a_worker() {
    for kind in ["testr/.testrepository", "testr-gdbm/.testrepository", "testr-sqlite/.testrepository"] {
        let (_folder, repository) = imported(kind, "");
        let without_tag = |line: String| line.replace("\"worker-0\"", "").replace(", ]", "]");
        let lines = told(&repository, 1).into_iter().map(without_tag).collect::<Vec<_>>();
        assert_eq!(lines, TESTS.map(|line| line.replace(", ]", "]")));
    }
}

#[test]
fn workers_of_inquest_are_routes_and_its_packets_stay() {
    let (_folder, repository) = imported("inquest/.inquest", WORDS_OF_INQUEST);
    let lines = told(&repository, 1);
    let ends = |end: &str| lines.iter().filter(|line| line.contains(end)).count();
    assert_eq!((ends(" @0 "), ends(" @1 ")), (6, 4), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("test_x.A.test_c fail @0 [] 0.000")), "{lines:?}");
    let run = &runs(&repository)[0];
    assert_eq!(run.info.command.as_deref(), Some("python -m subunit.run $LISTOPT $IDOPTION test_x"));
    assert_eq!(run.info.arguments, ["--verbose"]);
    assert_eq!(run.info.workers, Some(2));
    assert!(run.info.git.as_ref().is_some_and(|git| git.dirty == Some(true) && git.commit.len() == 40));
    assert_eq!(run.end.as_ref().and_then(|end| end.exit), Some(1));

    let mut stream = Vec::new();
    std::io::Read::read_to_end(&mut repository.stream(RunId(2)).unwrap(), &mut stream).unwrap();
    assert_eq!(stream, fs::read(corpus("inquest/.inquest/runs/1")).unwrap());
}

/// inq has forgotten what did not run the second time, and a test that never finished.
const WORDS_OF_INQUEST: &str = "\
hangs: fails here, but not in S, which forgets what a later run left out
test_x.A.test_c: fails here, but not in S, which forgets what a later run left out
";

#[test]
fn a_killed_run_of_inquest_is_what_its_workers_sent() {
    let (folder, source) = copy("inquest/.inquest");
    fs::write(source.join("runs/0"), b"").unwrap();
    subunit(folder.path(), &["import"]);
    let repository = Repository::open(folder.path()).unwrap();
    let lines = told(&repository, 1);
    assert!(lines.iter().any(|line| line.starts_with("test_x.A.test_b success @1 ")), "{lines:?}");
}

#[test]
fn workers_of_another_run_of_inquest_are_left_out() {
    let (folder, source) = copy("inquest/.inquest");
    fs::copy(source.join("runs/1"), source.join("runs/0b")).unwrap();
    fs::copy(source.join("runs/1"), source.join("runs/9a")).unwrap();
    let outcome = subunit(folder.path(), &["import"]);
    assert!(outcome.errors().contains("run 0: the files of its workers have tests"), "{}", outcome.errors());
    assert!(outcome.errors().contains("runs/9a belongs to no run"), "{}", outcome.errors());
    let repository = Repository::open(folder.path()).unwrap();
    let lines = told(&repository, 1);
    assert!(lines.iter().all(|line| !line.contains('@')), "{lines:?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn tests_that_no_worker_sent_come_from_the_whole() {
    let (folder, source) = copy("inquest/.inquest");
    fs::write(source.join("runs/0b"), b"").unwrap();
    subunit(folder.path(), &["import"]);
    let repository = Repository::open(folder.path()).unwrap();
    let ran: Vec<String> =
        told(&repository, 1).into_iter().filter(|line| !line.contains(" exists ")).collect();
    assert_eq!((ran.len(), ran.iter().filter(|line| line.contains(" @0 ")).count()), (5, 3), "{ran:?}");
}

#[test]
fn a_run_whose_import_was_cut_off_is_imported_again() {
    let (folder, source) = copy("stestr/.stestr");
    let source = source.to_str().unwrap();
    subunit(folder.path(), &["import", source]);
    let journal = folder.path().join(".subunit/imported");
    let cut = fs::read_to_string(&journal).unwrap().replace("\"run\":3}", "\"run\":4}");
    let repository = Repository::open(folder.path()).unwrap();
    drop(repository.begin(Default::default()).unwrap());
    fs::write(&journal, cut).unwrap();
    let outcome = subunit(folder.path(), &["import", "--older-too", source]);
    assert!(outcome.output().contains("imported 1 run"), "{}", outcome.output());
    assert!(outcome.output().ends_with(": 5; 2 had been imported before\n"), "{}", outcome.output());
}

#[test]
fn what_is_no_file_in_a_repository_is_refused_at_once() {
    for (tool, name) in
        [("stestr/.stestr", "1"), ("stestr/.stestr", "failing"), ("inquest/.inquest", "runs/1")]
    {
        let (folder, source) = copy(tool);
        fs::remove_file(source.join(name)).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(source.join(name)).unwrap();
        let outcome = subunit(folder.path(), &["import", source.to_str().unwrap()]);
        assert_eq!(outcome.verdict, Verdict::Error);
        assert!(outcome.errors().contains(&format!("{name} is a FIFO")), "{}", outcome.errors());
    }
}

#[test]
fn of_an_import_that_failed_half_way_nothing_is_left() {
    let (folder, source) = copy("stestr/.stestr");
    let path = source.to_str().unwrap();
    subunit(folder.path(), &["init"]);
    let repository = Repository::open(folder.path()).unwrap();
    let mut writer = repository.begin_apart(Default::default()).unwrap();
    StreamResult::status(&mut writer, &subunit::Event::status("half", subunit::Status::InProgress)).unwrap();
    StreamResult::flush(&mut writer).unwrap();
    assert_eq!(runs(&repository).len(), 0);
    drop(writer);
    assert!(repository.failing().unwrap().is_clear());
    assert_eq!(fs::read_dir(folder.path().join(".subunit/runs")).unwrap().count(), 0);
    subunit(folder.path(), &["import", path]);
    // A number that was announced, and that another run got.
    let journal = folder.path().join(".subunit/imported");
    let text = fs::read_to_string(&journal).unwrap().replace("\"run\":3}", "\"run\":4}");
    fs::write(&journal, text).unwrap();
    repository.load(&b""[..], Default::default(), Default::default()).unwrap();
    let outcome = subunit(folder.path(), &["import", "--older-too", path]);
    assert!(outcome.output().ends_with(": 5; 2 had been imported before\n"), "{}", outcome.output());
}

#[test]
fn what_was_imported_is_not_imported_again() {
    let (folder, source) = copy("stestr/.stestr");
    let import = |expected: &str| {
        let outcome = subunit(folder.path(), &["import"]);
        assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
        assert_eq!(outcome.output().replace(&source.display().to_string(), "S"), expected);
    };
    subunit(folder.path(), &["init"]);
    import("imported 3 runs of S: 1 to 3\n");
    import("imported no run of S; 3 had been imported before\n");
    let next = "time: 2027-01-01 00:00:00.000000Z\ntest: new\nsuccessful: new\n";
    fs::write(source.join("3"), next).unwrap();
    fs::write(source.join("next-stream"), "4\n").unwrap();
    import("imported 1 run of S: 4; 3 had been imported before\n");
    let outcome = subunit(folder.path(), &["import", source.to_str().unwrap()]);
    assert!(outcome.output().contains("no run"), "{}", outcome.output());
    assert_eq!(runs(&Repository::open(folder.path()).unwrap()).len(), 4);
}

#[test]
fn durations_of_tests_without_a_run_are_kept() {
    let (folder, source) = copy("stestr/.stestr");
    for run in ["0", "1", "2"] {
        fs::write(source.join(run), "time: 2026-01-01 00:00:00Z\ntest: net.boot\nsuccess: net.boot\n")
            .unwrap();
    }
    fs::remove_file(source.join("failing")).unwrap();
    let outcome = subunit(folder.path(), &["import", source.to_str().unwrap()]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
    let repository = Repository::open(folder.path()).unwrap();
    assert_eq!(runs(&repository)[0].info.arguments, [".stestr", "times.dbm"]);
    assert_eq!(runs(&repository)[0].standing(), Standing::Empty);
    let lines = told(&repository, 1);
    assert_eq!(lines.len(), 5);
    assert!(lines.contains(&"net.tést exists [] 1.000001 duration:11".to_owned()), "{lines:?}");
    let outcome = subunit(folder.path(), &["import", source.to_str().unwrap()]);
    assert!(outcome.output().ends_with("; 4 had been imported before\n"), "{}", outcome.output());
}

/// Changes a repository of `testr`, and checks what the import of it says; nothing may be imported when it is refused.
fn check_words(change: impl FnOnce(&Path), verdict: Verdict, expected: &str) {
    let (folder, source) = copy("testr/.testrepository");
    change(&source);
    let outcome = subunit(folder.path(), &["import"]);
    let words = format!("{}{}", outcome.output(), outcome.errors());
    assert_eq!(outcome.verdict, verdict, "{words}");
    assert!(words.contains(expected), "{words}");
    assert_eq!(folder.path().join(".subunit").exists(), verdict == Verdict::Passed, "{words}");
}

#[test]
fn what_makes_no_sense_is_refused_as_a_whole() {
    let write = |name: &'static str, bytes: &'static [u8]| {
        move |path: &Path| fs::write(path.join(name), bytes).unwrap()
    };
    check_words(write("format", b"2\n"), Verdict::Error, "says \"2\\n\"");
    check_words(|path| fs::remove_file(path.join("format")).unwrap(), Verdict::Error, "`format`");
    check_words(write("1", b"\x1f\x8b\x08 gzip"), Verdict::Error, "run 1 of ");
    let packet = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
    check_words(write("3", packet), Verdict::Error, "was written by two tools");
    check_words(
        |path| (0..3).for_each(|run| fs::remove_file(path.join(run.to_string())).unwrap()),
        Verdict::Nothing,
        "there are no runs in ",
    );
}

#[test]
fn what_is_left_out_is_told() {
    let write = |name: &'static str, bytes: &'static [u8]| {
        move |path: &Path| fs::write(path.join(name), bytes).unwrap()
    };
    check_words(write("times.dbm.dir", b"'a', (0, 99999)\n"), Verdict::Passed, "the timings are skipped: ");
    check_words(write("tmpa1b2", b"test: x\n"), Verdict::Passed, "left by a load that was killed");
    check_words(write("next-stream", b"5\n"), Verdict::Passed, "the runs from 3 on are missing");
    check_words(write("next-stream", b"1\n"), Verdict::Passed, "says 1, but there is run 2");
    check_words(write("failing", b"test: gone\nfailure: gone\n"), Verdict::Passed, "gone: fails in ");
    check_words(write("failing", b""), Verdict::Passed, "hangs: fails here, but not in ");
}

#[test]
fn a_mixed_repository_is_read_on_request() {
    let (folder, source) = copy("testr/.testrepository");
    fs::write(source.join("3"), b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b").unwrap();
    let outcome = subunit(folder.path(), &["import", "--mixed", source.to_str().unwrap()]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
    let repository = Repository::open(folder.path()).unwrap();
    assert_eq!(told(&repository, 4), ["foo exists [] 0"]);
}

#[test]
fn older_runs_decide_nothing_unless_asked() {
    let (folder, source) = copy("stestr/.stestr");
    let ours = Repository::init(folder.path()).unwrap();
    let mut run = ours.begin(Default::default()).unwrap();
    run.status(&subunit::Event::status("net.boot", subunit::Status::Fail)).unwrap();
    run.finish(Default::default()).unwrap();
    let source = source.to_str().unwrap();
    let outcome = subunit(folder.path(), &["import", source]);
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.errors().contains("3 runs of "), "{}", outcome.errors());
    assert_eq!(runs(&ours).len(), 1);
    let outcome = subunit(folder.path(), &["import", "--older-too", source]);
    assert_eq!((outcome.verdict, runs(&ours).len()), (Verdict::Passed, 4));
}
