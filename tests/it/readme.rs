//! Runs each command line of the README, with stand-ins for what is not ours.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bins;

/// Lines that are not run here, by a part of them, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo build --release", "`.ci/run bare` runs it, where nothing else is"),
    ("--target ssh:worker1", "it needs two hosts: components.remote.ssh…"),
    ("--session alice", "it needs a user's container: components.remote.docker-session"),
];

/// Checks whose service is not there: they say what they would look at.
const ONLY_LISTED: &[&str] = &[
    "check-cvmfs",
    "check-jupyterhub",
    "check-database",
    "check-container",
    "check-proxy",
    "check-http",
    "check-tcp",
];

/// Programs that the README calls and that are not ours.
const STAND_INS: &[(&str, &str)] = &[
    ("ssh", "shift; exec \"$@\""),
    ("go", "cat $CORPUS/gojson/go1.25-attr.json"),
    ("cargo", "cat $CORPUS/libtest/slow.txt"),
    ("prove", "printf 't/a.t ..\\n1..1\\nok 1 - a\\nok\\n'"),
    ("check_load", "echo 'LOAD OK - total load average: 5.51|load1=5.510;9;10;0;'"),
];

/// A configuration of a check that needs nothing.
const CONFIG: &str = "[[target]]\nname = \"load\"\ncheck = \"command\"\ncommand = [\"check_load\"]\n";

/// A test runner that needs nothing: each line of a file is a test.
const PRESET: &str = "about = \"Lines\"\nfiles = [\"lines.txt\"]\n[list]\ncommand = \"cat lines.txt\"\n\
    [run]\ncommand = 'for id; do echo \"ok - $id\"; done; echo \"1..$#\"'\nids = \"arguments\"\nformat = \"tap\"\n";

#[test]
fn every_line_of_the_readme_can_be_run() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let lines = command_lines(&readme);
    assert!(lines.len() > 25, "{lines:#?}");
    for (part, _) in NOT_RUN {
        assert!(lines.iter().any(|line| line.contains(part)), "no line has {part}");
    }
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let is_run = |line: &&String| !NOT_RUN.iter().any(|(part, _)| line.contains(part));
    let failed: Vec<String> =
        lines.iter().filter(is_run).filter_map(|line| run(&here(line), folder.path())).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The lines of the blocks for shells, and in other blocks those that begin as a shell's prompt does.
fn command_lines(readme: &str) -> Vec<String> {
    let (mut block, mut lines) = (None, Vec::new());
    for line in readme.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(kind), None) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, Some("sh")) if !line.is_empty() && !line.starts_with('#') => lines.push(line.to_owned()),
            (None, Some("")) => lines.extend(line.strip_prefix("$ ").map(str::to_owned)),
            _ => {}
        }
    }
    lines
}

/// The line as it can be run here.
fn here(line: &str) -> String {
    let line = line.replace(" /eos/user", " --fstype any user");
    let is_listed = |name: &&&str| line.split([' ', '=']).any(|word| word == **name);
    match ONLY_LISTED.iter().find(is_listed) {
        // What is looked for in the reasons is in none then.
        Some(name) => line.split(" | ").next().unwrap_or_default().replace(name, &format!("{name} --list")),
        None => line,
    }
}

fn prepare(folder: &Path) {
    let script = |name: &str, text: &str| {
        fs::write(folder.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    fs::create_dir(folder.join("user")).unwrap();
    fs::create_dir(folder.join("stand-ins")).unwrap();
    STAND_INS.iter().for_each(|(name, text)| script(&format!("stand-ins/{name}"), text));
    script("backup.sh", "echo saved");
    fs::write(folder.join("token"), "secret\n").unwrap();
    fs::write(folder.join("subunit-checks.toml"), CONFIG).unwrap();
    fs::write(folder.join("jupyterhub.sqlite"), "").unwrap();
    fs::write(folder.join("lines.txt"), "boot\nlogin\n").unwrap();
    fs::create_dir(folder.join("subunit-presets")).unwrap();
    fs::write(folder.join("subunit-presets/lines.toml"), PRESET).unwrap();
    let made = "make-stream id=a status=success >yesterday.subunit; \
                make-stream id=a status=fail 'id=b status=success' >run.subunit; \
                head -c 20 run.subunit >broken.subunit";
    assert_eq!(run(made, folder), None);
}

/// Runs a line, and says what was wrong: it could not be done, which is another thing than that a test failed, or that
/// none is left.
fn run(line: &str, folder: &Path) -> Option<String> {
    let before = [folder.join("stand-ins"), bins::folder().to_owned()];
    let path =
        env::join_paths(before.into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    let ended = Command::new("bash")
        .args(["-o", "pipefail", "-c", line])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("CORPUS", Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
        .env_remove("SUBUNIT_REPO")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    let is_done = matches!(ended.status.code(), Some(0 | 1 | 4 | 5)) && !errors.contains("error:");
    (!is_done)
        .then(|| format!("{line}\n{}\n{}{errors}", ended.status, String::from_utf8_lossy(&ended.stdout)))
}
