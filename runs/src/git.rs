//! What is checked out where tests run: commit, branch, and whether anything was changed since.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use formats::visible;
use process::{Deadline, Follow, Interrupt, Timeouts, Wait};
use repository::{Git, StoredRun};

/// A work tree whose changes are not found by then has changes or not, which is not known.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of what `git status` says, this much is kept: the commit and the branch come first.
const KEPT: usize = 64 << 10;

/// What is checked out in the work tree that this folder is in. That there is none, or no program git, or one that
/// takes long, is no error: then less is known.
pub(super) fn checked_out(folder: &Path, interrupt: &Interrupt) -> Option<Git> {
    let folder = folder.canonicalize().ok()?;
    let link = folder.ancestors().map(|above| above.join(".git")).find(|path| path.exists())?;
    asked(&folder, interrupt).or_else(|| read(&link))
}

fn asked(folder: &Path, interrupt: &Interrupt) -> Option<Git> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command.args(["--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]);
    let wait = Wait { deadline: Deadline::after(PATIENCE), interrupt };
    let finished = process::run(&mut command, Follow::new(wait, Timeouts::COMMAND), KEPT).ok()?;
    if finished.ending.is_success() { told(&finished.stdout.text()) } else { None }
}

/// What `git status --porcelain=v2 --branch` tells.
fn told(text: &str) -> Option<Git> {
    let header =
        |name: &str| text.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name));
    let commit = header("oid ").filter(|commit| is_hash(commit))?.to_owned();
    let branch = header("head ").filter(|name| *name != "(detached)").map(str::to_owned);
    let dirty = text.lines().any(|line| !line.is_empty() && !line.starts_with('#'));
    Some(Git { commit, branch, dirty: Some(dirty) })
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What git's own files say, without the program.
fn read(link: &Path) -> Option<Git> {
    let folder = if link.is_dir() { link.to_owned() } else { target(link, "gitdir: ")? };
    let head = fs::read_to_string(folder.join("HEAD")).ok()?;
    let Some(name) = head.trim_end().strip_prefix("ref: ") else {
        let commit = head.trim_end().to_owned();
        return is_hash(&commit).then_some(Git { commit, branch: None, dirty: None });
    };
    // The branches of a further work tree are those of the first one.
    let shared = target(&folder.join("commondir"), "").unwrap_or_else(|| folder.clone());
    let commit = fs::read_to_string(shared.join(name)).ok().or_else(|| packed(&shared, name))?;
    let commit = commit.trim_end().to_owned();
    let branch = name.strip_prefix("refs/heads/").map(str::to_owned);
    is_hash(&commit).then_some(Git { commit, branch, dirty: None })
}

/// The folder that a file names, as seen from the file.
fn target(file: &Path, before: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    Some(file.parent()?.join(text.strip_prefix(before)?.trim_end()))
}

fn packed(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join("packed-refs")).ok()?;
    let found = text.lines().find_map(|line| line.split_once(' ').filter(|(_, of)| *of == name));
    found.map(|(commit, _)| commit.to_owned())
}

/// Says of what commit a run is, where that is known.
pub(super) fn tell_of(run: &StoredRun, errors: &mut dyn Write) -> io::Result<()> {
    let Some(git) = &run.info.git else { return Ok(()) };
    let branch = git.branch.as_deref().map(|name| format!(" ({})", visible::line(name))).unwrap_or_default();
    let changed = if git.dirty == Some(true) { ", changed since" } else { "" };
    let commit = short(&Git { dirty: None, ..git.clone() });
    writeln!(errors, "run {} is of commit {commit}{branch}{changed}", run.id)
}

/// A commit as people name it: `1a2b3c4d5e`, with a `+` where there were changes.
pub(super) fn short(git: &Git) -> String {
    let commit: String = git.commit.chars().take(10).filter(char::is_ascii_alphanumeric).collect();
    format!("{commit}{}", if git.dirty == Some(true) { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn check(text: &str, expected: Option<(&str, Option<bool>)>) {
        let found = told(text);
        let found = found.as_ref().map(|git| (git.branch.as_deref().unwrap_or("-"), git.dirty));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_status_tells_commit_branch_and_changes() {
        let head = format!("# branch.oid {COMMIT}\n# branch.head ");
        check(&format!("{head}main\n"), Some(("main", Some(false))));
        check(&format!("{head}a/b\n# branch.ab +1 -0\n1 .M N... f\n"), Some(("a/b", Some(true))));
        check(&format!("{head}(detached)\n"), Some(("-", Some(false))));
        check("# branch.oid (initial)\n# branch.head main\n", None);
        check("", None);
    }

    #[test]
    fn the_files_tell_where_there_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let known = |branch: Option<&str>| {
            Some(Git { commit: COMMIT.to_owned(), branch: branch.map(str::to_owned), dirty: None })
        };
        write(".git/HEAD", "ref: refs/heads/main\n");
        assert_eq!(read(&git), None);
        write(".git/packed-refs", &format!("# pack-refs\n{COMMIT} refs/heads/main\n"));
        assert_eq!(read(&git), known(Some("main")));
        write(".git/refs/heads/x/y", &format!("{COMMIT}\n"));
        write(".git/worktrees/w/HEAD", "ref: refs/heads/x/y\n");
        write(".git/worktrees/w/commondir", "../..\n");
        write("w/.git", "gitdir: ../.git/worktrees/w\n");
        assert_eq!(read(&folder.path().join("w/.git")), known(Some("x/y")));
        write(".git/HEAD", &format!("{COMMIT}\n"));
        assert_eq!(read(&git), known(None));
    }

    #[test]
    fn a_run_knows_its_commit() {
        let repo = Repo::with(&[&["a success"]]);
        assert!(!repo.run(&["history"], b"").output().contains("COMMIT"));
        fs::create_dir(repo.path().join(".git")).unwrap();
        fs::write(repo.path().join(".git/HEAD"), format!("{COMMIT}\n")).unwrap();
        repo.run(&["load"], &stream(&["a success"]));
        assert_eq!(repo.run(&["show", "1"], b"").errors(), "");
        for command in ["show", "list", "slowest"] {
            let outcome = repo.run(&[command, "2"], b"");
            assert_eq!(outcome.errors(), "run 2 is of commit 0123456789\n", "{command}");
        }
        let listed = repo.run(&["history"], b"");
        assert!(listed.output().lines().nth(2).unwrap().ends_with("  0123456789"), "{}", listed.output());
        let lines = repo.run(&["history", "--json"], b"");
        let runs: Vec<serde_json::Value> =
            lines.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (&runs[0]["commit"], runs[1]["commit"].as_str()),
            (&serde_json::Value::Null, Some(COMMIT))
        );
        assert_eq!((runs[1]["run"].as_u64(), runs[1]["state"].as_str()), (Some(2), Some("passed")));
    }
}
