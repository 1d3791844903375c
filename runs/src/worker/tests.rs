use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Worker;

fn script(folder: &std::path::Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a worker says of the tests whose names come in, each in a line: id, status, tags, files.
fn check(scripts: &[(&str, &str)], input: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in scripts {
        script(folder.path(), name, text);
    }
    fs::write(folder.path().join("data"), "").unwrap();
    let place = folder.path().to_str().unwrap();
    let input = input.replace("@", &format!("{place}/"));
    let outcome = cli::run_with::<Worker>(&[place], input.as_bytes());
    let mut seen = Vec::new();
    let mut sink = streamresult::from_fn(|event: &subunit::Event<'_>| {
        let Some(id) = event.test_id.map(|id| id.rsplit('/').next().unwrap()) else { return Ok(()) };
        let status = event.status.map(|status| format!("{status:?}"));
        let file =
            event.file.map(|file| format!("{}={}", file.name, String::from_utf8_lossy(file.bytes).trim()));
        let tags = event.tags.iter().map(str::to_owned);
        let words: Vec<_> = [id.to_owned()].into_iter().chain(status).chain(tags).chain(file).collect();
        seen.push(words.join(" ").split(" (sleep").next().unwrap().to_owned());
        Ok(())
    });
    streamresult::drive(outcome.output.as_slice(), &mut sink).unwrap();
    assert_eq!(seen, expected);
}

#[test]
fn each_executable_is_a_test() {
    check(
        &[("a", "echo out; echo err >&2"), ("b", "exit 77"), ("deep/c", "exit 3"), (".hidden", "")],
        "@a\n@b\n@deep/c\n@data\n\n@a\n",
        &[
            "a InProgress",
            "a stdout=out",
            "a stderr=err",
            "a Success",
            "b InProgress",
            "b Skip",
            "c InProgress",
            "c Fail reason=exit code 3",
            "data Fail reason=no such test in this worker",
        ],
    );
}

#[test]
fn what_it_leaves_running_is_a_failure() {
    let outcome = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        script(folder.path(), "a", text);
        let place = folder.path().to_str().unwrap();
        let outcome = cli::run_with::<Worker>(&[place], format!("{place}/a\n").as_bytes());
        String::from_utf8_lossy(&outcome.output).into_owned()
    };
    let leaked = outcome("sleep 1000 >/dev/null 2>&1 &");
    assert!(leaked.contains("leaked") && leaked.contains("(sleep)"), "{leaked}");
    assert!(!outcome("sleep 0 & wait").contains("leaked"));
}
