//! Runs every `cli/*.test` file: commands, and what they print.
//!
//! ```text
//! # Comments and blank lines stay as they are.
//! $ make-stream | subunit-ls
//! > id=boot status=success
//! boot
//! ! text on stderr
//! ? 1
//! ```
//!
//! After `$` stands a command for `sh`, after `>` a line of its stdin, after `!` a line of stderr, after `?` the
//! exit code unless it is 0. All else is stdout; a line of it that is empty, begins like one of these or ends in a
//! blank stands between `| ` and `|`, and one without a newline at its end stands after `|- `. Control characters
//! stand as pictures (␛ for ESC). `[..]` stands for anything within a line.
//!
//! The commands of a file run one after the other in one empty folder, with the commands first in the path and
//! the recorded streams in `$CORPUS`. `SUBUNIT_BLESS=1` writes down what the commands printed, and
//! `SUBUNIT_ONLY=ls` runs the files whose names have `ls` in them.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::bins;
use crate::transcript::{Printed, Step, parse};

/// A command that takes longer has hung.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn commands_print_what_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli");
    let only = env::var("SUBUNIT_ONLY").unwrap_or_default();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|end| end == "test") && path.to_string_lossy().contains(&only)
    });
    files.sort();
    bins::folder();
    let failures: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = files.iter().map(|path| scope.spawn(|| run_file(path))).collect();
        running.into_iter().flat_map(|file| file.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}\nSUBUNIT_BLESS=1 writes down what is printed now", failures.join("\n"));
}

/// Runs the commands of a file, and says which of them did something else.
fn run_file(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut blessed = String::new();
    let mut failures = Vec::new();
    for step in parse(&text) {
        let Step::Command { line, source, command, input, expected } = step else {
            blessed += step.source();
            continue;
        };
        let printed = run(command, &input, folder.path());
        if expected.matches(&printed) {
            blessed += source;
        } else {
            failures.push(format!("{}:{line}: {command}\n{}", path.display(), expected.difference(&printed)));
            let is_command = |line: &&str| line.starts_with(['$', '>']);
            blessed.extend(source.split_inclusive('\n').take_while(is_command));
            blessed += &printed.in_terms_of(&expected).to_string();
        }
    }
    if env::var_os("SUBUNIT_BLESS").is_some() {
        fs::write(path, blessed).unwrap();
        failures.clear();
    }
    failures
}

fn run(command: &str, input: &str, folder: &Path) -> Printed {
    let [stdin, stdout, stderr] = ["in", "out", "err"].map(|_| tempfile::NamedTempFile::new().unwrap());
    fs::write(stdin.path(), input).unwrap();
    let path = env::join_paths(
        std::iter::once(bins::folder().to_owned())
            .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let child = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("CORPUS", Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
        .envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC")])
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("SUBUNIT_REPO")
        .stdin(stdin.reopen().unwrap())
        .stdout(Stdio::from(stdout.reopen().unwrap()))
        .stderr(Stdio::from(stderr.reopen().unwrap()))
        .process_group(0)
        .spawn()
        .unwrap();
    let status = wait(child);
    let read = |file: &tempfile::NamedTempFile| fs::read(file.path()).unwrap();
    Printed::new(&read(&stdout), &read(&stderr), status.and_then(|status| status.code()))
}

/// The exit status, or none when the command had to be killed.
fn wait(mut child: Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
    let group = Pid::from_raw(child.id() as i32).unwrap();
    kill_process_group(group, Signal::KILL).unwrap();
    child.wait().unwrap();
    None
}
