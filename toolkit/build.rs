//! Finds out from which commit the program is built, for `--version`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SUBUNIT_COMMIT");
    let commit =
        std::env::var("SUBUNIT_COMMIT").ok().or_else(checked_out).filter(|commit| !commit.is_empty());
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    println!("cargo::rustc-env=SUBUNIT_VERSION={}{commit}", env!("CARGO_PKG_VERSION"));
}

/// The commit of this work tree; `None` for a package that merely lies in somebody's.
fn checked_out() -> Option<String> {
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["describe", "--always", "--dirty=, modified", "--abbrev=12", "--exclude=*"])
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
