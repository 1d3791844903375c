//! Runs each command line of the README and of the book, with stand-ins for what is not ours, and looks where links
//! lead.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::bins;

/// Lines that are not run here, by a part of them, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo build --release", "`.ci/run bare` runs it, where nothing else is"),
    ("links ~/.local/bin", "it is about somebody's home"),
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

/// Programs that the pages call and that are not ours.
const STAND_INS: &[(&str, &str)] = &[
    ("ssh", "shift; exec \"$@\""),
    ("go", "cat $CORPUS/gojson/go1.25-attr.json"),
    ("cargo", "cat $CORPUS/libtest/slow.txt"),
    ("prove", "printf 't/a.t ..\\n1..1\\nok 1 - a\\nok\\n'"),
    ("check_load", "echo 'LOAD OK - total load average: 5.51|load1=5.510;9;10;0;'"),
    ("python3", "cat run.subunit"),
    ("stestr", "cat run.subunit"),
];

/// Programs that print TAP or JUnit XML, or leave such a file where each of them does.
const TEST_TOOLS: &[&str] = &[
    "bats", "bazel", "busted", "ctest", "dmesg", "dotnet", "gradle", "lit", "meson", "mvn", "node", "npx",
    "phpunit", "pytest", "rspec",
];

/// What stands in for each of those.
const TEST_TOOL: &str = r#"report='<testsuite name="s" tests="1"><testcase classname="c" name="boot"/></testsuite>'
for file in out.xml junit.xml build/meson-logs/testlog.junit.xml target/surefire-reports/TEST-a.xml \
    build/test-results/TEST-a.xml bazel-testlogs/test.xml; do
    mkdir -p "$(dirname "$file")"
    echo "$report" >"$file"
done
case "$*" in
*reporter=junit*) echo "$report" ;;
*) printf 'TAP version 13\n1..1\nok 1 - boot\n' ;;
esac"#;

/// A configuration of a check that needs nothing.
const CONFIG: &str = "[[target]]\nname = \"load\"\ncheck = \"command\"\ncommand = [\"check_load\"]\n";

/// A test runner that needs nothing: each line of a file is a test.
const PRESET: &str = "about = \"Lines\"\nfiles = [\"lines.txt\"]\n[list]\ncommand = \"cat lines.txt\"\n\
    [run]\ncommand = 'for id; do echo \"ok - $id\"; done; echo \"1..$#\"'\nids = \"arguments\"\nformat = \"tap\"\n";

#[test]
fn every_line_of_the_pages_can_be_run() {
    let pages = pages();
    let all: Vec<String> = pages.iter().flat_map(|page| command_lines(&page.text)).collect();
    assert!(all.len() > 120, "{all:#?}");
    for (part, _) in NOT_RUN {
        assert!(all.iter().any(|line| line.contains(part)), "no line has {part}");
    }
    let failed: Vec<String> = pages.iter().flat_map(failures).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The lines of a page that cannot be run, one after the other in a folder of their own.
fn failures(page: &Page) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let lines = command_lines(&page.text);
    let is_run = |line: &&String| !NOT_RUN.iter().any(|(part, _)| line.contains(part));
    let failed = lines.iter().filter(is_run).filter_map(|line| run(&here(line), folder.path()));
    failed.map(|why| format!("{}: {why}", page.name)).collect()
}

#[test]
fn every_configuration_on_the_pages_is_sound() {
    for page in pages() {
        for block in blocks(&page.text).filter(|block| block.kind == "toml") {
            let (name, _) = block.text.trim_start_matches("# ").split_once('\n').unwrap_or_default();
            let check = match name {
                "subunit.toml" => "subunit run --list",
                "subunit-checks.toml" => "check-all --check-config",
                name if name.starts_with("subunit-presets/") => "subunit presets",
                _ => panic!(
                    "{}: the first line of a block of TOML is a comment with its name: {name}",
                    page.name
                ),
            };
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path());
            fs::create_dir(folder.path().join("tests")).unwrap();
            fs::write(folder.path().join(name), block.text).unwrap();
            let printed = printed(check, folder.path());
            assert!(!printed.contains(&format!("{name}:")), "{}: {printed}", page.name);
        }
    }
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let pages = pages();
    for page in &pages {
        for link in links(&page.text).filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = page.folder.join(path);
            assert!(path.is_empty() || target.exists(), "{}: there is no {link}", page.name);
            let text = if path.is_empty() {
                page.text.clone()
            } else {
                fs::read_to_string(&target).unwrap_or_default()
            };
            let mut anchors = text.lines().filter(|line| line.starts_with('#')).map(anchor_of);
            assert!(anchor.is_empty() || anchors.any(|it| it == anchor), "{}: there is no {link}", page.name);
        }
    }
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let mut listed: Vec<&str> = links(&summary).collect();
    listed.sort_unstable();
    let mut there: Vec<&str> =
        pages.iter().map(|page| page.name.as_str()).filter(|name| *name != "README.md").collect();
    there.sort_unstable();
    assert_eq!(listed, there, "SUMMARY.md lists the pages of the book");
}

/// The README, or a page of the book.
struct Page {
    name: String,
    folder: PathBuf,
    text: String,
}

fn pages() -> Vec<Page> {
    let readme = docs().join("../README.md");
    let entries = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let is_page =
        |path: &PathBuf| path.extension().is_some_and(|it| it == "md") && !path.ends_with("SUMMARY.md");
    let paths = entries.filter(is_page).chain([readme]);
    let page = |path: PathBuf| Page {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(&path).unwrap(),
        folder: path.parent().unwrap().to_owned(),
    };
    paths.map(page).collect()
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Where the links of a text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// What a heading is called in links to it.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A block of code.
struct Block<'a> {
    kind: &'a str,
    text: &'a str,
}

fn blocks(page: &str) -> impl Iterator<Item = Block<'_>> {
    page.split("```").skip(1).step_by(2).filter_map(|block| {
        let (kind, text) = block.split_once('\n')?;
        Some(Block { kind, text })
    })
}

/// The lines of the blocks for shells, in other blocks those that begin as a shell's prompt does, and those of the
/// table of tools.
fn command_lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks(page) {
        let own = block.text.lines();
        match block.kind {
            "sh" => {
                lines.extend(own.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned))
            }
            "" => lines.extend(own.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned)),
            // Steps of CI systems.
            "yaml" => lines.extend(own.filter_map(step)),
            _ => {}
        }
    }
    let cells = page.lines().filter(|line| line.starts_with("| ") && line.ends_with("subunit2text` |"));
    lines.extend(
        cells.filter_map(|line| Some(line.rsplit("| `").next()?.trim_end_matches("` |").replace("\\|", "|"))),
    );
    lines
}

/// What a line of a workflow runs, if that is a command of ours.
fn step(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ");
    line.starts_with("subunit").then(|| line.to_owned())
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
    TEST_TOOLS.iter().for_each(|name| script(&format!("stand-ins/{name}"), TEST_TOOL));
    fs::create_dir(folder.join("build")).unwrap();
    script("build/unit", TEST_TOOL);
    fs::write(folder.join("results.tap"), "1..2\nok 1 - boot\nnot ok 2 - login\n").unwrap();
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
    let ended = bash(line, folder);
    let errors = String::from_utf8_lossy(&ended.stderr);
    let is_done = matches!(ended.status.code(), Some(0 | 1 | 4 | 5)) && !errors.contains("error:");
    (!is_done)
        .then(|| format!("{line}\n{}\n{}{errors}", ended.status, String::from_utf8_lossy(&ended.stdout)))
}

/// All that a line prints.
fn printed(line: &str, folder: &Path) -> String {
    let ended = bash(line, folder);
    format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr))
}

fn bash(line: &str, folder: &Path) -> Output {
    let before = [folder.join("stand-ins"), bins::folder().to_owned()];
    let path =
        env::join_paths(before.into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    Command::new("bash")
        .args(["-o", "pipefail", "-c", line])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("CORPUS", Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
        .env_remove("SUBUNIT_REPO")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
