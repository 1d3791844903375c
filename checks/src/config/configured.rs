//! What a check makes of a configuration file.

use std::fs;

use cli::Verdict;
use probe::testing::Fake;

use super::Configured;

type Run = probe::CheckRun<Fake, Configured>;

fn check(args: &[&str], verdict: Verdict, expected: &str) {
    let outcome = cli::run_with::<Run>(&[&["--format=human"], args].concat(), b"");
    assert_eq!((outcome.verdict, outcome.output()), (verdict, expected), "{}", outcome.errors());
}

fn check_error(args: &[&str], expected: &str) {
    let outcome = cli::run_with::<Run>(args, b"");
    assert_eq!((outcome.verdict, outcome.output()), (Verdict::Error, ""));
    assert!(outcome.errors().contains(expected), "{}", outcome.errors());
}

#[test]
fn a_configuration_file_names_the_targets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checks.toml");
    let config = |text: &str| {
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = config(
        "[defaults]\nprobe = 'deep'\n[[target]]\nname = 'one'\ncheck = 'fake'\nplace = 'x'\nskip = ['ready']\n\
         found = ['alive=load 3']\nthresholds.load = { warning = 2 }\ntags = ['t']\nafter = ['two']\n\
         [[target]]\nname = 'two'\ncheck = 'fake'\nplace = 'y'\nprobe = 'liveness'\n\
         [[target]]\nname = 'else'\ncheck = 'other'\n",
    );
    let config_of = |args: &[&'static str]| {
        [
            &["--config".to_owned(), file.clone()][..],
            &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
        ]
        .concat()
    };
    let run_with = |args: &[&'static str], verdict, expected: &str| {
        let args = config_of(args);
        check(&args.iter().map(String::as_str).collect::<Vec<_>>(), verdict, expected);
    };
    run_with(&["--list"], Verdict::Passed, "fake.two.alive\nfake.one.alive\nfake.one.deep\n");
    run_with(&["--list", "--only=fake.one.*"], Verdict::Passed, "fake.one.alive\nfake.one.deep\n");
    let expected = "warning   fake.one.alive: load = 3 is outside of the warning range 2\n0 passed, 1 with warnings, 0 failed, 0 skipped\n";
    run_with(&["--only=fake.one.alive"], Verdict::Passed, expected);
    run_with(
        &["--only=fake.one.alive", "-w", "load=9"],
        Verdict::Passed,
        "ok        fake.one.alive\n1 passed, 0 with warnings, 0 failed, 0 skipped\n",
    );
    check_error(&["--config", &file, "a"], "--config names the targets");
    let wrong = |text: &str, expected: &str| check_error(&["--config", &config(text)], expected);
    let target = "[[target]]\nname = 'one'\ncheck = 'fake'\nplace = 'x'\n";
    wrong(&format!("{target}plcae = 'y'"), "target one: check-fake has no `plcae`; is it `place`?");
    wrong(&format!("{target}format = 'json'"), "`format` is about a whole run");
    wrong(
        &format!("{target}timeout = 'soon'"),
        "target one: invalid value 'soon' for '--timeout <DURATION>'",
    );
    wrong(&format!("{target}thresholds.load = {{ warn = 2 }}"), "a threshold has no `warn`");
    wrong(&format!("{target}thresholds.lod = {{ warning = 2 }}"), "target one: there is no metric `lod`");
    wrong("[[target]]\nname = 'one'\ncheck = 'fake'\n", "it does not say what to check");
    wrong("[[target]]\nname = 'one'\ncheck = 'eos'\n", "has no target with check = \"fake\"");
}
