//! The program that is copied to other places, linked statically.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::pipeline::{complete_within, target};
use crate::requires_components;

/// How long building may take, also where another build is under way.
const BUILDING: Duration = Duration::from_secs(1200);

/// The program, built when it is first asked for.
pub(crate) fn program() -> anyhow::Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(error) => Err(anyhow!("{error}")),
    }
}

/// Why it is not there, if it is not.
pub(crate) fn missing() -> Option<String> {
    program().err().map(|error| error.to_string())
}

/// Only the program itself is linked in another way: what it is made of is there, or of use to other builds.
fn build() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os("SUBUNIT_REMOTE_BINARY") {
        return Ok(path.into());
    }
    ensure!(requires_components(), "it was not built; SUBUNIT_REQUIRE_COMPONENTS=1 has it built");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["rustc", "--quiet", "-p", "tests", "--bin", "subunit-static", "--features", "static"]);
    cargo.arg("--target-dir").arg(target());
    cargo.args(["--", "-C", "target-feature=+crt-static", "-C", "strip=symbols"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let done = complete_within(BUILDING, &mut cargo)?;
    ensure!(done.ending.is_success(), "it cannot be built: {}: {}", done.ending.exit, done.stderr.text());
    let folder = target().join("components");
    fs::create_dir_all(&folder)?;
    let program = folder.join("subunit-static");
    fs::copy(target().join("debug/subunit-static"), &program)?;
    Ok(program)
}
