//! Sessions that ducktape made, imported.

use std::fs;
use std::path::{Path, PathBuf};

use cli::Verdict;
use repository::{Repository, RunId};
use streamresult::{Records, drive, record_fn};

use super::super::testing::{copy_folder, subunit};

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/ducktape/results")
}

/// A copy of the session, whose report is changed like this.
fn changed(change: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("session");
    copy_folder(&results().join("2026-12-01--001"), &copy);
    let report = copy.join("report.json");
    let text = fs::read_to_string(&report).unwrap();
    let text = change.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    fs::write(report, text).unwrap();
    (folder, copy)
}

/// A line a test of what is imported: id, outcome, tags, milliseconds, attachments.
fn imported(path: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let outcome = subunit(folder.path(), &["import", "--ducktape", path.to_str().unwrap()]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
    let repository = Repository::open(folder.path()).unwrap();
    let mut lines = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        let files: String = record.attachments().map(|file| format!(" {}", file.name())).collect();
        let tags: String = record.tags().iter().map(|tag| format!(" #{tag}")).collect();
        let time = record.duration().unwrap_or_default().as_millis();
        lines.push(format!("{} {}{tags} {time}{files}", record.test_id(), record.outcome()));
        Ok(())
    }));
    drive(repository.stream(RunId(1)).unwrap(), &mut records).unwrap();
    drop(records);
    lines.sort();
    lines
}

#[test]
fn a_module_that_was_left_out_is_a_failure() {
    let expected = [
        "test_broken fail 0 reason",
        "test_my.WebTest.test_bounce.hard=False success 5 metrics.json",
        "test_my.WebTest.test_bounce.hard=True success 2 metrics.json test_log.info",
        "test_my.WebTest.test_fails fail 2 traceback Web-0/worker1/web.log test_log.info",
        "test_my.WebTest.test_flaky success #flaky 2 attempts test_log.info",
        "test_my.WebTest.test_ignored skip 0",
    ];
    assert_eq!(imported(&results()), expected, "a folder of sessions");
    assert_eq!(imported(&results().join("2026-12-01--001")), expected, "a session");
}

#[test]
fn what_is_lost_or_not_known_is_a_failure() {
    let check = |change: &[(&str, &str)], expected: &str| {
        let (_folder, session) = changed(change);
        let lines = imported(&session);
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{lines:?}");
    };
    let died = ("test_my.WebTest.test_fails', test_index=3", "test_my.WebTest.test_dies', test_index=3");
    check(&[died], "test_my.WebTest.test_dies fail");
    check(&[("\"num_passed\": 2", "\"num_passed\": 3")], "ducktape.session fail");
    check(
        &[("\"test_status\": \"IGNORE\"", "\"test_status\": \"OFAIL\"")],
        "test_my.WebTest.test_ignored fail",
    );
}

#[test]
fn files_are_taken_from_the_session_alone() {
    let own = "\"relative_results_dir\": \"WebTest/test_fails/3/\"";
    for wrong in ["../../../etc", "/etc"] {
        let (_folder, session) = changed(&[(own, &format!("\"relative_results_dir\": \"{wrong}\""))]);
        let lines = imported(&session);
        assert!(lines.contains(&"test_my.WebTest.test_fails fail 2 traceback".to_owned()), "{lines:?}");
    }
}

#[test]
fn a_session_is_imported_once_and_one_that_did_not_end_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("results");
    copy_folder(&results(), &copy);
    fs::create_dir(copy.join("2026-12-02--001")).unwrap();
    fs::write(copy.join("2026-12-02--001/session_log.info"), "").unwrap();
    let import = || subunit(folder.path(), &["import", "--ducktape", copy.to_str().unwrap()]);
    assert!(
        import()
            .errors()
            .contains("2026-12-02--001 has no report.json, since it did not end: it is not imported")
    );
    assert!(import().output().ends_with("; 1 had been imported before\n"), "{}", import().output());
}

#[test]
fn what_is_no_session_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = subunit(folder.path(), &["import", "--ducktape", folder.path().to_str().unwrap()]);
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.errors().contains("has no session of ducktape in it"), "{}", outcome.errors());
}
