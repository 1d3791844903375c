use super::super::testing::{Repo, subunit};

/// Runs a command, and looks at the exit code, the last line of the report and all else that is said.
fn check(repo: &Repo, args: &[&str], code: u8, summary: &str, errors: &str) {
    let place = ["run", "-C", repo.path().to_str().unwrap(), "--summary-only"];
    let outcome = subunit(&[&place, args].concat(), b"");
    let last = outcome.output().lines().last().unwrap_or_default().to_owned();
    // How long it took differs.
    let last = last.split(" in ").next().unwrap_or_default();
    assert_eq!((outcome.verdict.code(), last, outcome.errors()), (code, summary, errors), "{args:?}");
}

#[test]
fn a_command_is_a_test() {
    let repo = Repo::with(&[]);
    check(&repo, &["--", "true"], 0, "PASSED  1 test: 1 passed", "stored as run 1\n");
    check(&repo, &["--", "false"], 1, "FAILED  1 test: 1 failed", "stored as run 2: 1 newly failing\n");
    let words = "it's; two  words";
    check(
        &repo,
        &["--id", "false", "--", "test", words, "=", words],
        0,
        "PASSED  1 test: 1 passed",
        "stored as run 3: 1 fixed\n",
    );
    repo.check(&["list"], 0, "false\n");
}

#[test]
fn a_command_may_tell_of_tests() {
    let repo = Repo::with(&[]);
    let tap = "echo building; printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n'; exit 1";
    let said = "building\nstored as run 1: 1 newly failing\n";
    check(&repo, &["--", "sh", "-c", tap], 1, "FAILED  2 tests: 1 passed, 1 failed", said);
    repo.check(&["list"], 0, "a\nb\n");
    let bad = "printf '1..1\\nok 1 - b\\n'; exit 3";
    let said = "stored as run 2: 1 newly failing, 1 fixed\n";
    check(&repo, &["--", "sh", "-c", bad], 1, "FAILED  2 tests: 1 passed, 1 failed", said);
    repo.check(&["failing", "--list"], 1, "subunit-run.worker-0\n");
    let outcome = subunit(&["run", "-C", repo.path().to_str().unwrap(), "--", "sh", "-c", tap], b"");
    assert!(!outcome.output().contains("--failing"), "{}", outcome.output());
}

#[test]
fn a_format_that_is_given_and_does_not_come_is_no_success() {
    let repo = Repo::with(&[]);
    check(&repo, &["--format=subunit", "--", "true"], 4, "NOTHING RAN  0 tests", "stored as run 1\n");
    let said = "stored as run 2: 1 newly failing\n";
    check(&repo, &["--format=tap", "--", "true"], 1, "FAILED  1 test: 1 failed", said);
}

#[test]
fn it_runs_until_a_run_fails() {
    let repo = Repo::with(&[]);
    let count = repo.path().join("count");
    let script = format!("echo >>{0}; test $(wc -l <{0}) -lt 3", count.display());
    check(
        &repo,
        &["--until-failure", "--id=a", "--", "sh", "-c", &script],
        1,
        "FAILED  1 test: 1 failed",
        "stored as run 1\nstored as run 2\nstored as run 3: 1 newly failing\n",
    );
    check(
        &repo,
        &["--repeat=2", "--id=a", "--", "true"],
        0,
        "PASSED  1 test: 1 passed",
        "stored as run 4: 1 fixed\nstored as run 5\n",
    );
}

#[test]
fn a_seed_gives_one_order() {
    let order = |seed| {
        let mut ids: Vec<String> = (0..9).map(|id| id.to_string()).collect();
        super::choice::shuffle(&mut ids, seed);
        ids.concat()
    };
    assert_eq!((order(1), order(1) == order(2)), (order(1), false));
    let mut all: Vec<char> = order(1).chars().collect();
    all.sort_unstable();
    assert_eq!(all.into_iter().collect::<String>(), "012345678");
}

#[test]
fn a_command_that_takes_too_long_fails() {
    let repo = Repo::with(&[]);
    let failed = "FAILED  2 tests: 1 failed, 1 unfinished";
    let said = "stored as run 1: 2 newly failing\n";
    check(&repo, &["--timeout=100ms", "--", "sleep", "1000"], 1, failed, said);
    repo.check(&["failing", "--list"], 1, "sleep 1000\nsubunit-run.worker-0\n");
}
